"""BMP and ICO: their headers are read here, their pixels by Pillow, which libvips' wheel has no loader for."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, NamedTuple

import pyvips

from features._decode._loaders import damaged, opened
from features._errors import DamagedSource
from features._picture import Source

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

_PILLOW_BYTES = 11
"""For each pixel: Pillow's own, their rows as they are packed, and all of them together."""
_PNG = b"\x89PNG\r\n\x1a\n"


class Icon(NamedTuple):
    """One picture of an ICO."""

    width: int
    height: int
    bits: int
    entry: bytes
    payload: bytes


def bmp_source(original: bytes) -> Source:
    """What the header of a BMP says."""
    (header,) = struct.unpack_from("<I", original, 14)
    core = header == 12
    try:
        width, height = struct.unpack_from("<HH" if core else "<ii", original, 18)
        (bits,) = struct.unpack_from("<H", original, 24 if core else 28)
    except struct.error as error:
        raise damaged(error) from None
    if not (width and height):
        raise DamagedSource("the picture is damaged or cut off", detail=f"a BMP of {width} x {height}")
    alpha = bits == 32 and header >= 56 and any(original[66:70])
    # A negative height: the rows are stored from the top.
    pixels = abs(width) * abs(height)
    return Source(
        "bmp",
        abs(width),
        abs(height),
        len(original),
        alpha=alpha,
        bands=4 if alpha else 3,
        bits=min(bits, 8),
        decoder_memory=pixels * _PILLOW_BYTES,
        decoder_seconds=pixels * 1e-7,
    )


def ico_source(original: bytes, page: int | None) -> Source:
    """What the directory of an ICO says of the largest picture, or of one of them."""
    found = icons(original)
    icon = chosen(found, page)
    frames = len(found)
    return Source(
        "ico",
        icon.width,
        icon.height,
        len(original),
        frames=frames,
        alpha=True,
        bands=4,
        bits=min(icon.bits, 8) or 8,
        decoder_memory=icon.width * icon.height * _PILLOW_BYTES,
        decoder_seconds=icon.width * icon.height * 1e-7,
    )


def icons(original: bytes) -> list[Icon]:
    """The pictures of an ICO in the file's order; DamagedSource if one reaches past its end."""
    (count,) = struct.unpack_from("<H", original, 4)
    return [_icon(original, 6 + 16 * index) for index in range(count)]


def chosen(found: list[Icon], page: int | None) -> Icon:
    """The picture at that place, else the largest one, of equals the one with the most colours."""
    return found[page] if page is not None else max(found, key=lambda icon: (icon.width * icon.height, icon.bits))


def _icon(original: bytes, at: int) -> Icon:
    try:
        entry = original[at : at + 16]
        bits, size, start = struct.unpack("<6xHII", entry)
        payload = original[start : start + size]
        if payload.startswith(_PNG):
            width, height = struct.unpack_from(">II", payload, 16)
        else:
            # The height counts the mask of transparency as well.
            width, both = struct.unpack_from("<ii", payload, 4)
            height = abs(both) // 2
            (bits,) = struct.unpack_from("<H", payload, 14)
    except struct.error as error:
        raise damaged(error) from None
    if len(payload) < size or width < 1 or height < 1:
        raise DamagedSource("the icon is damaged or cut off", detail=f"entry at {at}: {width} x {height}, {size} bytes")
    return Icon(width, height, bits, entry, payload)


def bmp_pixels(original: bytes, *, tolerant: bool) -> pyvips.Image:
    """The pixels of a BMP in L, RGB or RGBA."""
    from PIL import BmpImagePlugin  # noqa: PLC0415 - most requests never need it

    # Rows that are missing show black where a file cut off is to be shown.
    missing = struct.unpack_from("<I", original, 2)[0] - len(original) if tolerant else 0
    filler = bytes(min(max(missing, 0), 4 * bmp_source(original).width * bmp_source(original).height))
    try:
        return _from_pillow(BmpImagePlugin.BmpImageFile(io.BytesIO(original + filler)))
    except Exception as error:  # noqa: BLE001 - Pillow's plugins raise whatever their parsing runs into
        raise damaged(error) from None


def ico_pixels(original: bytes, page: int | None, *, tolerant: bool) -> pyvips.Image:
    """The pixels of one picture of an ICO in RGBA."""
    icon = chosen(icons(original), page)
    if icon.payload.startswith(_PNG):
        return opened(icon.payload, "png", tolerant=tolerant)
    from PIL import IcoImagePlugin  # noqa: PLC0415 - most requests never need it

    # Pillow sorts the pictures of an icon; of an icon that has only this one it takes the right one.
    alone = struct.pack("<HHH", 0, 1, 1) + icon.entry[:12] + struct.pack("<I", 22) + icon.payload
    try:
        return _from_pillow(IcoImagePlugin.IcoFile(io.BytesIO(alone)).frame(0))
    except Exception as error:  # noqa: BLE001 - Pillow's plugins raise whatever their parsing runs into
        raise damaged(error) from None


def _from_pillow(image: PillowImage) -> pyvips.Image:
    if image.mode not in ("L", "RGB", "RGBA"):
        image = image.convert("RGBA" if "A" in image.mode or "transparency" in image.info else "RGB")
    interpretation = "b-w" if image.mode == "L" else "srgb"
    rows = image.tobytes()
    bands = len(image.getbands())
    return pyvips.Image.new_from_memory(rows, image.width, image.height, bands, "uchar").copy(
        interpretation=interpretation
    )

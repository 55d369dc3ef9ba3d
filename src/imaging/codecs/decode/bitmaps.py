"""Decode BMP and ICO: their headers here, their pixels with Pillow, because libvips' wheel has no loader for them."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, NamedTuple

import pyvips

from imaging.codecs.decode.color import to_srgb
from imaging.codecs.decode.loaders import as_damaged_source, load
from imaging.codecs.decode.parts import check_parts
from imaging.context import Context, Deadline, Limits
from imaging.errors import DamagedSource, TooLarge
from imaging.formats import BMP, ICO, PNG, format_by_name
from imaging.formats.format import Loading
from imaging.picture import ImageHeader

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

_PILLOW_BYTES = 11
"""Per pixel: Pillow's own, one for its rows while they are converted, and all rows together."""
_PNG = b"\x89PNG\r\n\x1a\n"
_RUNS = (1, 2)
"""BI_RLE8 and BI_RLE4: Pillow decodes these in Python, byte by byte."""
_SECONDS_OF_RUNS = 6e-7
"""Per byte, at about half the speed of one core."""
_MAX_ICONS = 10_000


class Icon(NamedTuple):
    """One image of an ICO."""

    width: int
    height: int
    bits: int
    entry: bytes
    payload: memoryview


def read_bmp_header(original: bytes, _page: int | None, _limits: Limits, _deadline: Deadline) -> ImageHeader:
    """Return what the header of a BMP says."""
    return parse_bmp_header(original)


def read_ico_header(original: bytes, page: int | None, _limits: Limits, _deadline: Deadline) -> ImageHeader:
    """Return what an ICO says about its largest image, or about that page."""
    return parse_ico_header(original, page)


def read_bmp_pixels(loading: Loading) -> pyvips.Image:
    """Return the pixels of a BMP. Raises DamagedSource."""
    context: Context = loading.context
    return decode_bmp(loading.original, tolerant=context.limits.tolerate_truncated)


def read_ico_pixels(loading: Loading) -> pyvips.Image:
    """Return the pixels of the largest image of an ICO, or of a page. Raises DamagedSource."""
    context: Context = loading.context
    return decode_ico(loading.original, loading.page, tolerant=context.limits.tolerate_truncated)


def parse_bmp_header(original: bytes) -> ImageHeader:
    """Return the header of a BMP. Raises DamagedSource."""
    (header,) = struct.unpack_from("<I", original, 14)
    core = header == 12
    try:
        width, height = struct.unpack_from("<HH" if core else "<ii", original, 18)
        (bits,) = struct.unpack_from("<H", original, 24 if core else 28)
    except struct.error as error:
        raise as_damaged_source(error) from None
    if not (width and height):
        raise DamagedSource("the picture is damaged or cut off", detail=f"a BMP of {width} x {height}")
    alpha = bits == 32 and header >= 56 and any(original[66:70])
    # A negative height: the rows are stored from the top.
    pixels = abs(width) * abs(height)
    runs = len(_needed(original, pixels)) if _compression(original, 14) in _RUNS else 0
    return ImageHeader(
        BMP.name,
        abs(width),
        abs(height),
        len(original),
        alpha=alpha,
        bands=4 if alpha else 3,
        bits=min(bits, 8),
        decoder_memory=pixels * _PILLOW_BYTES,
        decoder_seconds=pixels * 1e-7 + runs * _SECONDS_OF_RUNS,
    )


def _compression(bitmap: bytes | memoryview, header_at: int) -> int:
    """Return how the pixels are compressed; 0 (not at all) for the oldest header, which has no such field."""
    if int.from_bytes(bitmap[header_at : header_at + 4], "little") < 40:
        return 0
    return int.from_bytes(bitmap[header_at + 16 : header_at + 20], "little")


def _needed(original: bytes, pixels: int) -> bytes:
    """Return a run-length encoded BMP without what follows the longest stream that its pixels can need.

    That is four bytes for each pixel, as in a move to the next one, and as many for each row.
    """
    start = int.from_bytes(original[10:14], "little")
    return original[: start + 8 * pixels + 16]


def parse_ico_header(original: bytes, page: int | None) -> ImageHeader:
    """Return what the directory of an ICO says about the largest image, or about one of them."""
    found = parse_icons(original)
    icon = choose_icon(found, page)
    frames = len(found)
    return ImageHeader(
        ICO.name,
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


def parse_icons(original: bytes) -> list[Icon]:
    """Return the images of an ICO in the file's order. Raises DamagedSource for one that is cut off, TooLarge."""
    (count,) = struct.unpack_from("<H", original, 4)
    if count > _MAX_ICONS:
        raise TooLarge(f"an ICO must have at most {_MAX_ICONS} pictures, got {count}")
    file = memoryview(original)  # entries may share one payload: none is copied
    return [_icon(file, 6 + 16 * index) for index in range(count)]


def choose_icon(found: list[Icon], page: int | None) -> Icon:
    """Return the image of that page, else the largest one; among equals the one with the most colours."""
    return found[page] if page is not None else max(found, key=lambda icon: (icon.width * icon.height, icon.bits))


def _icon(original: memoryview, at: int) -> Icon:
    try:
        entry = bytes(original[at : at + 16])
        bits, size, start = struct.unpack("<6xHII", entry)
        payload = original[start : start + size]
        if payload[:8] == _PNG:
            width, height = struct.unpack_from(">II", payload, 16)
        else:
            # The height counts the mask of transparency as well.
            width, both = struct.unpack_from("<ii", payload, 4)
            height = abs(both) // 2
            (bits,) = struct.unpack_from("<H", payload, 14)
            if _compression(payload, 0) in _RUNS:
                raise DamagedSource("the icon is damaged: its pixels must not be packed in runs")
    except struct.error as error:
        raise as_damaged_source(error) from None
    if len(payload) < size or width < 1 or height < 1:
        raise DamagedSource("the icon is damaged or cut off", detail=f"entry at {at}: {width} x {height}, {size} bytes")
    return Icon(width, height, bits, entry, payload)


def decode_bmp(original: bytes, *, tolerant: bool) -> pyvips.Image:
    """Return the pixels of a BMP in L, RGB or RGBA."""
    from PIL import BmpImagePlugin  # noqa: PLC0415 - most requests never need it

    # Rows that are missing show black where a file cut off is to be shown.
    missing = struct.unpack_from("<I", original, 2)[0] - len(original) if tolerant else 0
    filler = bytes(min(max(missing, 0), 4 * parse_bmp_header(original).width * parse_bmp_header(original).height))
    if _compression(original, 14) in _RUNS:
        source = parse_bmp_header(original)
        original = _needed(original, source.width * source.height)
    try:
        return _from_pillow(BmpImagePlugin.BmpImageFile(io.BytesIO(original + filler)))
    except Exception as error:  # noqa: BLE001 - Pillow's plugins raise whatever their parsing runs into
        raise as_damaged_source(error) from None


def decode_ico(original: bytes, page: int | None, *, tolerant: bool) -> pyvips.Image:
    """Return the pixels of one image of an ICO in RGBA."""
    icon = choose_icon(parse_icons(original), page)
    payload = bytes(icon.payload)
    if payload.startswith(_PNG):
        check_parts(payload, PNG.name, Limits(tolerate_truncated=True))
        image: pyvips.Image = to_srgb(load(payload, PNG.name, tolerant=tolerant), payload, format_by_name(PNG.name))
        return image
    from PIL import IcoImagePlugin  # noqa: PLC0415 - most requests never need it

    # Pillow sorts the pictures of an icon; of an icon that has only this one it takes the right one.
    alone = struct.pack("<HHH", 0, 1, 1) + icon.entry[:12] + struct.pack("<I", 22) + payload
    try:
        return _from_pillow(IcoImagePlugin.IcoFile(io.BytesIO(alone)).frame(0))
    except Exception as error:  # noqa: BLE001 - Pillow's plugins raise whatever their parsing runs into
        raise as_damaged_source(error) from None


def _from_pillow(image: PillowImage) -> pyvips.Image:
    if image.mode not in ("L", "RGB", "RGBA"):
        image = image.convert("RGBA" if "A" in image.mode or "transparency" in image.info else "RGB")
    interpretation = "b-w" if image.mode == "L" else "srgb"
    rows = image.tobytes()
    bands = len(image.getbands())
    return pyvips.Image.new_from_memory(rows, image.width, image.height, bands, "uchar").copy(
        interpretation=interpretation
    )

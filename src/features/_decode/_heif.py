"""HEIC through pi-heif: libvips' wheel reads its boxes, and has no decoder for HEVC.

It runs in a process of its own, within limits: a few flipped bits make it end with a segmentation fault, nothing can
stop it, and pi-heif, whose last release is 1.4.0, carries a libheif with known overflows.
"""

from __future__ import annotations

import pyvips

from features._decode._loaders import damaged, owning
from features._errors import Unavailable
from features._ports import Context

_BESIDE_PIXELS = 100_000
"""Bytes."""


def pixels(original: bytes, page: int | None, header: pyvips.Image, context: Context) -> pyvips.Image:
    """The picture upright (libheif turns it), 8 bits, with the header's profile; DamagedSource, TimeExceeded."""
    from features._isolation import Confinement, ProcessDied, confined  # noqa: PLC0415 - of SVG and HEIC alone

    index = int(str(header.get("heif-primary"))) if page is None else page
    limits = context.limits
    # Turned or not, with alpha.
    answer = header.width * header.height * 4 + _BESIDE_PIXELS
    bounds = Confinement(context.deadline, limits.memory, limits.processors)
    try:
        image = confined(bounds, answer, decoded, original, index)
    except ProcessDied as error:
        raise damaged(error) from None
    if header.get_typeof("icc-profile-data"):
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", header.get("icc-profile-data"))
    return image


def decoded(original: bytes, index: int) -> pyvips.Image:
    """One picture of the file, in grey or sRGB, perhaps with alpha."""
    try:
        import pi_heif  # noqa: PLC0415 - brings Pillow, which no other photograph needs
    except ImportError as error:
        raise Unavailable("HEIC pictures are not set up here", detail=f"pip install pi-heif: {error}") from None
    from features._isolation import open_no_more_files  # noqa: PLC0415 - of SVG and HEIC alone

    open_no_more_files()
    try:
        stored = pi_heif.open_heif(original, convert_hdr_to_8bit=True)[index]
        bands, (width, height) = len(stored.mode), stored.size
        # Rows may be padded.
        padded = owning(pyvips.Image.new_from_memory(stored.data, stored.stride, height, 1, "uchar"), stored)
    except Exception as error:  # noqa: BLE001 - a damaged file makes it raise many types, SyntaxError among them
        raise damaged(error) from None
    image = padded.crop(0, 0, width * bands, height).bandfold(factor=bands)
    image = image.copy(interpretation="srgb" if bands > 2 else "b-w")
    return image.unpremultiply().cast("uchar") if stored.mode == "RGBa" else image

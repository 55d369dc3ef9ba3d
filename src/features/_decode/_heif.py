"""HEIC through pi-heif: libvips' wheel reads its boxes, and has no decoder for HEVC."""

from __future__ import annotations

import pyvips

from features._decode._loaders import damaged, owning
from features._errors import Unavailable


def pixels(original: bytes, page: int | None, header: pyvips.Image) -> pyvips.Image:
    """The picture upright (libheif turns it), 8 bits, with the header's profile; DamagedSource."""
    try:
        import pi_heif  # noqa: PLC0415 - brings Pillow, which no other photograph needs
    except ImportError as error:
        raise Unavailable("HEIC pictures are not set up here", detail=f"pip install pi-heif: {error}") from None
    try:
        stored = pi_heif.open_heif(original, convert_hdr_to_8bit=True)[
            header.get("heif-primary") if page is None else page
        ]
        width, height = stored.size
        # Rows may be padded.
        padded = owning(pyvips.Image.new_from_memory(stored.data, stored.stride, height, 1, "uchar"), stored)
        bands = len(stored.mode)
    except Exception as error:  # noqa: BLE001 - a damaged file makes it raise many types, SystemError among them
        raise damaged(error) from None
    image = padded.crop(0, 0, width * bands, height).bandfold(factor=bands)
    if stored.mode == "RGBa":
        image = image.copy(interpretation="srgb").unpremultiply().cast("uchar")
    image = image.copy(interpretation="srgb" if bands > 2 else "b-w")
    if header.get_typeof("icc-profile-data"):
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", header.get("icc-profile-data"))
    return image

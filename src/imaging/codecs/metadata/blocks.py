"""Read the blocks of metadata that an original carries, whatever its format."""

from __future__ import annotations

from typing import Any

from imaging.codecs.decode.loaders import load
from imaging.codecs.metadata import iptc
from imaging.formats import format_by_name
from imaging.picture import ImageHeader

EXIF, XMP, IPTC = "exif-data", "xmp-data", "iptc-data"
"""The names of libvips' fields."""


def read_blocks(original: bytes, source: ImageHeader) -> tuple[bytes, bytes, list[iptc.Text]]:
    """Return the EXIF block, the XMP packet and the IPTC texts; each is empty without such a block."""
    carrier = format_by_name(source.format).metadata
    if carrier is None:
        return b"", b"", []
    header: Any = load(original, source.format, tolerant=True)
    block = original if carrier.is_exif_block else _blob(header, EXIF)
    packet = carrier.read_xmp(original) if carrier.read_xmp else _blob(header, XMP)
    return block, packet, iptc.read(_blob(header, IPTC))


def _blob(image: Any, name: str) -> bytes:
    return bytes(image.get(name)) if image.get_typeof(name) else b""

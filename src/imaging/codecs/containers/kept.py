"""What stays of a file's metadata when its container is written again."""

from __future__ import annotations

import msgspec


class Kept(msgspec.Struct, frozen=True):
    """The metadata that stays."""

    orientation: int = 1
    """EXIF orientation, 1 to 8."""
    xmp: bytes = b""
    """An XMP packet; empty for none."""

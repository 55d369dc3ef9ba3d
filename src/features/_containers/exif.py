"""EXIF blocks: a TIFF directory of tags."""

from __future__ import annotations

import struct

ORIENTATION = 0x0112
_SHORT = 3


def orientation_only(orientation: int) -> bytes:
    """The smallest EXIF block that tells an orientation (1 to 8); a TIFF header and one tag."""
    header = struct.pack("<2sHI", b"II", 42, 8)
    return header + struct.pack("<HHHIHHI", 1, ORIENTATION, _SHORT, 1, orientation, 0, 0)

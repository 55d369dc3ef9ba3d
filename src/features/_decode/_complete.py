"""Files cut off where the decoders do not mind: after a PNG's last row, between a GIF's frames, in a TIFF's strips."""

from __future__ import annotations

from features._decode import _tiff
from features._picture import SourceFormat


def is_complete(original: bytes, kind: SourceFormat) -> bool:
    """Whether the file reaches its own end; True where the decoder itself finds out."""
    if kind == "png":
        return original.rfind(b"IEND\xaeB`\x82") >= 0
    if kind == "gif":
        return _gif_ends(original)
    return _tiff.is_complete(original) if kind == "tiff" else True


def _gif_ends(original: bytes) -> bool:
    """Walk the blocks up to the trailer."""
    at = 13 + _palette(original, 10)
    try:
        while (mark := original[at]) != 0x3B:
            if mark == 0x21:
                at += 2
            elif mark == 0x2C:
                at += 11 + _palette(original, at + 9)
            else:
                return True  # no block at all: what stands here is damage, not an end
            while step := original[at]:
                at += step + 1
            at += 1
    except IndexError:
        return False
    return True


def _palette(original: bytes, flags_at: int) -> int:
    flags = original[flags_at]
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0

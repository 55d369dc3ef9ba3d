"""Find the boxes of an ISO base media file (ISO/IEC 14496-12, 4.2) without copying them."""

from __future__ import annotations

from collections.abc import Iterator

Box = tuple[bytes, int, int]
"""A box's kind, and the start and the end of its content. A plain tuple, since there can be thousands."""


def boxes(content: bytes, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two offsets, up to the last one, or to where the file is damaged."""
    at = start
    while at + 8 <= end:
        size, inside = int.from_bytes(content[at : at + 4], "big"), at + 8
        if size == 1:
            size, inside = int.from_bytes(content[at + 8 : at + 16], "big"), at + 16
        elif size == 0:
            size = end - at
        if size < inside - at:
            return
        yield content[at + 4 : at + 8], inside, min(at + size, end)
        at += size

"""Read the boxes of an ISO base media file strictly, and overwrite them in place (ISO/IEC 14496-12, 4.2)."""

from __future__ import annotations

from typing import NamedTuple

from imaging.codecs.metadata.reader import Malformed, Reader, Walk


class Box(NamedTuple):
    """A box: where it starts, where its content starts, and where it ends."""

    kind: bytes
    start: int
    inside: int
    end: int


def read_boxes(content: bytes, start: int, end: int, walk: Walk) -> list[Box]:
    """Return the boxes between two offsets. Raises Malformed."""
    reader, found = Reader(content, start, end), []
    while reader:
        walk.step()
        at = reader.at
        size, kind = reader.big(4), reader.take(4)
        if size == 1:
            size = reader.big(8)
        elif size == 0:
            size = end - at
        found.append(Box(kind, at, reader.at, at + size))
        reader.skip(at + size - reader.at)
    if not found:
        raise Malformed("a box that has to hold others is empty")
    return found


def blank(stripped: bytearray, box: Box, *, keep: bool) -> None:
    """Overwrite the content of a box with zeros, and turn a box that is not kept into free space."""
    if not keep:
        stripped[box.start + 4 : box.start + 8] = b"free"
    if not keep or box.kind in (b"mdat", b"idat"):
        stripped[box.inside : box.end] = bytes(box.end - box.inside)

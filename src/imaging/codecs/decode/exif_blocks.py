"""Limit what libexif reads of EXIF blocks, whose directories may point at each other.

libexif reads a directory again for each pointer to it: 68 kB of pointers keep it busy for half a minute.
"""

from __future__ import annotations

import struct

from imaging.errors import TooLarge

_MAX_ENTRIES = 20_000
"""Tags that are read in all; a camera writes a hundred."""
_MAX_DEPTH = 30
_MAX_BLOCKS = 200
"""TIFF headers in one file; notes of makers and thumbnails have some."""
_POINTERS = frozenset({0x8769, 0x8825, 0xA005})
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


class ExifCheck:
    """The number of blocks and tags in one file."""

    def __init__(self, original: bytes) -> None:
        self.original = original
        self.blocks = self.entries = 0

    def check(self, start: int, end: int) -> None:
        """Raise TooLarge if the blocks between these offsets, and those before, make libexif read too many tags."""
        for header, order in _ORDERS.items():
            at = self.original.find(header, start, end)
            while at >= 0:
                self.blocks += 1
                self._follow(memoryview(self.original)[at:end], order)
                at = self.original.find(header, at + 4, end)

    def _follow(self, block: memoryview, order: str) -> None:
        entry = struct.Struct(order + "H6xI")
        waiting = [(_number(block, 4, 4, order), 0)]
        while waiting:
            at, depth = waiting.pop()
            count = _number(block, at, 2, order)
            directory = block[at + 2 : at + 2 + 12 * count]
            self.entries += len(directory) // 12
            if self.entries > _MAX_ENTRIES or self.blocks > _MAX_BLOCKS:
                raise TooLarge(
                    f"EXIF must have at most {_MAX_ENTRIES} tags in {_MAX_BLOCKS} blocks, got more or a circle"
                )
            if not depth:
                waiting.append((_number(block, at + 2 + len(directory), 4, order), 1))
            if depth < _MAX_DEPTH:
                tags = entry.iter_unpack(directory[: len(directory) // 12 * 12])
                waiting += [(below, depth + 1) for tag, below in tags if tag in _POINTERS]


def _number(block: memoryview, at: int, size: int, order: str) -> int:
    """Return a number of the block; 0 if it is outside."""
    return int.from_bytes(block[at : at + size], "little" if order == "<" else "big")

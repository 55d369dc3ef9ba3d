"""Read bytes from front to back; a file that ends too early is malformed."""

from __future__ import annotations

import re

from imaging.context import Deadline

_MAX_PARTS, _USUAL_PART = 30_000, 64
"""So many parts may be of any size; a longer file may have more of the usual size, in bytes."""
_STEPS_BETWEEN_LOOKS = 1024


_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def is_text(value: bytes) -> bool:
    """Return whether a value can be a text: it has no control characters but tabs and line ends."""
    return _CONTROL.search(value) is None


class Malformed(ValueError):
    """A container that contradicts itself."""


class Walk:
    """A walk through the parts of one file, which limits their number and ends with the deadline."""

    def __init__(self, size: int, deadline: Deadline) -> None:
        self.deadline = deadline
        self.left = _MAX_PARTS + size // _USUAL_PART

    def step(self) -> None:
        """Count a part. Raises Malformed if there are too many, TimeExceeded after the deadline."""
        self.left -= 1
        if self.left < 0:
            raise Malformed("too many parts for a file of this size")
        if self.left % _STEPS_BETWEEN_LOOKS == 0:
            self.deadline.check()


class Reader:
    """A cursor over bytes that refuses to read past their end."""

    def __init__(self, content: bytes | memoryview, at: int = 0, end: int | None = None) -> None:
        self.content = content
        self.at = at
        self.end = len(content) if end is None else end
        if not 0 <= self.at <= self.end <= len(content):
            raise Malformed("a part reaches past the end of the file")

    def __bool__(self) -> bool:
        return self.at < self.end

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        start = self.at
        self.skip(count)
        return bytes(self.content[start : self.at])

    def take_view(self, count: int) -> memoryview:
        """Return the next `count` bytes without copying them."""
        start = self.at
        self.skip(count)
        return self.view(start)

    def view(self, start: int) -> memoryview:
        """Return the bytes from `start` to the current position without copying them."""
        return memoryview(self.content)[start : self.at]

    def skip(self, count: int) -> None:
        """Skip `count` bytes. Raises Malformed if there are fewer."""
        if count < 0 or count > self.end - self.at:
            raise Malformed(f"{count} bytes announced at {self.at}, {self.end - self.at} left")
        self.at += count

    def big(self, size: int) -> int:
        """Return the next big-endian number of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def little(self, size: int) -> int:
        """Return the next little-endian number of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def expect(self, literal: bytes) -> None:
        """Skip these bytes. Raises Malformed if others follow."""
        if self.take(len(literal)) != literal:
            raise Malformed(f"{literal!r} expected at {self.at - len(literal)}")

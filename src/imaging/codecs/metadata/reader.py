"""Bytes read from front to back, where running out of them is the file's fault."""

from __future__ import annotations

import re

from imaging.context import Deadline

_MAX_PARTS, _USUAL_PART = 30_000, 64
"""So many parts may be of any size; a longer file may have more of the usual size, in bytes."""
_STEPS_BETWEEN_LOOKS = 1024


_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def is_text(value: bytes) -> bool:
    """Whether a value can be a text: has no control characters but tabs and the ends of lines."""
    return _CONTROL.search(value) is None


class Malformed(ValueError):
    """A container that does not add up."""


class Walk:
    """The walk through the parts of one file: bounds their number, and ends with the deadline."""

    def __init__(self, size: int, deadline: Deadline) -> None:
        self.deadline = deadline
        self.left = _MAX_PARTS + size // _USUAL_PART

    def step(self) -> None:
        """Count a part; Malformed if there are too many, TimeExceeded after the deadline."""
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
        """The next `count` bytes."""
        start = self.at
        self.skip(count)
        return bytes(self.content[start : self.at])

    def take_view(self, count: int) -> memoryview:
        """The next `count` bytes, not copied."""
        start = self.at
        self.skip(count)
        return self.view(start)

    def view(self, start: int) -> memoryview:
        """What lies between `start` and here, not copied."""
        return memoryview(self.content)[start : self.at]

    def skip(self, count: int) -> None:
        """Pass over `count` bytes."""
        if count < 0 or count > self.end - self.at:
            raise Malformed(f"{count} bytes announced at {self.at}, {self.end - self.at} left")
        self.at += count

    def big(self, size: int) -> int:
        """The next big-endian number of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def little(self, size: int) -> int:
        """The next little-endian number of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def expect(self, literal: bytes) -> None:
        """Pass over bytes that have to stand here."""
        if self.take(len(literal)) != literal:
            raise Malformed(f"{literal!r} expected at {self.at - len(literal)}")

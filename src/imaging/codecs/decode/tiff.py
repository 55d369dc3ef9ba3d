"""Read TIFF directories: how many rows are stored in one piece, and whether all pieces are there.

libtiff reports neither: it reads a missing strip as black.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from imaging.codecs.decode.parts import MAX_FRAMES
from imaging.context import Limits
from imaging.errors import TooLarge

_ROWS_PER_STRIP, _TILE_LENGTH = 278, 323
_STARTS, _SIZES = (273, 324), (279, 325)
_KNOWN_TAGS = frozenset({_ROWS_PER_STRIP, _TILE_LENGTH, *_STARTS, *_SIZES})
_TYPES = {3: "H", 4: "I", 16: "Q"}
# A file made to keep this reader busy is left to libtiff.
_MAX_PAGES, _MAX_PAGE_ENTRIES, _MAX_NUMBERS = 1000, 500, 1 << 17
_MAX_ENTRIES = 300_000
_ALL_ROWS = 1 << 32
_ASCII, _MAX_TEXT = 2, 100
_NO_DATA = 42113
_MEASURED = frozenset({33550, 33922, 34264, 34735, 42112, _NO_DATA})
"""GeoTIFF's scale, tie points, transformation and keys, and GDAL's metadata and value of missing data."""
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of a number, by TIFF's types."""
_SLACK = 1 << 16
"""Bytes that honest directories may share."""
_UNREADABLE = (struct.error, OverflowError)
"""An offset outside the file; one that no address has."""

Directory = dict[int, tuple[int, ...]]


def check_parts(original: bytes, limits: Limits) -> bool:
    """Check the directories; return whether the file is complete, or True where that does not matter."""
    check_directories(original, MAX_FRAMES)
    return limits.tolerate_truncated or is_complete(original)


def strip_rows(original: bytes) -> int:
    """Return the rows that the first page stores in one piece; more than it can have if that is not stated."""
    try:
        first = next(_directories(original), {})
    except _UNREADABLE:
        return _ALL_ROWS
    (rows, *_) = first.get(_TILE_LENGTH) or first.get(_ROWS_PER_STRIP) or (_ALL_ROWS,)
    return rows


def is_measured(original: bytes) -> bool:
    """Return whether the first page of a TIFF has a place on Earth or data of GDAL, so that it holds measurements."""
    return not _MEASURED.isdisjoint(_tags(original))


def no_data_value(original: bytes) -> float | None:
    """Return the value that stands for missing data in the first page of a TIFF, or None if it states none."""
    text = _tags(original).get(_NO_DATA, b"")
    try:
        return float(text.rstrip(b"\0 "))
    except ValueError:
        return None


def _tags(original: bytes) -> dict[int, bytes]:
    """Return the tags of the first page; of one that holds a short text, the text, of the others no bytes."""
    found: dict[int, bytes] = {}
    if original[:2] not in (b"II", b"MM"):
        return found
    layout = _layout(original)
    size = 20 if layout.big else 12
    try:
        first, count = next(_places(original, layout), (0, 0))
        for at in range(first, first + size * min(count, _MAX_PAGE_ENTRIES), size):
            tag, kind, number = layout.numbers(original, at, "HHQ" if layout.big else "HHI")
            found[tag] = b""
            if kind == _ASCII and number <= _MAX_TEXT:
                room = 8 if layout.big else 4
                start = at + size - room
                if number > room:
                    (start,) = layout.numbers(original, start, "Q" if layout.big else "I")
                found[tag] = original[start : start + number]
    except _UNREADABLE:
        return found
    return found


def is_complete(original: bytes) -> bool:
    """Return whether every directory and every strip or tile of every page is within the file."""
    read = 0
    try:
        for directory in _directories(original):
            if _last_byte(directory) > len(original):
                return False
            read += sum(map(len, directory.values()))
            if read > 8 * _MAX_NUMBERS:
                break
    except _UNREADABLE:
        return False
    return True


def check_directories(original: bytes, max_pages: int) -> None:
    """Raise TooLarge for more pages, or for a directory whose values have more bytes than the file.

    libtiff keeps a copy of each value, and any number of values may point at the same bytes.
    """
    layout = _layout(original)
    entry, size = (layout.order + "HHQ8x", 20) if layout.big else (layout.order + "HHI4x", 12)
    view, seen, entries = memoryview(original), set[int](), 0
    try:
        for first, count in _places(original, layout):
            if first in seen:
                return  # a circle, which libtiff sees as well
            seen.add(first)
            entries += count
            if len(seen) > max_pages or entries > _MAX_ENTRIES:
                got = f"a TIFF must have at most {max_pages} pages and {_MAX_ENTRIES} tags in all, got more of either"
                raise TooLarge(got)
            there = view[first : first + size * count]
            # Of a tag that is repeated libtiff reads one.
            tags = {tag: rest for tag, *rest in struct.iter_unpack(entry, there[: len(there) // size * size])}
            if sum(_WIDTHS.get(kind, 0) * number for kind, number in tags.values()) > len(original) + _SLACK:
                raise TooLarge("the values of a TIFF's directory must be at most as large as the file, got larger ones")
    except _UNREADABLE:
        return


def _last_byte(directory: Directory) -> int:
    starts, sizes = ([*directory.get(tags[0], ()), *directory.get(tags[1], ())] for tags in (_STARTS, _SIZES))
    return max((start + size for start, size in zip(starts, sizes, strict=False)), default=0)


class _Layout(NamedTuple):
    """The byte order of a file, and whether its offsets have 64 bits."""

    order: str
    big: bool

    def numbers(self, original: bytes, at: int, code: str) -> tuple[int, ...]:
        return struct.unpack_from(self.order + code, original, at)


def _layout(original: bytes) -> _Layout:
    return _Layout("<" if original[:2] == b"II" else ">", original[2:4] in (b"+\0", b"\0+"))


def _places(original: bytes, layout: _Layout) -> Iterator[tuple[int, int]]:
    """Yield the offset of each directory's first entry, and its number of entries."""
    offset = "Q" if layout.big else "I"
    (at,) = layout.numbers(original, 8 if layout.big else 4, offset)
    while at:
        (count,) = layout.numbers(original, at, "Q" if layout.big else "H")
        first, size = (at + 8, 20) if layout.big else (at + 2, 12)
        yield first, min(count, len(original))
        (at,) = layout.numbers(original, first + size * min(count, len(original)), offset)


def _directories(original: bytes) -> Iterator[Directory]:
    layout = _layout(original)
    for first, count in islice(_places(original, layout), _MAX_PAGES):
        yield dict(_entries(original, layout, first, min(count, _MAX_PAGE_ENTRIES)))


def _entries(original: bytes, layout: _Layout, first: int, count: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    size, room = (20, 8) if layout.big else (12, 4)
    places = range(first, first + size * count, size)
    known = {tag: at for at in places for tag in layout.numbers(original, at, "H") if tag in _KNOWN_TAGS}
    for tag, at in known.items():
        kind, number = layout.numbers(original, at + 2, "HQ" if layout.big else "HI")
        if kind not in _TYPES or number > _MAX_NUMBERS:
            continue
        values_at = at + size - room
        if struct.calcsize("=" + _TYPES[kind]) * number > room:
            (values_at,) = layout.numbers(original, values_at, "Q" if layout.big else "I")
        yield tag, layout.numbers(original, values_at, f"{number}{_TYPES[kind]}")

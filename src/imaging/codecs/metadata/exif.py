"""EXIF (CIPA DC-008): a TIFF directory of tags, with a directory of details and one of positions below it.

A block is parsed and written again from the tags that are kept, so nothing unknown stays.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from imaging.codecs.metadata.fields import EXIF_GPS_TAGS, EXIF_TAGS
from imaging.codecs.metadata.reader import is_text

ORIENTATION, ARTIST, COPYRIGHT = 0x0112, 0x013B, 0x8298
_DETAILS, _GPS = 0x8769, 0x8825
_ASCII, _SHORT, _LONG = 2, 3, 4
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_WIDTHS = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8}
"""Bytes of what has an order of bytes; a fraction is two numbers."""
_MAX_TAGS = 500
_LONGEST_VALUE = 65_000


class Tag(NamedTuple):
    """A value as it is stored in the block."""

    kind: int
    number: int
    value: bytes

    def reversed(self) -> Tag:
        """Return the same value in the other byte order."""
        width = _WIDTHS.get(self.kind, 1)
        numbers = (self.value[at : at + width] for at in range(0, len(self.value), width))
        return self._replace(value=b"".join(number[::-1] for number in numbers))


class Exif(msgspec.Struct, frozen=True):
    """The content of a block: tags of the image, details of how it was taken, and where."""

    order: str = "<"
    picture: dict[int, Tag] = {}
    details: dict[int, Tag] = {}
    gps: dict[int, Tag] = {}

    def text(self, tag: int) -> str:
        """Return the text of a tag of the image; empty if there is no such tag."""
        found = self.picture.get(tag)
        return found.value.rstrip(b"\0 ").decode("utf-8", "replace") if found and found.kind == _ASCII else ""

    def only_credit(self) -> Exif:
        """Return artist and copyright, if they are texts."""
        credit = ((tag, self.picture[tag]) for tag in (ARTIST, COPYRIGHT) if tag in self.picture)
        # The photographer's copyright and the editor's are two texts with a zero between them.
        texts = {tag: text for tag, text in credit if text.kind == _ASCII and is_text(text.value.replace(b"\0", b""))}
        return Exif(self.order, texts)

    def with_text(self, tag: int, text: str) -> Exif:
        """Return the same with one more text, unless the tag has one already."""
        value = text.encode() + b"\0"
        return (
            self
            if not text or tag in self.picture
            else replace(self, picture={**self.picture, tag: Tag(_ASCII, len(value), value)})
        )

    def reversed(self) -> Exif:
        """Return the same in the other byte order."""
        parts = (
            {tag: value.reversed() for tag, value in tags.items()} for tags in (self.picture, self.details, self.gps)
        )
        return Exif("<" if self.order == ">" else ">", *parts)

    def __bool__(self) -> bool:
        return bool(self.picture or self.details or self.gps)


def orientation_only(orientation: int) -> bytes:
    """Return the smallest EXIF block with an orientation (1 to 8): a TIFF header and one tag."""
    return write(Exif(picture={ORIENTATION: Tag(_SHORT, 1, struct.pack("<H", orientation))}))


def read(block: bytes, *, position: bool = True) -> Exif:
    """Return the tags of a block that may be sent; damaged ones are left out. The block may begin with JPEG's mark."""
    block = block.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None or len(block) < 8:
        return Exif()
    start = _long(block, order, 4)
    pointers = dict(_directory(block, order, start, frozenset({_DETAILS, _GPS})))
    details_at, gps_at = (_pointer(pointers, tag, order) for tag in (_DETAILS, _GPS))
    return Exif(
        order,
        dict(_directory(block, order, start, EXIF_TAGS)),
        dict(_directory(block, order, details_at, EXIF_TAGS)),
        dict(_directory(block, order, gps_at, EXIF_GPS_TAGS)) if position else {},
    )


def write(exif: Exif) -> bytes:
    """Return the block as it follows JPEG's `Exif` mark and as PNG and WebP store it."""
    head = b"II*\0" if exif.order == "<" else b"MM\0*"
    return head + struct.pack(exif.order + "I", 8) + _directories(exif, 8)


def into_tiff(body: bytes, exif: Exif) -> bytes:
    """Return a TIFF (not BigTIFF) of one page with these tags added to its own, in a new directory at its end."""
    order = "<" if body.startswith(b"II") else ">"
    own = dict(_directory(body, order, _long(body, order, 4)))
    added = exif if exif.order == order else exif.reversed()
    body += b"\0" * (len(body) % 2)
    whole = replace(added, picture={**added.picture, **own})
    return body[:4] + struct.pack(order + "I", len(body)) + body[8:] + _directories(whole, len(body))


def _directories(exif: Exif, at: int) -> bytes:
    """Return the directory of the image, which begins at `at`, and those below it."""
    below = {tag: tags for tag, tags in ((_DETAILS, exif.details), (_GPS, exif.gps)) if tags}
    pointers = {tag: Tag(_LONG, 1, bytes(4)) for tag in below}
    end = at + len(_written({**exif.picture, **pointers}, exif.order, at))
    parts = []
    for tag, tags in below.items():
        pointers[tag] = Tag(_LONG, 1, struct.pack(exif.order + "I", end))
        parts.append(_written(tags, exif.order, end))
        end += len(parts[-1])
    return b"".join([_written({**exif.picture, **pointers}, exif.order, at), *parts])


def _long(block: bytes, order: str, at: int) -> int:
    return int.from_bytes(block[at : at + 4], "little" if order == "<" else "big")


def _pointer(tags: dict[int, Tag], tag: int, order: str) -> int:
    found = tags.get(tag)
    return _long(found.value, order, 0) if found and found.kind == _LONG else 0


def _directory(block: bytes, order: str, at: int, chosen: frozenset[int] | None = None) -> Iterator[tuple[int, Tag]]:
    """Return the tags of a directory; if some are chosen, those whose values are no longer than a JPEG could hold."""
    if not 8 <= at <= len(block) - 2:
        return
    (count,) = struct.unpack_from(order + "H", block, at)
    room = (len(block) - at - 2) // 12
    for index in range(min(count, room, _MAX_TAGS)):
        start = at + 2 + 12 * index
        tag, kind, number = struct.unpack_from(order + "HHI", block, start)
        if chosen is not None and tag not in chosen:
            continue
        size = _SIZES.get(kind, 0) * number
        if chosen is not None and size > _LONGEST_VALUE:
            continue
        place = start + 8 if size <= 4 else _long(block, order, start + 8)
        if 0 < size <= len(block) - place:
            yield tag, Tag(kind, number, block[place : place + size])


def _written(tags: dict[int, Tag], order: str, at: int) -> bytes:
    """Return a directory that begins at `at`, followed by the values that do not fit into it."""
    entries, values = [], b""
    end = at + 2 + 12 * len(tags) + 4
    for tag, (kind, count, value) in sorted(tags.items()):
        field_of_value = value.ljust(4, b"\0")
        if len(value) > 4:
            field_of_value = struct.pack(order + "I", end + len(values))
            values += value + b"\0" * (len(value) % 2)
        entries.append(struct.pack(order + "HHI", tag, kind, count) + field_of_value)
    return struct.pack(order + "H", len(tags)) + b"".join(entries) + bytes(4) + values

"""Report an original's EXIF tags by their names, without what could identify a person, a place or a device."""

from __future__ import annotations

from imaging.codecs.metadata import exif
from imaging.codecs.metadata.blocks import read_blocks
from imaging.codecs.metadata.origin import number_list, text_of
from imaging.picture import ImageHeader

_WITHHELD = frozenset({0x9286, 0xA420, 0xA430, 0xA431, 0xA435})
"""The user's comment, the unique number of the image, the owner's name, the serial numbers of camera and lens."""


def read_groups(original: bytes, source: ImageHeader) -> dict[str, dict[str, object]]:
    """Return the tags of the groups `image` (IFD0) and `photo` (the EXIF directory) under the names of the standard.

    Values are texts, numbers, or lists of numbers; the group of positions and tags of other kinds are left out.
    """
    from PIL.ExifTags import TAGS  # noqa: PLC0415 - it imports Pillow

    block, _, _ = read_blocks(original, source)
    found = exif.read(block, position=False)
    groups: dict[str, dict[str, object]] = {"image": {}, "photo": {}}
    for group, tags in (("image", found.picture), ("photo", found.details)):
        for number, tag in sorted(tags.items()):
            value = _value(tag, found.order)
            if number in TAGS and number not in _WITHHELD and value not in (None, ""):
                groups[group][TAGS[number]] = value
    return groups


def _value(tag: exif.Tag, order: str) -> object:
    """Return a text, a number or numbers; None for bytes of no known meaning."""
    numbers = number_list(tag, order)
    return text_of(tag) or (numbers[0] if len(numbers) == 1 else numbers or None)

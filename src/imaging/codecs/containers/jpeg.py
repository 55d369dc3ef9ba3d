"""Remove metadata from a JPEG (ITU-T T.81): segments, and entropy-coded scans between them."""

from __future__ import annotations

import re

from imaging.codecs.containers.kept import Kept
from imaging.codecs.containers.profile import extract_profile
from imaging.codecs.metadata import exif
from imaging.codecs.metadata.reader import Malformed, Reader, Walk

_SOI, _EOI, _SOS, _APP0, _APP1, _APP2, _APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC8}
"""SOF0 to SOF15, and among them DHT and DAC."""
_TABLES = frozenset({0xDB, 0xDC, 0xDD, 0xDE, 0xDF})
"""DQT, DNL, DRI, DHP, EXP."""
_ADOBE, _ICC, _XMP = b"Adobe", b"ICC_PROFILE\x00", b"http://ns.adobe.com/xap/1.0/\x00"
_ADOBE_SIZE = 12
_PROFILE_PART = 65_519
"""Bytes of a profile that fit into a segment (ICC.1, annex B.4)."""
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""A marker that is neither a stuffed 0xFF nor a restart."""


def strip(original: bytes, kept: Kept, walk: Walk) -> bytes:
    """Return tables, frames and scans of the first image, JFIF, colour profile, Adobe's marker, and what is kept."""
    reader = Reader(original)
    reader.expect(b"\xff\xd8")
    head: list[bytes] = []
    body: list[bytes | memoryview] = []
    profile: dict[tuple[int, int], bytes] = {}
    while (marker := _marker(reader)) != _EOI:
        walk.step()
        segment = _segment(reader, marker)
        if marker == _APP0:
            head.extend(_jfif(segment))
        elif marker == _APP2 and segment.startswith(_ICC, 4):
            profile[_place(segment)] = segment[18:]
        elif marker == _APP14 and segment.startswith(_ADOBE, 4):
            body.append(make_segment(_APP14, segment[4 : 4 + _ADOBE_SIZE]))
        elif marker in _FRAMES or marker in _TABLES:
            body.append(segment)
        elif marker == _SOS:
            body += [segment, _scan(reader)]
    if kept.orientation != 1:
        head.append(make_segment(_APP1, b"Exif\x00\x00" + exif.orientation_only(kept.orientation)))
    if kept.xmp:
        head.append(make_segment(_APP1, _XMP + kept.xmp))
    return b"".join([b"\xff\xd8", *head, *_profile_segments(profile), *body, b"\xff\xd9"])


def make_segment(marker: int, payload: bytes) -> bytes:
    """Return a segment as it is stored in a file."""
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def _marker(reader: Reader) -> int:
    reader.expect(b"\xff")
    marker = 0xFF
    while marker == 0xFF:  # fill bytes
        marker = reader.big(1)
    if marker < 0xC0 or marker == _SOI:
        raise Malformed(f"marker {marker:02x} between segments")
    return marker


def _segment(reader: Reader, marker: int) -> bytes:
    length = reader.big(2)
    return make_segment(marker, reader.take(length - 2))


def _place(segment: bytes) -> tuple[int, int]:
    """Return the number of parts of the profile, and which of them this segment holds, counted from 1."""
    if len(segment) < 18:
        raise Malformed("a part of a profile without its number")
    return segment[17], segment[16]


def _profile_segments(parts: dict[tuple[int, int], bytes]) -> list[bytes]:
    """Return the segments of the profile; none if parts are missing or do not make up a profile."""
    if sorted(parts) != [(len(parts), number) for number in range(1, len(parts) + 1)]:
        return []
    profile = extract_profile(b"".join(parts[place] for place in sorted(parts)))
    count = -(-len(profile) // _PROFILE_PART)
    return [
        make_segment(_APP2, _ICC + bytes((number + 1, count)) + profile[number * _PROFILE_PART :][:_PROFILE_PART])
        for number in range(count)
    ]


def _jfif(segment: bytes) -> list[bytes]:
    """Return the JFIF header without its thumbnail, which may show what a later crop removed."""
    if not segment.startswith(b"JFIF\x00", 4) or len(segment) < 18:
        return []
    return [make_segment(_APP0, segment[4:16] + b"\x00\x00")]


def _scan(reader: Reader) -> memoryview:
    start, found = reader.at, _END_OF_SCAN.search(reader.content, reader.at)
    if found is None:
        raise Malformed("no end of image")
    reader.skip(found.start() - start)
    return reader.view(start)

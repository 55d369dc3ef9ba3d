"""Find the gain map in a JPEG, and write one behind a JPEG; nothing else of the second image is kept.

The second image is found by CIPA's multi-picture format (DC-007), which lists the images of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from imaging.codecs.containers.jpeg import make_segment, strip
from imaging.codecs.containers.kept import Kept
from imaging.codecs.containers.profile import extract_profile
from imaging.codecs.metadata.reader import Malformed, Reader, Walk
from imaging.codecs.ultra_hdr.parameters import read_binary, read_xmp, write_binary, write_xmp
from imaging.context import NO_DEADLINE
from imaging.gain_map import GainMapParameters, StoredGainMap

_SOI = b"\xff\xd8"
_APP0, _APP1, _APP2, _SOS = 0xE0, 0xE1, 0xE2, 0xDA
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_ISO = b"urn:iso:std:iso:ts:21496:-1\0"
_MPF, _ICC = b"MPF\0", b"ICC_PROFILE\0"
_ADOBE = b"http://ns.adobe.com/hdr-gain-map/1.0/"
_ENTRIES, _ENTRY_BYTES, _MAX_IMAGES = 0xB002, 16, 16
_MAX_SEGMENTS = 1000
_SEGMENT_HEADER = 4
"""Bytes of a segment before its content."""
_NO_VERSIONS = bytes(4)
"""What the base image has in place of parameters: the smallest version of a reader, and that of the writer."""
_END_OF_RDF = b"</rdf:RDF>"
_DIRECTORY = (
    b'<rdf:Description rdf:about="" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" '
    b'xmlns:Container="http://ns.google.com/photos/1.0/container/" '
    b'xmlns:Item="http://ns.google.com/photos/1.0/container/item/" hdrgm:Version="1.0">'
    b'<Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary" '
    b'Item:Mime="image/jpeg"/></rdf:li><rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" '
    b'Item:Mime="image/jpeg" Item:Length="%d"/></rdf:li></rdf:Seq></Container:Directory></rdf:Description>'
)
_PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b"</rdf:RDF></x:xmpmeta>"
)
Segment = tuple[int, int, int]
"""A segment's marker, and the start and the end of its content."""


def read_gain_map(original: bytes) -> StoredGainMap | None:
    """Return the gain map of a JPEG, with no metadata but its parameters; None without a usable one."""
    try:
        for start, end in _further_images(original):
            image = original[start:end]
            found = _parameters(image)
            if found is not None:
                profile = b"" if found.uses_base_colors else _profile(image)
                stripped = strip(image, Kept(), Walk(len(image), NO_DEADLINE))
                return StoredGainMap(_without_profile(stripped), found, profile)
    except (Malformed, struct.error):
        return None
    return None


def add_gain_map(body: bytes, gain_map: StoredGainMap) -> bytes:
    """Return a JPEG with the gain map behind it. The map's own metadata must have been removed."""
    profile = [make_segment(_APP2, _ICC + b"\1\1" + gain_map.profile)] if gain_map.profile else []
    second = b"".join(
        (
            _SOI,
            make_segment(_APP1, _XMP + write_xmp(gain_map.parameters)),
            make_segment(_APP2, _ISO + write_binary(gain_map.parameters)),
            *profile,
            gain_map.body[len(_SOI) :],
        )
    )
    directory, packet, place = _DIRECTORY % len(second), _PACKET, len(_SOI)
    parts: list[bytes] = []
    for marker, start, end in _segments(body):
        if marker not in (_APP0, _APP1):
            break
        if body.startswith(_XMP, start):
            packet = body[start + len(_XMP) : end]
        else:
            parts.append(body[place:end])
        place = end
    packet = packet.replace(_END_OF_RDF, directory + _END_OF_RDF, 1)
    parts += [make_segment(_APP1, _XMP + packet), make_segment(_APP2, _ISO + _NO_VERSIONS)]
    head = _SOI + b"".join(parts)
    list_size = len(_list_of_images(0, 0, 0))
    size = len(head) + list_size + len(body) - place
    # The places of further images are counted from behind the mark of the list.
    images = _list_of_images(size, len(second), size - (len(head) + 4 + len(_MPF)))
    return b"".join((head, images, body[place:], second))


def _list_of_images(size: int, second: int, place: int) -> bytes:
    """Return the segment that lists two images: the base image of `size` bytes, and a second one."""
    directory = struct.pack(
        ">2sHIHHHI4sHHIIHHIII", b"MM", 42, 8, 3, 0xB000, 7, 4, b"0100", 0xB001, 4, 1, 2, _ENTRIES, 7, 32, 50, 0
    )
    entries = struct.pack(">IIIHHIIIHH", 0x030000, size, 0, 0, 0, 0, second, place, 0, 0)
    return make_segment(_APP2, _MPF + directory + entries)


def _segments(jpeg: bytes) -> Iterator[Segment]:
    """Yield the segments before the first scan. Raises Malformed."""
    reader = Reader(jpeg)
    reader.expect(_SOI)
    for _ in range(_MAX_SEGMENTS):
        reader.expect(b"\xff")
        marker = reader.big(1)
        length = reader.big(2)
        start = reader.at
        reader.skip(length - 2)
        yield marker, start, reader.at
        if marker == _SOS:
            return
    raise Malformed("too many segments")


def _further_images(original: bytes) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each further image that the file lists."""
    for marker, start, end in _segments(original):
        if marker == _APP2 and original.startswith(_MPF, start):
            base = start + len(_MPF)
            for size, place in _entries(original[base:end]):
                if place and base + place + size <= len(original):
                    yield base + place, base + place + size
            return


def _entries(block: bytes) -> list[tuple[int, int]]:
    """Return size and place of each image, from the list's TIFF block."""
    order = "<" if block[:2] == b"II" else ">"
    (directory,) = struct.unpack_from(order + "I", block, 4)
    (count,) = struct.unpack_from(order + "H", block, directory)
    for number in range(min(count, 32)):
        tag, _, size, at = struct.unpack_from(order + "HHII", block, directory + 2 + 12 * number)
        if tag == _ENTRIES:
            images = min(size // _ENTRY_BYTES, _MAX_IMAGES)
            return [struct.unpack_from(order + "4xII", block, at + _ENTRY_BYTES * index) for index in range(images)]
    return []


def _parameters(image: bytes) -> GainMapParameters | None:
    """Return the parameters of a gain map; None if the image is not one. ISO's block counts before XMP."""
    packet = b""
    for marker, start, end in _segments(image):
        if marker == _APP2 and image.startswith(_ISO, start) and end - start > len(_ISO) + len(_NO_VERSIONS):
            return read_binary(image[start + len(_ISO) : end])
        if marker == _APP1 and image.startswith(_XMP, start) and _ADOBE in image[start:end]:
            packet = image[start:end]
    return read_xmp(packet) if packet else None


def _without_profile(image: bytes) -> bytes:
    """Return the image without its ICC profile, which `add_gain_map` adds again where it means anything."""
    kept, place = [], 0
    for marker, start, end in _segments(image):
        if marker == _APP2 and image.startswith(_ICC, start):
            kept.append(image[place : start - _SEGMENT_HEADER])
            place = end
    return b"".join((*kept, image[place:]))


def _profile(image: bytes) -> bytes:
    """Return the ICC profile of an image, if it is in a single segment."""
    for marker, start, end in _segments(image):
        if marker == _APP2 and image.startswith(_ICC + b"\1\1", start):
            return extract_profile(image[start + len(_ICC) + 2 : end])
    return b""

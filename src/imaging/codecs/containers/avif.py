"""AVIF (ISO/IEC 23008-12): boxes, and items whose bytes may be anywhere in the file.

Bytes are overwritten in place and never moved, because every item is found by its offset.
"""

from __future__ import annotations

import msgspec

from imaging.codecs.containers.boxes import Box, blank, read_boxes
from imaging.codecs.containers.kept import Kept
from imaging.codecs.metadata.reader import Malformed, Reader, Walk

_FILE = frozenset({b"ftyp", b"meta", b"moov", b"mdat"})
_META = frozenset({b"hdlr", b"pitm", b"iinf", b"iloc", b"iprp", b"iref", b"idat", b"grpl", b"dinf"})
_PIXELS = frozenset({b"av01", b"grid", b"iden", b"iovl", b"tmap"})
_PROPERTIES = frozenset(
    b"ispe pixi av1C colr pasp clap irot imir auxC clli mdcv cclv amve a1op a1lx lsel ndwt reve rrtp".split()
)
_EMPTY_EXIF = b"\x00\x00\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00"
_EMPTY_XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'


class _Item(msgspec.Struct):
    kind: bytes = b""
    in_idat: bool = False
    extents: list[tuple[int, int]] = []


def strip(original: bytes, kept: Kept, walk: Walk) -> bytes:
    """Return the file with only ftyp, meta, the movie of an animation, and the pixels.

    The orientation is one of the properties in meta.
    """
    boxes = read_boxes(original, 0, len(original), walk)
    metas = [box for box in boxes if box.kind == b"meta"]
    if boxes[0].kind != b"ftyp" or len(metas) != 1:
        raise Malformed("not an AVIF")
    stripped = bytearray(original)
    for box in boxes:
        blank(stripped, box, keep=box.kind in _FILE)
    _tidy_meta(stripped, original, metas[0], kept, walk)
    for movie in (box for box in boxes if box.kind == b"moov"):
        from imaging.codecs.containers.avif_sequence import tidy_movie  # noqa: PLC0415 - few files are animated

        samples = tidy_movie(stripped, movie, walk)
        if kept.xmp:
            _keep_packets_of_tracks(stripped, original, movie, kept, walk)
        for offset, length in samples:
            stripped[offset : offset + length] = Reader(original, offset, offset + length).take(length)
    return bytes(stripped)


def _keep_packets_of_tracks(stripped: bytearray, original: bytes, movie: Box, kept: Kept, walk: Walk) -> None:
    """Bring back what names the XMP packet of each track, which is that of the file: libavif reads it there."""
    tracks = (box for box in read_boxes(original, movie.inside, movie.end, walk) if box.kind == b"trak")
    for track in tracks:
        for meta in read_boxes(original, track.inside, track.end, walk):
            if meta.kind == b"meta":
                stripped[meta.start : meta.end] = original[meta.start : meta.end]
                _tidy_meta(stripped, original, meta, kept, walk)


def _kinds(content: bytes, iinf: Box, walk: Walk) -> dict[int, _Item]:
    reader = Reader(content, iinf.inside, iinf.end)
    version = reader.big(4) >> 24
    reader.skip(2 if version == 0 else 4)
    items = {}
    for box in read_boxes(content, reader.at, iinf.end, walk):
        entry = Reader(content, box.inside, box.end)
        version = entry.big(4) >> 24
        if box.kind != b"infe" or version not in (2, 3):
            raise Malformed("an item entry of another version")
        number = entry.big(2 if version == 2 else 4)
        entry.skip(2)
        items[number] = _Item(entry.take(4))
    return items


def _located(content: bytes, iloc: Box, items: dict[int, _Item], walk: Walk) -> list[_Item]:
    reader = Reader(content, iloc.inside, iloc.end)
    version = reader.big(4) >> 24
    sizes = reader.big(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    for _ in range(reader.big(4 if version > 1 else 2)):
        walk.step()
        item = items.setdefault(reader.big(4 if version > 1 else 2), _Item())
        method = reader.big(2) & 15 if version else 0
        if method > 1 or reader.big(2) != 0:
            raise Malformed("an item that is stored in another item or file")
        item.in_idat = method == 1
        base = reader.big(base_size)
        for _ in range(reader.big(2)):
            walk.step()
            reader.skip(index_size)
            item.extents.append((base + reader.big(offset_size), reader.big(length_size)))
    if sum(length for item in items.values() for _, length in item.extents) > len(content):
        raise Malformed("items that share their bytes")
    return list(items.values())


def _tidy_meta(stripped: bytearray, original: bytes, meta: Box, kept: Kept, walk: Walk) -> None:
    """Remove the boxes of a `meta` that are not known, and replace what its items hold beside pixels."""
    children = {box.kind: box for box in read_boxes(original, meta.inside + 4, meta.end, walk)}
    if not {b"iinf", b"iloc"} <= children.keys():
        raise Malformed("no items")
    items = _located(original, children[b"iloc"], _kinds(original, children[b"iinf"], walk), walk)
    content = bytes(stripped)
    for box in read_boxes(content, meta.inside + 4, meta.end, walk):
        blank(stripped, box, keep=box.kind in _META)
        if box.kind == b"iprp":
            containers = (each for each in read_boxes(content, box.inside, box.end, walk) if each.kind == b"ipco")
            for container in containers:
                for entry in read_boxes(content, container.inside, container.end, walk):
                    blank(stripped, entry, keep=entry.kind in _PROPERTIES)
    start_of_idat = children[b"idat"].inside if b"idat" in children else 0
    _place(stripped, original, items, start_of_idat, kept.xmp or _EMPTY_XMP)


def _place(stripped: bytearray, original: bytes, items: list[_Item], start_of_idat: int, xmp: bytes) -> None:
    """Write the bytes of the items: pixels as they were, EXIF empty but well-formed, and this XMP."""
    for item in sorted(items, key=lambda each: each.kind in _PIXELS):
        for offset, length in item.extents:
            start = offset + (start_of_idat if item.in_idat else 0)
            extent = Reader(original, start, start + length).take(length)
            if item.kind not in _PIXELS:
                extent = _replacement(item.kind, length, xmp)
            stripped[start : start + length] = extent


def _replacement(kind: bytes, length: int, xmp: bytes) -> bytes:
    """Return as many bytes as the item has. Raise Malformed if a label that must stay does not fit."""
    if kind == b"mime" and xmp != _EMPTY_XMP and length < len(xmp):
        raise Malformed("the label needs more bytes than the packet that it came in")
    content, filler = (_EMPTY_EXIF, b"\x00") if kind == b"Exif" else (xmp, b" ")
    return content.ljust(length, filler) if length >= len(content) else bytes(length)

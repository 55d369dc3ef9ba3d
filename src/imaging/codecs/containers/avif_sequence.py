"""Remove metadata from the movie of an animated AVIF, and find its samples (ISO/IEC 14496-12, 8)."""

from __future__ import annotations

from itertools import accumulate

from imaging.codecs.containers.boxes import Box, blank, read_boxes
from imaging.codecs.metadata.reader import Malformed, Reader, Walk

_PARENTS = frozenset({b"moov", b"trak", b"edts", b"mdia", b"minf", b"dinf", b"stbl", b"tref"})
_KEPT = _PARENTS | frozenset(
    b"mvhd tkhd elst mdhd hdlr vmhd dref stsd stts stsc stsz stco co64 stss sbgp sgpd auxl prem".split()
)
Extent = tuple[int, int]
"""Offset and length."""


def tidy_movie(stripped: bytearray, movie: Box, walk: Walk) -> list[Extent]:
    """Turn the boxes that are not known into free space, and return where the samples of all tracks are stored."""
    extents: list[Extent] = []
    content = bytes(stripped)
    waiting = [movie]
    while waiting:
        parent = waiting.pop()
        tables: dict[bytes, Box] = {}
        for box in read_boxes(content, parent.inside, parent.end, walk):
            blank(stripped, box, keep=box.kind in _KEPT)
            if box.kind in _PARENTS:
                waiting.append(box)
            tables[box.kind] = box
        if parent.kind == b"stbl":
            extents += _samples(content, tables, walk)
    return extents


def _samples(content: bytes, tables: dict[bytes, Box], walk: Walk) -> list[Extent]:
    """Return where each chunk of a track is stored, with the bytes of its samples."""
    places = tables.get(b"stco") or tables.get(b"co64")
    if not places or not {b"stsz", b"stsc"} <= tables.keys():
        raise Malformed("a track without its samples")
    sizes = _sizes(content, tables[b"stsz"], walk)
    reader = Reader(content, places.inside + 4, places.end)
    width = 4 if places.kind == b"stco" else 8
    offsets = []
    for _ in range(reader.big(4)):
        walk.step()
        offsets.append(reader.big(width))
    per_chunk = _samples_per_chunk(content, tables[b"stsc"], len(offsets), walk)
    ends = list(accumulate(per_chunk, initial=0))
    if ends[-1] < len(sizes) or sum(sizes) > len(content):
        raise Malformed("samples that are outside of the chunks")
    return [(offset, sum(sizes[start:end])) for offset, start, end in zip(offsets, ends, ends[1:], strict=False)]


def _sizes(content: bytes, table: Box, walk: Walk) -> list[int]:
    reader = Reader(content, table.inside + 4, table.end)
    size, count = reader.big(4), reader.big(4)
    sizes = []
    for _ in range(count):
        walk.step()
        sizes.append(size or reader.big(4))
    return sizes


def _samples_per_chunk(content: bytes, table: Box, chunks: int, walk: Walk) -> list[int]:
    """Return the number of samples of each chunk: an entry holds from its first chunk to that of the next one."""
    reader = Reader(content, table.inside + 4, table.end)
    entries = []
    for _ in range(reader.big(4)):
        walk.step()
        entries.append((reader.big(4), reader.big(4)))
        reader.skip(4)
    counts: list[int] = []
    for (first, samples), (following, _) in zip(entries, [*entries[1:], (chunks + 1, 0)], strict=True):
        if first != len(counts) + 1 or not first <= following <= chunks + 1:
            raise Malformed("chunks out of order")
        counts += [samples] * (following - first)
    return counts

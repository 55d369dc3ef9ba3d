"""Repair files that have all of their pixels, but lack an end mark or have a wrong checksum. Browsers show these.

A file is repaired only after it could not be decoded, so others take no more time.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import Any

import pyvips
from isal import isal_zlib

from imaging.codecs.decode.inflate import BROKEN, CHANNELS, HEADER, inflated
from imaging.codecs.decode.loaders import load
from imaging.codecs.png_chunks import SIGNATURE, chunk
from imaging.context import Context
from imaging.deadlines.vips_watchdog import watched
from imaging.errors import DamagedSource
from imaging.formats import JPEG

Image = Any
"""A pyvips image; its stubs give every figure a union of types."""

_END_OF_IMAGE = b"\xff\xd9"
_FILLING = b"\x55" * 64
"""Bits that are no code of nothing in the usual tables."""
_SECONDS_PER_BYTE = 2e-7
"""What a progressive JPEG may take for each byte, at about half the speed of one core."""
_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM")
_LARGEST_CHUNK = 4_000_000
_MAX_CHUNKS = 100_000
_COPIES = 8
"""How often the pixels may be in memory: in pieces, joined, compressed, in a chunk and a file, and decoded."""
_ZLIB_HEADER, _RAW = 2, -15
"""Bytes before the deflate stream, and `wbits` of such a stream without header and checksum."""
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""The first column and row of each pass of an interlaced PNG, and the steps between its columns and rows."""


def repair_jpeg(original: bytes, context: Context) -> bytes | None:
    """Return the file with its end mark, or None if something else is missing as well.

    Missing pixels depend on the bits that are put in the place of theirs, so two fillings give two images.
    """
    if original.endswith(_END_OF_IMAGE) or not context.deadline.leaves_room_for(len(original) * _SECONDS_PER_BYTE):
        return None
    cut = original.removesuffix(_END_OF_IMAGE[:1])
    ended = cut + _END_OF_IMAGE
    try:
        filled = load(cut + _FILLING + _END_OF_IMAGE, JPEG.name, tolerant=True)
        difference: Image = (load(ended, JPEG.name, tolerant=True) - filled).abs()
        with watched(difference, context.deadline):
            is_whole = not difference.max()
    except (pyvips.Error, DamagedSource):
        context.deadline.check()
        return None
    return ended if is_whole else None


def repair_png(original: bytes, context: Context) -> bytes | None:
    """Return the file with the right checksums and an end, or None if pixels are missing."""
    kept: list[bytes] = []
    pixels: list[memoryview] = []
    size = 0
    for number, (kind, payload) in enumerate(_chunks(original)):
        if number == _MAX_CHUNKS:
            return None
        if kind == b"IDAT":
            pixels.append(payload)
        elif kind in _KEPT and len(payload) <= _LARGEST_CHUNK and not pixels:
            kept.append(chunk(kind, payload))
        if kind == b"IHDR":
            size = _bytes_of_pixels(payload)
    if not size or size > context.limits.memory // _COPIES:
        return None
    try:
        rows = b"".join(inflated(_without_header(pixels), size, context.deadline, wbits=_RAW))
    except (EOFError, BROKEN):
        context.deadline.check()
        return None
    return b"".join([SIGNATURE, *kept, chunk(b"IDAT", isal_zlib.compress(rows, 0)), chunk(b"IEND", b"")])


def _chunks(original: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the kind and content of each chunk, whatever its checksum; the last one may be cut off."""
    at, view = len(SIGNATURE), memoryview(original)
    while at + 8 <= len(original):
        length, kind = struct.unpack_from(">I4s", original, at)
        yield kind, view[at + 8 : at + 8 + length]
        at += 12 + length


def _without_header(pixels: list[memoryview]) -> list[memoryview]:
    """Return the parts of a zlib stream without its header, which can be in two of them."""
    left, parts = _ZLIB_HEADER, []
    for part in pixels:
        parts.append(part[left:])
        left -= min(left, len(part))
    return parts


def _bytes_of_pixels(header: memoryview) -> int:
    """Return the bytes of all rows with their filters; 0 for a header that is damaged."""
    if len(header) != HEADER.size:
        return 0
    width, height, depth, colour, _, _, interlaced = HEADER.unpack(header)
    bits = depth * CHANNELS.get(colour, 0)
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    sizes = (
        (math.ceil((width - left) / across), math.ceil((height - top) / down)) for left, top, across, down in passes
    )
    return sum(rows * (1 + math.ceil(columns * bits / 8)) for columns, rows in sizes if columns > 0 and rows > 0)

"""PNG, unpacked beside libvips instead of within it: one thread unpacks while libvips' own undo the filters and resize.

libvips reads a file of the same pixels whose zlib stream is stored, not packed, through a pipe.
"""

from __future__ import annotations

import fcntl
import math
import os
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress

import pyvips
from isal import isal_zlib

from features._png import SIGNATURE, Chunks, chunk, sound_chunks

WORTH_BYTES = 200_000
"""A smaller file is read before a second thread has come far."""
_PIECE, _BITE = 1 << 18, 1 << 16
"""Bytes that come out at once, at the most, and that go in."""
_BLOCK = 65_535
"""The most that deflate stores in one block (RFC 1951, 3.2.4)."""
_HEADER = struct.Struct(">IIBBBBB")
"""Width, height, bits, colour type, compression, filter, interlace."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples of a pixel, by PNG's colour type."""
_BROKEN: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # its stubs take it for an instance
_AHEAD = 1 << 20
"""Bytes that may wait in the pipe."""


def unpacked(original: bytes) -> pyvips.Source | None:
    """Where libvips shall read the file; None where that gains nothing, or where the file is not sound: how much of a
    damaged one can be shown its decoder knows best.
    """
    chunks = sound_chunks(original) if len(original) >= WORTH_BYTES else []
    size = _size(chunks)
    if not size:
        return None
    reading, writing = os.pipe()
    try:
        source = pyvips.Source.new_from_descriptor(reading)
    finally:
        os.close(reading)  # libvips has made its own of it, which ends with the source
    _widen(writing)
    threading.Thread(target=_feed, args=(writing, _stored(chunks, size)), name="inflate", daemon=True).start()
    return source


def _widen(pipe: int) -> None:
    """Where the system lets the pipe be larger than usual, the threads wait less for each other."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _AHEAD)


def _size(chunks: Chunks) -> int:
    """Bytes of all rows with their filters; 0 where they are interlaced, or stand in no order that is known here."""
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != _HEADER.size:
        return 0
    width, height, depth, colour, *_, interlaced = _HEADER.unpack(chunks[0][1])
    return 0 if interlaced else height * (1 + math.ceil(width * depth * _CHANNELS.get(colour, 0) / 8))


def _feed(pipe: int, parts: Iterator[bytes]) -> None:
    """Write until all is written, the stream turns out to be broken, or nobody reads any more."""
    try:
        with open(pipe, "wb") as out:
            out.writelines(parts)
    except (BrokenPipeError, EOFError, _BROKEN):
        return  # libvips misses the rest, if it still wants it, and says so


def _stored(chunks: Chunks, size: int) -> Iterator[bytes]:
    """The file anew, part by part."""
    pixels = [payload for kind, payload in chunks if kind == b"IDAT"]
    yield SIGNATURE
    for kind, payload in chunks:
        if kind != b"IDAT":
            yield chunk(kind, payload)
        elif pixels:
            yield from _blocks(_inflated(pixels, size))
            pixels = []


def _inflated(pixels: Sequence[memoryview], size: int) -> Iterator[bytes]:
    """So many bytes out of the zlib stream; EOFError where it has fewer."""
    inflater = isal_zlib.decompressobj()
    for payload in pixels:
        for at in range(0, len(payload), _BITE):
            bite: bytes | memoryview = payload[at : at + _BITE]
            while size and (piece := inflater.decompress(bite, min(_PIECE, size))):
                size -= len(piece)
                yield piece
                bite = inflater.unconsumed_tail
    if size:
        raise EOFError(f"{size} bytes are missing")


def _blocks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """A zlib stream (RFC 1950) that stores these bytes, in chunks."""
    head, checksum = b"\x78\x01", 1
    for piece in pieces:
        checksum = isal_zlib.adler32(piece, checksum)
        view = memoryview(piece)
        parts: list[bytes | memoryview] = [head]
        for at in range(0, len(piece), _BLOCK):
            block = view[at : at + _BLOCK]
            parts += (struct.pack("<BHH", 0, len(block), len(block) ^ 0xFFFF), block)
        yield chunk(b"IDAT", b"".join(parts))
        head = b""
    yield chunk(b"IDAT", struct.pack("<BHH", 1, 0, 0xFFFF) + checksum.to_bytes(4, "big"))

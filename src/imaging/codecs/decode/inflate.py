"""Decompress a PNG in a thread of its own, while libvips' threads undo the filters and resize.

Through a pipe, libvips reads a file of the same pixels whose zlib stream is stored uncompressed.
"""

from __future__ import annotations

import fcntl
import math
import os
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby

import pyvips
from isal import isal_zlib

from imaging.codecs.decode.chunks import TEXTS
from imaging.codecs.png_chunks import SIGNATURE, Chunks, chunk, get_payload, read_chunks
from imaging.context import Deadline

WORTH_BYTES = 200_000
"""A smaller file is decoded before a second thread gains anything."""
_PIECE, _BITE = 1 << 18, 1 << 16
"""Bytes that come out at once, at the most, and that go in."""
_BLOCK = 65_535
"""The most that deflate stores in one block (RFC 1951, 3.2.4)."""
HEADER = struct.Struct(">IIBBBBB")
"""Width, height, bits, colour type, compression, filter, interlace."""
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples of a pixel, by PNG's colour type."""
BROKEN: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # its stubs take it for an instance
_BARREN = 1 << 20
"""Bytes that go in and nothing comes out: no picture has as many."""
_ZLIB = 15
"""`wbits` of a zlib stream with the largest window."""
_AHEAD = 1 << 20
"""Bytes that may wait in the pipe."""


def open_decompressed(original: bytes, deadline: Deadline) -> pyvips.Source | None:
    """Return the source from which libvips reads the file; it ends with the deadline.

    Return None where that gains nothing, where the chunks are not in order, or where the machine has no thread or
    descriptor left; libvips then reads the file as it is.
    """
    chunks = read_chunks(original) if len(original) >= WORTH_BYTES else []
    size = _size(chunks)
    if not size:
        return None
    try:
        reading, writing = os.pipe()
    except OSError:
        return None
    _widen(writing)
    feed = threading.Thread(target=_feed, args=(writing, _stored(chunks, size, deadline)), name="inflate", daemon=True)
    try:
        os.close(os.dup(reading))  # libvips does not look whether its own succeeds
        source = pyvips.Source.new_from_descriptor(reading)
        feed.start()
    except (OSError, pyvips.Error, RuntimeError):
        os.close(writing)
        return None
    finally:
        os.close(reading)  # libvips has made its own of it, which ends with the source
    return source


def _widen(pipe: int) -> None:
    """Enlarge the pipe where the system allows it, so that the threads wait less for each other."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _AHEAD)


def _size(chunks: Chunks) -> int:
    """Return the bytes of all rows with their filters; 0 if they are interlaced or in an unknown order."""
    kinds = [kind for kind, _ in chunks]
    if kinds[:1] != [b"IHDR"] or len(header := get_payload(chunks[0][1])) != HEADER.size:
        return 0
    if len([kind for kind, _ in groupby(kinds) if kind == b"IDAT"]) != 1:
        return 0
    width, height, depth, colour, *_, interlaced = HEADER.unpack(header)
    return 0 if interlaced else height * (1 + math.ceil(width * depth * CHANNELS.get(colour, 0) / 8))


def _feed(pipe: int, parts: Iterator[bytes | memoryview]) -> None:
    """Write until all is written, the stream turns out to be broken, or the reader has closed the pipe."""
    try:
        with open(pipe, "wb") as out:
            out.writelines(parts)
    except (BrokenPipeError, EOFError, BROKEN):
        return  # libvips reports the missing rest, if it still needs it


def _stored(chunks: Chunks, size: int, deadline: Deadline) -> Iterator[bytes | memoryview]:
    """Yield the uncompressed file, part by part."""
    pixels = [get_payload(whole) for kind, whole in chunks if kind == b"IDAT"]
    yield SIGNATURE
    for kind, whole in chunks:
        if kind in TEXTS:
            continue  # libvips would unpack them
        if kind != b"IDAT":
            yield whole
        elif pixels:
            yield from _blocks(inflated(pixels, size, deadline))
            pixels = []


def inflated(pixels: Sequence[memoryview], size: int, deadline: Deadline, *, wbits: int = _ZLIB) -> Iterator[bytes]:
    """Yield that many bytes of the zlib stream, or of another stream of deflate for other `wbits`.

    Raises EOFError if it has fewer, if it is made to keep this thread busy, and after the deadline: libvips waits for
    the pipe, and nothing else would stop it.
    """
    inflater = isal_zlib.decompressobj(wbits)
    bites = (payload[at : at + _BITE] for payload in pixels for at in range(0, len(payload), _BITE))
    barren = 0
    for packed in bites:
        rest: bytes | memoryview = packed
        barren += len(packed)
        while size and (piece := inflater.decompress(rest, min(_PIECE, size))):
            size, barren = size - len(piece), 0
            yield piece
            rest = inflater.unconsumed_tail
        if inflater.eof or not size or barren > _BARREN or deadline.left() <= 0:
            break
    if size:
        raise EOFError(f"{size} bytes are missing")


def _blocks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks of a zlib stream (RFC 1950) that stores these bytes."""
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

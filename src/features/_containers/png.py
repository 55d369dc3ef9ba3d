"""PNG (third edition) and APNG: chunks."""

from __future__ import annotations

import zlib

from features._metadata import exif
from features._metadata.reader import Malformed, Reader
from features._png import SIGNATURE, chunk

_KEPT = frozenset(b"IHDR PLTE IDAT tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs acTL fcTL fdAT".split())


def strip(original: bytes, orientation: int) -> bytes:
    """The chunks that make up pixels and their colours, and the orientation."""
    reader = Reader(original)
    reader.expect(SIGNATURE)
    parts: list[bytes | memoryview] = [SIGNATURE]
    while True:
        start, length, kind = reader.at, reader.big(4), reader.take(4)
        reader.skip(length)
        named, checksum = reader.view(start + 4), reader.big(4)
        if kind == b"IEND":
            break
        if kind in _KEPT:
            if zlib.crc32(named) != checksum:
                raise Malformed(f"checksum of {kind!r}")
            parts.append(reader.view(start))
        elif kind[:1].isupper():
            raise Malformed(f"unknown critical chunk {kind!r}")
        if kind == b"IHDR" and orientation != 1:
            parts.append(chunk(b"eXIf", exif.orientation_only(orientation)))
    return b"".join([*parts, chunk(b"IEND", b"")])

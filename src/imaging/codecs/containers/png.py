"""Remove metadata from a PNG (third edition) or APNG, which consists of chunks."""

from __future__ import annotations

import zlib

from imaging.codecs.containers.kept import Kept
from imaging.codecs.containers.profile import extract_profile
from imaging.codecs.metadata import exif
from imaging.codecs.metadata.reader import Malformed, Reader, Walk
from imaging.codecs.png_chunks import SIGNATURE, chunk

_ANY_SIZE = 1 << 31
_MAX_SIZES = {
    b"IHDR": 13, b"PLTE": 768, b"IDAT": _ANY_SIZE, b"tRNS": 256, b"cHRM": 32, b"gAMA": 4, b"sBIT": 4, b"sRGB": 1,
    b"cICP": 4, b"mDCV": 24, b"cLLI": 8, b"bKGD": 6, b"hIST": 512, b"pHYs": 9, b"acTL": 8, b"fcTL": 26,
    b"fdAT": _ANY_SIZE,
}  # fmt: skip
"""The chunks that stay, and how many bytes each may have."""
_MAX_PROFILE = 4_000_000


def strip(original: bytes, kept: Kept, walk: Walk) -> bytes:
    """Return the chunks that define pixels and their colours, and what is kept."""
    reader = Reader(original)
    reader.expect(SIGNATURE)
    parts: list[bytes | memoryview] = [SIGNATURE]
    while True:
        walk.step()
        start, length, kind = reader.at, reader.big(4), reader.take(4)
        reader.skip(length)
        named, checksum = reader.view(start + 4), reader.big(4)
        if kind == b"IEND":
            break
        if length <= _MAX_SIZES.get(kind, -1):
            _check(kind, named, checksum)
            parts.append(reader.view(start))
        elif kind == b"iCCP":
            _check(kind, named, checksum)
            parts += _profile(bytes(named[4:]))
        elif kind[:1].isupper():
            raise Malformed(f"unknown critical chunk {kind!r}")
        if kind == b"IHDR":
            parts += _metadata(kept)
    return b"".join([*parts, chunk(b"IEND", b"")])


def _metadata(kept: Kept) -> list[bytes]:
    found = []
    if kept.orientation != 1:
        found.append(chunk(b"eXIf", exif.orientation_only(kept.orientation)))
    if kept.xmp:  # a keyword, no compression, no language, no translated keyword
        found.append(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + kept.xmp))
    return found


def _check(kind: bytes, named: memoryview, checksum: int) -> None:
    if zlib.crc32(named) != checksum:
        raise Malformed(f"checksum of {kind!r}")


def _profile(payload: bytes) -> list[bytes]:
    """Return the chunk of a colour profile under a neutral name; none if it holds something else."""
    _, _, packed = payload.partition(b"\0")
    try:
        profile = extract_profile(zlib.decompressobj().decompress(packed[1:], _MAX_PROFILE))
    except zlib.error:
        return []
    return [chunk(b"iCCP", b"icc\0\0" + zlib.compress(profile))] if profile else []

"""PNG whose pixels are numbers in a palette. libvips writes one only of a palette that it looked for itself."""

from __future__ import annotations

import struct
import zlib

_HEADER_ENDS = 33
"""After the signature and the first chunk, which is always IHDR."""
_INDEXED = 3


def with_palette(grey: bytes, colours: bytes) -> bytes:
    """A grey PNG with its levels made numbers in a palette of red, green and blue."""
    header = bytearray(grey[16:29])
    header[9] = _INDEXED
    return grey[:8] + _chunk(b"IHDR", header) + _chunk(b"PLTE", colours) + grey[_HEADER_ENDS:]


def _chunk(name: bytes, content: bytes | bytearray) -> bytes:
    body = name + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

"""Find PNG's chunks (third edition, 5.3) without copying them. Nothing is decompressed without a limit."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

_HEAD = struct.Struct(">I4s")
TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_XMP = b"XML:com.adobe.xmp\0"
_MAX_PLAIN_TEXTS, _MAX_PLAIN_TEXT = 100, 1 << 16
_MAX_UNPACKED = 4_000_000
"""Bytes of a colour profile or a text. Printers' profiles have up to three million."""
_NEVER_MORE = _MAX_UNPACKED // 1032
"""So many compressed bytes never decompress to more than the limit: deflate reaches 1032 to 1 (RFC 1951)."""


Chunk = tuple[bytes, int, int]
"""A chunk's kind, and the start of its length and the end of its checksum. A plain tuple, since there are thousands."""


def chunks(original: bytes) -> Iterator[Chunk]:
    """Yield the chunks up to IEND, or up to where the file is damaged or cut off."""
    at, size = 8, len(original)
    while at + 12 <= size:
        length, kind = _HEAD.unpack_from(original, at)
        end = at + 12 + length
        if end > size:
            return
        yield kind, at, end
        if kind == b"IEND":
            return
        at = end


def remove_texts(original: bytes) -> bytes:
    """Return the file without its texts, unless they are few, short, uncompressed, and have ASCII names.

    libpng decompresses every text when it reads the header, and pyvips fails on a field name that is not UTF-8. Of
    several colour profiles only the first is kept.
    """
    texts: list[Chunk] = []
    profiles: list[Chunk] = []
    for chunk in chunks(original):
        if chunk[0] in TEXTS:
            texts.append(chunk)
        elif chunk[0] == b"iCCP":
            profiles.append(chunk)
    if len(texts) <= _MAX_PLAIN_TEXTS and all(_is_plain(original, *text) for text in texts):
        texts = []
    left_out = sorted((start, end) for _, start, end in [*texts, *profiles[1:]])
    if not left_out:
        return original
    view = memoryview(original)
    starts, ends = [0, *(end for _, end in left_out)], [*(start for start, _ in left_out), len(original)]
    return b"".join(view[start:end] for start, end in zip(starts, ends, strict=True))


def has_large_profile(original: bytes, start: int, end: int) -> bool:
    """Return whether the colour profile in an iCCP chunk decompresses to more than a profile may have."""
    if end - start < _NEVER_MORE:
        return False
    name_end = original.find(b"\0", start + 8, end)
    return name_end >= 0 and _unpacked(original[name_end + 2 : end - 4]) is None


def xmp(original: bytes) -> bytes:
    """Return the XMP packet of the file; empty if there is not one, or if it is damaged or too large."""
    for kind, start, end in chunks(original):
        if kind in TEXTS and original.startswith(_XMP, start + 8):
            text = original[start + 8 + len(_XMP) : end - 4]
            is_packed = kind == b"zTXt"
            if kind == b"iTXt":  # a flag, a method, a language and a name in it
                is_packed, text = text[:1] == b"\x01", text[2:].split(b"\0", 2)[-1]
            elif is_packed:
                text = text[1:]
            return (_unpacked(text) or b"") if is_packed else text
    return b""


def _is_plain(original: bytes, kind: bytes, start: int, end: int) -> bool:
    keyword, _, rest = original[start + 8 : min(end - 4, start + _MAX_PLAIN_TEXT)].partition(b"\0")
    is_packed = kind == b"zTXt" or (kind == b"iTXt" and rest[:1] != b"\0")
    return keyword.isascii() and not is_packed and end - start <= _MAX_PLAIN_TEXT


def _unpacked(packed: bytes) -> bytes | None:
    """Return the content of a zlib stream, up to where it is damaged; None if that is more than the limit."""
    try:
        content = zlib.decompressobj().decompress(packed, _MAX_UNPACKED + 1)
    except zlib.error:
        return b""
    return content if len(content) <= _MAX_UNPACKED else None

"""PNG's chunks (third edition, 5.3), found without copying them. Nothing is unpacked without a bound."""

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
"""So many packed bytes never unpack to more than the limit: deflate reaches 1032 to 1 (RFC 1951)."""


Chunk = tuple[bytes, int, int]
"""A chunk's kind, and where it is stored: from its length to behind its checksum. Plain, since there are thousands."""


def chunks(original: bytes) -> Iterator[Chunk]:
    """The chunks up to IEND, or up to where the file is damaged or cut off."""
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


def without_texts(original: bytes) -> bytes:
    """The file as a library may read it: without texts, unless they are few, short, not packed, and have ASCII names.

    libpng unpacks every text when it reads the header, and pyvips cannot name a field that is no UTF-8. Of several
    colour profiles only the first counts.
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
    """Whether the colour profile in an iCCP chunk unpacks to more than a profile may have."""
    if end - start < _NEVER_MORE:
        return False
    name_end = original.find(b"\0", start + 8, end)
    return name_end >= 0 and _unpacked(original[name_end + 2 : end - 4]) is None


def xmp(original: bytes) -> bytes:
    """The XMP packet of the file; empty where it has none, or one that is damaged or larger than the limit."""
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
    """What a zlib stream holds, up to where it is damaged; None if that is more than the limit."""
    try:
        content = zlib.decompressobj().decompress(packed, _MAX_UNPACKED + 1)
    except zlib.error:
        return b""
    return content if len(content) <= _MAX_UNPACKED else None

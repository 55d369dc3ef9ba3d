"""WebP (RFC 9649): RIFF chunks, those of an animation's frames one level down."""

from __future__ import annotations

from features._metadata import exif
from features._metadata.reader import Malformed, Reader

_KEPT = frozenset({b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L"})
_IN_FRAME = frozenset({b"ALPH", b"VP8 ", b"VP8L"})
_FRAME_HEADER = 16
_HAS_EXIF, _HAS_XMP = 0x08, 0x04


def strip(original: bytes, orientation: int) -> bytes:
    """Pixels, profile and animation; the orientation too, where the file says that it has EXIF."""
    reader = Reader(original)
    reader.expect(b"RIFF")
    length = reader.little(4)
    whole = Reader(original, reader.at, reader.at + length)
    whole.expect(b"WEBP")
    extended, parts = False, []
    for kind, payload in _chunks(whole):
        if kind == b"VP8X":
            extended = True
            parts.append(_chunk(kind, _flags(payload, orientation) + payload[1:]))
        elif kind == b"ANMF":
            parts.append(_chunk(kind, _frame(payload)))
        elif kind in _KEPT:
            parts.append(_chunk(kind, payload))
    if not any(part[:4] in (b"VP8 ", b"VP8L", b"ANMF") for part in parts):
        raise Malformed("no picture")
    if extended and orientation != 1:
        parts.append(_chunk(b"EXIF", exif.orientation_only(orientation)))
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _chunks(reader: Reader) -> list[tuple[bytes, bytes]]:
    found = []
    while reader:
        kind = reader.take(4)
        length = reader.little(4)
        found.append((kind, reader.take(length)))
        reader.skip(min(length % 2, reader.end - reader.at))
    return found


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + len(payload).to_bytes(4, "little") + payload + b"\x00" * (len(payload) % 2)


def _flags(payload: bytes, orientation: int) -> bytes:
    if len(payload) < 10:
        raise Malformed("VP8X is shorter than 10 bytes")
    kept = payload[0] & ~(_HAS_EXIF | _HAS_XMP)
    return bytes((kept | (_HAS_EXIF if orientation != 1 else 0),))


def _frame(payload: bytes) -> bytes:
    header = Reader(payload).take(_FRAME_HEADER)
    inside = _chunks(Reader(payload, _FRAME_HEADER))
    return header + b"".join(_chunk(kind, content) for kind, content in inside if kind in _IN_FRAME)

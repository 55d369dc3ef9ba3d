"""Remove metadata from a WebP (RFC 9649): RIFF chunks, those of an animation's frames one level deeper."""

from __future__ import annotations

from imaging.codecs.containers.kept import Kept
from imaging.codecs.containers.profile import extract_profile
from imaging.codecs.metadata import exif
from imaging.codecs.metadata.reader import Malformed, Reader, Walk

_KEPT = frozenset({b"ALPH", b"VP8 ", b"VP8L"})
"""The chunks that hold pixels."""
_FRAME_HEADER = 16
_EXTENDED_HEADER, _ANIMATION_HEADER = 10, 6
_HAS_PROFILE, _HAS_EXIF, _HAS_XMP = 0x20, 0x08, 0x04
Parts = list[bytes | memoryview]
"""Bytes that follow each other in the file, views of the original among them."""


def strip(original: bytes, kept: Kept, walk: Walk) -> bytes:
    """Return pixels, profile and animation, and what is kept of the metadata that the file declares."""
    reader = Reader(original)
    reader.expect(b"RIFF")
    length = reader.little(4)
    whole = Reader(original, reader.at, reader.at + length)
    whole.expect(b"WEBP")
    chunks = _chunks(whole, walk)
    if not any(kind in (b"VP8 ", b"VP8L", b"ANMF") for kind, _ in chunks):
        raise Malformed("no picture")
    profile = next((extract_profile(bytes(payload)) for kind, payload in chunks if kind == b"ICCP"), b"")
    parts: Parts = []
    for kind, payload in chunks:
        if kind == b"VP8X":
            parts += _chunk(kind, _extended(payload, kept, has_profile=bool(profile)))
            parts += _chunk(b"ICCP", profile) if profile else []
        elif kind == b"ANIM":
            parts += _chunk(kind, payload[:_ANIMATION_HEADER])
        elif kind == b"ANMF":
            parts += _chunk(kind, *_frame(payload, walk))
        elif kind in _KEPT:
            parts += _chunk(kind, payload)
    # Without this header a file declares no metadata, so that there is nothing to keep.
    if chunks[0][0] == b"VP8X":
        parts += _chunk(b"EXIF", exif.orientation_only(kept.orientation)) if kept.orientation != 1 else []
        parts += _chunk(b"XMP ", kept.xmp) if kept.xmp else []
    size = 4 + sum(map(len, parts))
    return b"".join([b"RIFF", size.to_bytes(4, "little"), b"WEBP", *parts])


def _chunks(reader: Reader, walk: Walk) -> list[tuple[bytes, memoryview]]:
    found = []
    while reader:
        walk.step()
        kind = reader.take(4)
        length = reader.little(4)
        found.append((kind, reader.take_view(length)))
        reader.skip(min(length % 2, reader.end - reader.at))
    return found


def _chunk(kind: bytes, *payload: bytes | memoryview) -> Parts:
    size = sum(map(len, payload))
    return [kind + size.to_bytes(4, "little"), *payload, bytes(size % 2)]


def _extended(payload: memoryview, kept: Kept, *, has_profile: bool) -> bytes:
    if len(payload) < _EXTENDED_HEADER:
        raise Malformed("VP8X is shorter than 10 bytes")
    others = payload[0] & ~(_HAS_PROFILE | _HAS_EXIF | _HAS_XMP)
    flags = (_HAS_EXIF if kept.orientation != 1 else 0) | (_HAS_PROFILE if has_profile else 0)
    flags |= _HAS_XMP if kept.xmp else 0
    return bytes((others | flags,)) + payload[1:_EXTENDED_HEADER]


def _frame(payload: memoryview, walk: Walk) -> Parts:
    header = Reader(payload).take(_FRAME_HEADER)
    inside = _chunks(Reader(payload, _FRAME_HEADER), walk)
    return [header, *(part for kind, content in inside if kind in _KEPT for part in _chunk(kind, content))]

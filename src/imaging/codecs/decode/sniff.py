"""What a file is, by its first bytes; its name and its Content-Type say nothing."""

from __future__ import annotations

import struct
from collections.abc import Callable

from imaging.errors import UnsupportedSource
from imaging.picture import SourceFormat

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
_PROLOGUE = 65536
"""Bytes in which an SVG's first element has to begin."""
_OTHERS = {
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a gzip file; an SVG has to be stored uncompressed",
    b"\xff\x0a": "a JPEG XL picture",
    b"\0\0\0\x0cJXL ": "a JPEG XL picture",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 picture",
    b"8BPS": "a Photoshop document",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1aE\xdf\xa3": "a video",
}


def sniff(original: bytes) -> SourceFormat:
    """The file's format; UnsupportedSource if it is none that can be read."""
    for kind, matches in _FORMATS:
        if matches(original):
            return kind
    other = next((name for mark, name in _OTHERS.items() if original.startswith(mark)), "")
    if not other and original[4:8] == b"ftyp":
        other = "a video or a kind of HEIF that is not read"
    known = ", ".join(kind for kind, _ in _FORMATS)
    raise UnsupportedSource(f"the file must be a picture ({known}), got {other or 'something else'}")


def _brands(original: bytes) -> frozenset[bytes]:
    """The brands of an ISO base media file, the major one among them."""
    if original[4:8] != b"ftyp":
        return frozenset()
    end = min(int.from_bytes(original[:4], "big"), 512)
    return frozenset(original[at : at + 4] for at in (8, *range(16, end, 4)))


def _is_bmp(original: bytes) -> bool:
    return original[:2] == b"BM" and len(original) >= 26 and struct.unpack_from("<I", original, 14)[0] in _BMP_HEADERS


def _is_ico(original: bytes) -> bool:
    # No mark but small numbers: an entry of the directory has a zero at its fourth byte.
    return original[:4] == b"\0\0\x01\0" and len(original) >= 22 and original[4:6] != b"\0\0" and original[9] == 0


def _is_svg(original: bytes) -> bool:
    text = _text(original[:_PROLOGUE]).lstrip()
    while text.startswith(("<?", "<!")):
        if text.startswith("<?"):
            end = "?>"
        elif text.startswith("<!--"):
            end = "-->"
        else:
            subset, close = text.find("["), text.find(">")
            end = "]" if 0 <= subset < close else ">"
        text = text.partition(end)[2].lstrip()
        text = text[1:].lstrip() if end == "]" else text
    name = text[1:].split(maxsplit=1)[0].split(">")[0].split("/")[0] if text[:1] == "<" and text[1:].strip() else ""
    return name.rpartition(":")[2] == "svg"


def _text(start: bytes) -> str:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return start.decode("utf-16", "replace")
    return start.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


_FORMATS: tuple[tuple[SourceFormat, Callable[[bytes], bool]], ...] = (
    ("jpeg", lambda it: it.startswith(b"\xff\xd8\xff")),
    ("png", lambda it: it.startswith(b"\x89PNG\r\n\x1a\n")),
    ("webp", lambda it: it[:4] == b"RIFF" and it[8:12] == b"WEBP"),
    ("gif", lambda it: it.startswith((b"GIF87a", b"GIF89a"))),
    ("avif", lambda it: not _AVIF_BRANDS.isdisjoint(_brands(it))),
    ("heif", lambda it: not _HEIF_BRANDS.isdisjoint(_brands(it))),
    ("tiff", lambda it: it.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))),
    ("bmp", _is_bmp),
    ("ico", _is_ico),
    ("svg", _is_svg),
)

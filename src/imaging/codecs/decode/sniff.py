"""Recognise a file's format by its first bytes; its name and its Content-Type are not used."""

from __future__ import annotations

from imaging.errors import UnsupportedSource
from imaging.formats import FORMATS, NAMES
from imaging.formats.format import FormatName

_OTHERS = {
    b"\x1f\x8b": "a gzip file that is not an SVG",
    b"\xff\x0a": "a JPEG XL picture",
    b"\0\0\0\x0cJXL ": "a JPEG XL picture",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 picture",
    b"8BPS": "a Photoshop document",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1aE\xdf\xa3": "a video",
}


def sniff(original: bytes) -> FormatName:
    """Return the file's format. Raises UnsupportedSource if it is not one that can be read."""
    for each in FORMATS:
        if each.is_signed(original):
            return each.name
    other = next((name for mark, name in _OTHERS.items() if original.startswith(mark)), "")
    if not other and original[4:8] == b"ftyp":
        other = "a video or a kind of HEIF that is not read"
    known = ", ".join(NAMES)
    raise UnsupportedSource(f"the file must be a picture ({known}), got {other or 'something else'}")

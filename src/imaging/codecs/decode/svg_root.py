"""Prepare an SVG for librsvg, so that it gets the size and the default font size that browsers give it.

Browsers draw an SVG without a size and a `viewBox` at 300 × 150 pixels (CSS 2.2, 10.3.2), count 96 pixels for an inch
and 16 for an `em`. librsvg takes the size of the contents, 12 pixels for an `em`, and has no `rem`.
"""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple
from xml.parsers import expat

from imaging.errors import TooLarge

_GZIP = b"\x1f\x8b"
_GZIP_WBITS = 31
_PIECE = 65536
_SIZE = {"width": "300", "height": "150"}
_FONT_SIZE = "16"
_LENGTH = re.compile(r"\s*\+?([0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?)\s*([a-z]*|%)\s*", re.IGNORECASE)
_NAME = re.compile(rb"<[^\s/>]+")
_TAG = re.compile(rb"<(?!\0)(?:[^\"'>]|\"[^\"]*\"|'[^']*')*>")
_VIEW_BOX = re.compile(r"\s*[^\s,]+[\s,]+[^\s,]+[\s,]+[^\s,]+[\s,]+[^\s,]+\s*")
_UNITS = frozenset({"", "px", "pt", "pc", "mm", "cm", "in", "q", "em", "ex", "ch", "rem"})


class _Root(NamedTuple):
    start: int
    attributes: dict[str, str]


class _Found(Exception):
    pass


def unpack(original: bytes, max_bytes: int | None = None) -> bytes:
    """Return a file that may be packed by gzip (`svgz`) as it was before; what is damaged of it is left out.

    Raise TooLarge for more than `max_bytes`.
    """
    if not original.startswith(_GZIP):
        return original
    try:
        unpacked = zlib.decompressobj(_GZIP_WBITS).decompress(original, 0 if max_bytes is None else max_bytes + 1)
    except zlib.error:
        return b""
    if max_bytes is not None and len(unpacked) > max_bytes:
        raise TooLarge(f"the file must unpack to at most {max_bytes} bytes, got more")
    return unpacked


def prepare(original: bytes) -> bytes:
    """Return an SVG, packed or not, whose root has the size and the font size that a browser gives it."""
    original = unpack(original)
    root = _find_root(original)
    # Encodings of two bytes for each character are left to librsvg.
    tag = root and _TAG.match(original, root.start)
    if not (root and tag):
        return original
    changed = _changed(root.attributes)
    if not changed:
        return original
    head = tag[0]
    for name in changed:
        head = re.sub(rb"\s%s\s*=\s*(?:\"[^\"]*\"|'[^']*')" % name.encode(), b"", head, count=1)
    name_end = _NAME.match(head)
    added = "".join(f' {name}="{value}"' for name, value in changed.items()).encode()
    at = name_end.end() if name_end else len(head) - 1
    return b"".join((original[: root.start], head[:at], added, head[at:], memoryview(original)[tag.end() :]))


def _find_root(original: bytes) -> _Root | None:
    """Return the first element, or None if there is not one before the file is damaged."""
    found: list[_Root] = []
    parser = expat.ParserCreate()

    def start(_name: str, attributes: dict[str, str]) -> None:
        found.append(_Root(parser.CurrentByteIndex, attributes))
        raise _Found

    parser.StartElementHandler = start
    try:
        for at in range(0, len(original), _PIECE):
            parser.Parse(original[at : at + _PIECE], False)
    except (_Found, expat.ExpatError, ValueError):  # ValueError: an encoding that Python does not know
        pass
    return found[0] if found else None


def _changed(attributes: dict[str, str]) -> dict[str, str]:
    """Return the attributes of the root that librsvg would read otherwise than a browser, with other values."""
    changed = {} if "font-size" in attributes else {"font-size": _FONT_SIZE}
    has_view = bool(_VIEW_BOX.fullmatch(attributes.get("viewBox", "")))
    for side, usual in _SIZE.items():
        length = _LENGTH.fullmatch(attributes.get(side, ""))
        unit = length[2].lower() if length else "none"
        if length and unit == "rem":
            changed[side] = f"{length[1]}em"
        elif unit not in _UNITS and not has_view:
            changed[side] = usual
    return changed

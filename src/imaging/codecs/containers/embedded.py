"""Pictures that an SVG carries inside itself, as data URIs (RFC 2397)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import cast

from imaging.codecs.containers.gif import strip as strip_gif
from imaging.codecs.containers.jpeg import strip as strip_jpeg
from imaging.codecs.containers.png import strip as strip_png
from imaging.codecs.containers.webp import strip as strip_webp
from imaging.codecs.decode.loaders import opened
from imaging.codecs.decode.parts import check_parts
from imaging.codecs.metadata.reader import Malformed, Walk
from imaging.context import Deadline, Limits
from imaging.errors import DamagedSource, TooLarge
from imaging.picture import SourceFormat

_START = re.compile(r"data:", re.IGNORECASE)
_URI = re.compile(r"data:((?:[\w.+-]+/[\w.+-]+)?)(?:;[\w.+=\"'-]*)*?(;base64)?,", re.IGNORECASE)
_ENCODED = re.compile(r"[A-Za-z0-9+/=\s]+")
_OTHERS = ("text/", "font/", "application/font", "application/x-font", "application/vnd.ms-fontobject")
"""Types that need no picture behind them. Behind any type, or none, a browser looks at the bytes."""
_KINDS: dict[bytes, tuple[SourceFormat, Callable[[bytes, int, Walk], bytes]]] = {
    b"\xff\xd8\xff": ("jpeg", strip_jpeg), b"\x89PNG": ("png", strip_png), b"RIFF": ("webp", strip_webp),
    b"GIF8": ("gif", strip_gif),
}  # fmt: skip


def strip_embedded(text: str, deadline: Deadline) -> str:
    """The text with the metadata of each picture in it removed; Malformed for a kind of picture that cannot be.

    A picture is what its bytes say, whatever type the URI names.
    """
    if "data:" not in text.lower():
        return text
    parts, end = [], 0
    for start in _START.finditer(text):
        uri = _URI.match(text, start.start()) if start.start() >= end else None
        if uri is None:
            continue  # prose, or within the picture before it
        media_type, is_base64 = uri.groups()
        encoded = _ENCODED.match(text, uri.end()) if is_base64 else None
        picture = _picture(encoded[0], deadline) if encoded else ""
        if encoded and picture:
            parts += [text[end : start.start()], picture]
            end = encoded.end()
        elif not media_type.lower().startswith(_OTHERS):
            raise Malformed(f"embedded content of another kind: {media_type[:40]}")
    return "".join([*parts, text[end:]])


def _picture(encoded: str, deadline: Deadline) -> str:
    """The URI of the same picture without metadata; empty if the bytes are none of these kinds."""
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
    except binascii.Error:
        return ""
    kind, strip = next((kind for start, kind in _KINDS.items() if content.startswith(start)), (None, None))
    if kind is None or strip is None:
        return ""
    try:
        check_parts(content, kind, Limits(tolerate_truncated=True))
        header = opened(content, kind)
    except (DamagedSource, TooLarge) as error:
        raise Malformed("an embedded picture that cannot be read") from error
    orientation = int(cast("int", header.get("orientation"))) if header.get_typeof("orientation") else 1
    stripped = strip(content, orientation, Walk(len(content), deadline))
    return f"data:image/{kind};base64,{base64.b64encode(stripped).decode()}"

"""Remove the metadata of images that an SVG embeds as data URIs (RFC 2397)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import cast

from imaging.codecs.containers.kept import Kept
from imaging.codecs.decode.loaders import load
from imaging.codecs.decode.parts import check_parts
from imaging.codecs.metadata.reader import Malformed, Walk
from imaging.context import Deadline, Limits
from imaging.errors import DamagedSource, TooLarge
from imaging.formats import FORMATS, MEDIA_TYPES

_START = re.compile(r"data:", re.IGNORECASE)
_URI = re.compile(r"data:((?:[\w.+-]+/[\w.+-]+)?)(?:;[\w.+=\"'-]*)*?(;base64)?,", re.IGNORECASE)
_ENCODED = re.compile(r"[A-Za-z0-9+/=\s]+")
_OTHERS = ("text/", "font/", "application/font", "application/x-font", "application/vnd.ms-fontobject")
"""Types whose content need not be an image. For every other type, or none, a browser looks at the bytes."""


def strip_embedded(text: str, deadline: Deadline) -> str:
    """Return the text with the metadata of each embedded image removed. Raises Malformed where that is impossible.

    The bytes decide the format of an image, whatever media type the URI names.
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
    """Return the URI of the same image without metadata; empty if the bytes have no embeddable format."""
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
    except binascii.Error:
        return ""
    found = next((each for each in FORMATS if each.embeddable and each.is_signed(content)), None)
    if found is None or found.strip is None:
        return ""
    try:
        check_parts(content, found.name, Limits(tolerate_truncated=True))
        header = load(content, found.name)
    except (DamagedSource, TooLarge) as error:
        raise Malformed("an embedded picture that cannot be read") from error
    orientation = int(cast("int", header.get("orientation"))) if header.get_typeof("orientation") else 1
    stripped = found.strip(content, Kept(orientation), Walk(len(content), deadline))
    return f"data:{MEDIA_TYPES[found.name]};base64,{base64.b64encode(stripped).decode()}"

"""Pictures that an SVG carries inside itself, as data URIs."""

from __future__ import annotations

import base64
import binascii
import re
from typing import cast

import pyvips

from features._containers.gif import strip as strip_gif
from features._containers.jpeg import strip as strip_jpeg
from features._containers.png import strip as strip_png
from features._containers.webp import strip as strip_webp
from features._metadata.reader import Malformed

_START = re.compile(r"data:image/", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/[\w.+-]+;base64,([A-Za-z0-9+/=\s]+)", re.IGNORECASE)
_KINDS = {
    b"\xff\xd8\xff": ("jpeg", strip_jpeg), b"\x89PNG": ("png", strip_png), b"RIFF": ("webp", strip_webp),
    b"GIF8": ("gif", strip_gif),
}  # fmt: skip


def strip_embedded(text: str) -> str:
    """The text with the metadata of each picture in it removed; Malformed for a kind of picture that cannot be."""
    if "data:" not in text.lower():
        return text
    if len(_START.findall(text)) != len(_PICTURE.findall(text)):
        raise Malformed("an embedded picture that is not base64")
    return _PICTURE.sub(lambda found: _stripped(found[1]), text)


def _stripped(encoded: str) -> str:
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
        kind, strip = next(kind for start, kind in _KINDS.items() if content.startswith(start))
        header = pyvips.Image.new_from_buffer(content, "")
    except (binascii.Error, StopIteration, pyvips.Error) as error:
        raise Malformed("an embedded picture of another kind") from error
    orientation = int(cast("int", header.get("orientation"))) if header.get_typeof("orientation") else 1
    return f"data:image/{kind};base64,{base64.b64encode(strip(content, orientation)).decode()}"

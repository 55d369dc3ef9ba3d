"""SVG, which is read only."""

from __future__ import annotations

import math

from imaging.formats.format import Decoder, Format, Lazy

_PROLOGUE = 65536
"""Bytes within which the first element of an SVG must begin."""
_GZIP = b"\x1f\x8b"
"""What an `svgz` begins with."""


def _is_svg(original: bytes) -> bool:
    text = _decoded(_start(original)).lstrip()
    # Skip declarations, processing instructions and comments.
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


def _start(original: bytes) -> bytes:
    if not original.startswith(_GZIP):
        return original[:_PROLOGUE]
    import zlib  # noqa: PLC0415 - few files are packed

    try:
        return zlib.decompressobj(31).decompress(original[:_PROLOGUE], _PROLOGUE)
    except zlib.error:
        return b""


def _decoded(start: bytes) -> str:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return start.decode("utf-16", "replace")
    return start.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


FORMAT = Format(
    name="svg",
    extensions=("svg", "svgz"),
    matches=_is_svg,
    decoder=Decoder(
        loader="svgload_source",
        # The elements of a drawing have limits of their own.
        seconds=0.0,
        loaded_memory=lambda decoder, pixels, stored: round(decoder * pixels / stored),
        isolated=True,
        scalable=True,
        reduction=lambda shrink, frames, is_same_format: shrink,  # noqa: ARG005 - the shape of all
        prepare=Lazy("imaging.codecs.decode.svg_root", "prepare"),
        read_header=Lazy("imaging.codecs.decode.header", "read_drawing_header"),
        read_pixels=Lazy("imaging.codecs.decode.svg", "read_pixels"),
    ),
    strip=Lazy("imaging.codecs.containers.svg", "strip"),
    shown=True,
    converted_to="png",
    photo_density=math.inf,
)

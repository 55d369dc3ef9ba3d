"""Files whose decoder says something about them in bytes that are not UTF-8."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests import pictures


@dataclass(frozen=True)
class Poison:
    """A damaged file and the operation of libvips that reads it."""

    kind: str
    operation: str
    body: bytes


def _unknown_property() -> bytes:
    """An AVIF whose property `auxC`, which must be understood, has a name of other bytes: libheif quotes it."""
    body = pictures.avif(pictures.scene_with_alpha(8, 8))
    assert b"auxC" in body
    return body.replace(b"auxC", b"au\xff\xff")


def _unclosed(name: str) -> bytes:
    """An SVG with an end tag so long that libvips cuts the parser's message within a character."""
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="5" height="5"><a></{name}></svg>'.encode()


FILES: Mapping[str, Poison] = {
    "libheif quotes a name": Poison("avif", "heifload_buffer", _unknown_property()),
    "librsvg's message is cut": Poison("svg", "svgload_buffer", _unclosed("é" * 9000)),
    "librsvg's message is cut one byte further": Poison("svg", "svgload_buffer", _unclosed("x" + "é" * 9000)),
}

"""Make a plain canvas: the file that an address without an original has in place of one.

Its key states its size in pixels and its colour, such as `1200x630-navy` or `800x800-ff880080`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self

from isal import isal_zlib

from imaging.codecs.png_chunks import SIGNATURE, chunk
from imaging.errors import InvalidParameter
from imaging.params.types import Color

MAX_CANVAS_SIDE = 4096
"""The longest side in pixels."""


class Canvas(NamedTuple):
    """A picture of one colour; without further values it has the size and the colour of a card for social networks."""

    width: int = 1200
    height: int = 630
    color: Color = Color(255, 255, 255)

    @classmethod
    def parse(cls, values: Mapping[str, object]) -> Self:
        """Read `width`, `height` and `color`, of which each may be left out. Raises InvalidParameter."""
        default = cls()
        color = default.color
        if "color" in values:
            try:
                color = Color.parse(values["color"])
            except ValueError:
                raise InvalidParameter("color", Color.expected, values["color"]) from None
        return cls(_side("width", values, default.width), _side("height", values, default.height), color)

    @classmethod
    def of_key(cls, key: str) -> Self:
        """Read a key. Raises InvalidParameter."""
        size, _, color = key.partition("-")
        width, cross, height = size.partition("x")
        if not (cross and color):
            raise InvalidParameter("key", "a canvas such as 1200x630-navy", key)
        return cls.parse({"width": width, "height": height, "color": color})

    @property
    def key(self) -> str:
        """The key that `of_key` reads; equal canvases have equal keys."""
        return f"{self.width}x{self.height}-{self.color}"

    def as_png(self) -> bytes:
        """Return the file: one bit for each pixel, all of which are the first colour of the palette."""
        header = self.width.to_bytes(4, "big") + self.height.to_bytes(4, "big") + bytes((1, 3, 0, 0, 0))
        rows = bytes((1 + (self.width + 7) // 8) * self.height)
        parts = [SIGNATURE, chunk(b"IHDR", header), chunk(b"PLTE", bytes(self.color.rgb))]
        if self.color.alpha < 1:
            parts.append(chunk(b"tRNS", bytes([round(255 * self.color.alpha)])))
        return b"".join([*parts, chunk(b"IDAT", isal_zlib.compress(rows, 1)), chunk(b"IEND", b"")])


def _side(name: str, values: Mapping[str, object], default: int) -> int:
    value = values.get(name, default)
    text = str(value)
    # Only digits: int() would read blanks, underscores and other scripts' digits as well, and each is another address.
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= MAX_CANVAS_SIDE):
        raise InvalidParameter(name, f"whole pixels from 1 to {MAX_CANVAS_SIDE}", value)
    return int(text)

"""Types of parameters that a URL writes as one word: colours, lengths, positions, points, ratios.

Each has `parse`, which takes what a URL or JSON holds and raises ValueError saying what was expected, `str()`, which
writes the canonical spelling that `parse` reads again, and `schema`, its JSON schema.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import ClassVar, NamedTuple, Self

_HEX = re.compile(r"#?([0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*(?:,\s*([\d.]+)\s*)?\)", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)")


class Color(NamedTuple):
    """A colour in sRGB: red, green, blue 0 to 255, alpha 0 (clear) to 1 (opaque)."""

    red: int
    green: int
    blue: int
    alpha: float = 1.0

    expected: ClassVar[str] = "a colour (CSS name, hex such as ff8800 or #f80, rgb(r,g,b), rgba(r,g,b,a), transparent)"
    schema: ClassVar[Mapping[str, object]] = {"type": "string", "format": "color", "examples": ["white", "ff8800"]}

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read a CSS name, hex digits with or without `#`, rgb(), rgba(), or sharp's {r, g, b, alpha}."""
        if isinstance(value, Mapping):
            return cls._from_channels(value)
        if not isinstance(value, str):
            raise ValueError(cls.expected)
        text = value.strip().lower()
        if text == "transparent":
            return cls(0, 0, 0, 0.0)
        if match := _RGB.fullmatch(text):
            return cls._checked(*(int(part) for part in match.groups()[:3]), float(match[4] or 1))
        if match := _HEX.fullmatch(text):
            return cls._from_hex(match[1])
        return cls._from_name(text)

    @classmethod
    def _from_channels(cls, channels: Mapping[object, object]) -> Self:
        if not set(channels) <= {"r", "g", "b", "alpha"}:
            raise ValueError(cls.expected + " or {r, g, b, alpha}")
        r, g, b, alpha = (channels.get(name, default) for name, default in (("r", 0), ("g", 0), ("b", 0), ("alpha", 1)))
        numbers = [part for part in (r, g, b, alpha) if isinstance(part, int | float) and not isinstance(part, bool)]
        if len(numbers) < 4 or not all(math.isfinite(part) for part in numbers):
            raise ValueError(cls.expected + " or {r, g, b, alpha} in numbers")
        return cls._checked(*(round(part) for part in numbers[:3]), float(numbers[3]))

    @classmethod
    def _from_hex(cls, digits: str) -> Self:
        if len(digits) <= 4:
            digits = "".join(digit * 2 for digit in digits)
        parts = [int(digits[at : at + 2], 16) for at in range(0, len(digits), 2)]
        return cls(parts[0], parts[1], parts[2], round(parts[3] / 255, 4) if len(parts) == 4 else 1.0)

    @classmethod
    def _from_name(cls, name: str) -> Self:
        import webcolors  # noqa: PLC0415 - 148 names that most requests never need

        try:
            named = webcolors.name_to_rgb(name)
        except ValueError:
            raise ValueError(cls.expected) from None
        return cls(named.red, named.green, named.blue)

    @classmethod
    def _checked(cls, red: int, green: int, blue: int, alpha: float) -> Self:
        if not all(0 <= part <= 255 for part in (red, green, blue)) or not 0 <= alpha <= 1:
            raise ValueError(cls.expected + " with channels 0 to 255 and alpha 0 to 1")
        return cls(red, green, blue, alpha)

    @property
    def rgb(self) -> list[int]:
        """Red, green, blue."""
        return [self.red, self.green, self.blue]

    @property
    def rgba(self) -> list[float]:
        """Red, green, blue and alpha, all 0 to 255."""
        return [self.red, self.green, self.blue, self.alpha * 255]

    def __str__(self) -> str:
        alpha = "" if self.alpha == 1 else f"{round(self.alpha * 255):02x}"
        return f"{self.red:02x}{self.green:02x}{self.blue:02x}{alpha}"


class Length(NamedTuple):
    """A distance in pixels, or in percent of a side of the picture."""

    value: float
    percent: bool = False

    expected: ClassVar[str] = "pixels (120) or percent (25% or 25p)"
    schema: ClassVar[Mapping[str, object]] = {"type": ["integer", "string"], "format": "length", "examples": [120, "25p"]}

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read a number of pixels, or a percentage with `%` or `p` behind it."""
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return cls(float(value))
        if isinstance(value, str):
            text, percent = (value[:-1], True) if value[-1:] in ("%", "p") else (value, False)
            if _NUMBER.fullmatch(text) and len(text) < 16:
                return cls(float(text), percent)
        raise ValueError(cls.expected)

    def of(self, whole: int) -> int:
        """Pixels of a side that is `whole` pixels long; halves are rounded up."""
        return math.floor((self.value * whole / 100 if self.percent else self.value) + 0.5)

    def __str__(self) -> str:
        return f"{self.value:g}" + ("p" if self.percent else "")


_POINTS = {
    "top-left": (0.0, 0.0), "top": (0.5, 0.0), "top-right": (1.0, 0.0),
    "left": (0.0, 0.5), "center": (0.5, 0.5), "right": (1.0, 0.5),
    "bottom-left": (0.0, 1.0), "bottom": (0.5, 1.0), "bottom-right": (1.0, 1.0),
}  # fmt: skip
_SPELLINGS = {
    "northwest": "top-left", "north": "top", "northeast": "top-right", "west": "left", "centre": "center",
    "middle": "center", "east": "right", "southwest": "bottom-left", "south": "bottom", "southeast": "bottom-right",
    "left-top": "top-left", "right-top": "top-right", "left-bottom": "bottom-left", "right-bottom": "bottom-right",
}  # fmt: skip


class Position(str):
    """One of the nine points, in CSS, compass or sharp's words; the value is the CSS one."""

    __slots__ = ()
    choices: ClassVar[tuple[str, ...]] = tuple(_POINTS)
    expected: ClassVar[str] = "one of " + ", ".join(_POINTS) + " (or the compass points, north to northwest)"
    schema: ClassVar[Mapping[str, object]] = {"type": "string", "enum": list(_POINTS)}

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `top-left`, `left top`, `northwest` and their like."""
        if isinstance(value, str):
            word = value.strip().lower().replace(" ", "-").replace("_", "-")
            word = _SPELLINGS.get(word, word)
            if word in cls.choices:
                return cls(word)
        raise ValueError(cls.expected)

    @property
    def ratios(self) -> tuple[float, float]:
        """Where the point lies: 0 left or top, 0.5 middle, 1 right or bottom."""
        return _POINTS.get(str(self), (0.5, 0.5))

    def place(self, room: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
        """Left and top of a box of `size` that stands in `room` at this point; whole pixels."""
        across, down = self.ratios
        return (int((room[0] - size[0]) * across), int((room[1] - size[1]) * down))


class CropPosition(Position):
    """One of the nine points, or where libvips sees the most going on: `attention` or `entropy`."""

    __slots__ = ()
    choices: ClassVar[tuple[str, ...]] = (*_POINTS, "attention", "entropy")
    expected: ClassVar[str] = "one of " + ", ".join((*_POINTS, "attention", "entropy"))
    schema: ClassVar[Mapping[str, object]] = {"type": "string", "enum": [*_POINTS, "attention", "entropy"]}


class Point(NamedTuple):
    """A point as shares of the picture: x from the left, y from the top, both 0 to 1."""

    x: float
    y: float

    expected: ClassVar[str] = "two shares from 0 to 1, such as 0.5,0.25"
    schema: ClassVar[Mapping[str, object]] = {"type": "string", "format": "point", "examples": ["0.5,0.25"]}

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `x,y`."""
        parts = value.split(",") if isinstance(value, str) else value
        if isinstance(parts, list | tuple) and len(parts) == 2:
            texts = [str(part).strip() for part in parts]
            if all(_NUMBER.fullmatch(text) and 0 <= float(text) <= 1 for text in texts):
                return cls(float(texts[0]), float(texts[1]))
        raise ValueError(cls.expected)

    def __str__(self) -> str:
        return f"{self.x:g},{self.y:g}"


class Ratio(float):
    """Width divided by height."""

    __slots__ = ()
    expected: ClassVar[str] = "an aspect ratio such as 16:9 or 1.5, from 0.01 to 100"
    schema: ClassVar[Mapping[str, object]] = {"type": ["string", "number"], "format": "ratio", "examples": ["16:9", 1.5]}

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `16:9`, `1.5` or a number."""
        parts = str(value).split(":")
        if not isinstance(value, bool) and len(parts) <= 2 and all(_NUMBER.fullmatch(part) for part in parts):
            across, down = float(parts[0]), float(parts[-1]) if len(parts) == 2 else 1.0
            if across > 0 and down > 0 and 0.01 <= across / down <= 100:
                return cls(across / down)
        raise ValueError(cls.expected)

    def __str__(self) -> str:
        return f"{float(self):.10g}"


TextTypes = (Color, Length, Position, CropPosition, Point, Ratio)

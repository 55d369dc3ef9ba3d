"""Types of parameters that a URL writes as one value: colours, lengths, positions, points, ratios, names, numbers.

Each type has three members. `parse` takes a value from a URL or JSON, and raises ValueError with the expected form.
`str()` writes the canonical spelling, which `parse` reads as the same value. `schema` is its JSON schema.

They are plain tuples, not NamedTuples: msgspec would read a NamedTuple from a JSON array and never call `parse`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import ClassVar, Self

from imaging.params.color import Backdrop, Color
from imaging.params.numbers import Numbers

_NUMBER = re.compile(r"[+-]?(?:\d{1,12}(?:\.\d{0,20})?|\.\d{1,20})", re.ASCII)
_MAX_LENGTH = 10_000_000
"""The largest number of pixels or percent that a length may have; far above any limit on images."""


def _number(value: object) -> float | None:
    """Return the finite number that a value from JSON or a URL holds; None for anything else."""
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e12:
        return float(value)
    return None


def _decimal(value: float) -> str:
    """Write a number with at most six decimals, in as few digits as possible and never with an exponent."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


class Names(tuple[str, ...]):
    """Names without commas, in their order; in JSON also a list."""

    __slots__ = ()
    expected: ClassVar[str] = "1 to 100 names, separated by commas"
    schema: ClassVar[Mapping[str, object]] = {"type": "string", "format": "names", "examples": ["Violence,Gambling"]}

    def __getnewargs__(self) -> tuple[tuple[str, ...]]:
        return (tuple(self),)

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `one,two` or a list of strings; spaces around a name are ignored."""
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple) or not 1 <= len(parts) <= 100:
            raise ValueError(cls.expected)
        names = [part.strip() for part in parts if isinstance(part, str)]
        if len(names) < len(parts) or not all(name and "," not in name and len(name) <= 100 for name in names):
            raise ValueError(cls.expected)
        return cls(names)

    def __str__(self) -> str:
        return ",".join(self)


class Length(tuple[float, bool]):
    """A distance in pixels, or in percent of a side of the image; rounded to six decimals."""

    __slots__ = ()
    expected: ClassVar[str] = "pixels (120) or percent (25% or 25p)"
    schema: ClassVar[Mapping[str, object]] = {
        "type": ["integer", "string"],
        "format": "length",
        "examples": [120, "25p"],
    }

    def __new__(cls, value: float, percent: bool = False) -> Self:
        """Round the value; adding zero turns -0.0 into 0.0."""
        return super().__new__(cls, (round(value, 6) + 0.0, percent))

    def __getnewargs__(self) -> tuple[float, bool]:
        return (*self,)

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read a number of pixels, or a percentage with `%` or `p` behind it."""
        percent = False
        if isinstance(value, str) and value[-1:] in ("%", "p"):
            value, percent = value[:-1], True
        number = _number(value)
        if number is None or abs(number) > _MAX_LENGTH:
            raise ValueError(cls.expected)
        return cls(number, percent)

    @property
    def value(self) -> float:
        """The number of pixels or of percent."""
        return self[0]

    @property
    def percent(self) -> bool:
        """Whether it is a percentage of a side."""
        return self[1]

    def exactly(self, whole: int) -> float:
        """Return the pixels of a side that is `whole` pixels long, with their fraction."""
        return self.value * whole / 100 if self.percent else self.value

    def of(self, whole: int) -> int:
        """Return the pixels of a side that is `whole` pixels long; halves are rounded up."""
        return math.floor(self.exactly(whole) + 0.5)

    def __str__(self) -> str:
        return _decimal(self.value) + ("p" if self.percent else "")


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
    """One of nine positions in a rectangle, in CSS, compass or sharp's words; the value is the word of CSS."""

    __slots__ = ()
    choices: ClassVar[tuple[str, ...]] = tuple(_POINTS)
    expected: ClassVar[str] = "one of " + ", ".join(_POINTS) + " (or the compass points, north to northwest)"
    schema: ClassVar[Mapping[str, object]] = {"type": "string", "enum": list(_POINTS)}

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read a position such as `top-left`, `left top` or `northwest`."""
        if isinstance(value, str):
            word = value.strip().lower().replace(" ", "-").replace("_", "-")
            word = _SPELLINGS.get(word, word)
            if word in cls.choices:
                return cls(word)
        raise ValueError(cls.expected)

    @property
    def ratios(self) -> tuple[float, float]:
        """The position as fractions of width and height: 0 is left or top, 0.5 the middle, 1 right or bottom."""
        return _POINTS.get(str(self), (0.5, 0.5))

    def place(self, room: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
        """Return left and top of a box of `size` at this position of a rectangle of `room`.

        Half pixels are rounded up, as in sharp.
        """
        across, down = self.ratios
        return (math.floor((room[0] - size[0]) * across + 0.5), math.floor((room[1] - size[1]) * down + 0.5))


class CropPosition(Position):
    """One of the nine positions, or a strategy by which libvips finds the part to keep: `attention` or `entropy`."""

    __slots__ = ()
    choices: ClassVar[tuple[str, ...]] = (*_POINTS, "attention", "entropy")
    expected: ClassVar[str] = "one of " + ", ".join((*_POINTS, "attention", "entropy"))
    schema: ClassVar[Mapping[str, object]] = {"type": "string", "enum": [*_POINTS, "attention", "entropy"]}

    @property
    def searches(self) -> bool:
        """Whether the position depends on the pixels."""
        return str(self) not in _POINTS


class Point(tuple[float, float]):
    """A point as fractions of the image: x from the left and y from the top, both from 0 to 1, with six decimals."""

    __slots__ = ()
    expected: ClassVar[str] = "two fractions from 0 to 1, such as 0.5,0.25"
    schema: ClassVar[Mapping[str, object]] = {"type": "string", "format": "point", "examples": ["0.5,0.25"]}

    def __new__(cls, x: float, y: float) -> Self:
        """Round both fractions; adding zero turns -0.0 into 0.0."""
        return super().__new__(cls, (round(x, 6) + 0.0, round(y, 6) + 0.0))

    def __getnewargs__(self) -> tuple[float, float]:
        return (*self,)

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `x,y` or a list of two numbers."""
        parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        if isinstance(parts, list | tuple) and len(parts) == 2:
            x, y = _number(parts[0]), _number(parts[1])
            if x is not None and y is not None and 0 <= x <= 1 and 0 <= y <= 1:
                return cls(x, y)
        raise ValueError(cls.expected)

    def place(self, room: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
        """Return left and top of the box of `size` within `room` whose centre is nearest to this point."""
        left, top = (
            math.floor(share * whole - side / 2 + 0.5) for share, whole, side in zip(self, room, size, strict=True)
        )
        return (max(0, min(left, room[0] - size[0])), max(0, min(top, room[1] - size[1])))

    def __str__(self) -> str:
        return f"{_decimal(self[0])},{_decimal(self[1])}"


class Ratio(float):
    """Width divided by height."""

    __slots__ = ()
    expected: ClassVar[str] = "an aspect ratio such as 16:9 or 1.5, from 0.01 to 100"
    schema: ClassVar[Mapping[str, object]] = {
        "type": ["string", "number"],
        "format": "ratio",
        "examples": ["16:9", 1.5],
    }

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `16:9`, `1.5` or a number."""
        parts = [_number(part) for part in value.split(":")] if isinstance(value, str) else [_number(value)]
        across, down = parts[0], parts[1] if len(parts) == 2 else 1.0
        if len(parts) <= 2 and across and down and down > 0 and 0.01 <= across / down <= 100:
            return cls(across / down)
        raise ValueError(cls.expected)

    def __str__(self) -> str:
        return repr(float(self)).removesuffix(".0")


TextTypes = (Color, Backdrop, Length, Position, CropPosition, Point, Ratio, Names, Numbers)

__all__ = ["Color", "CropPosition", "Length", "Names", "Numbers", "Point", "Position", "Ratio", "TextTypes"]

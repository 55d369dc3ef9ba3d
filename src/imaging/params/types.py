"""Types of parameters that a URL writes as one value: colours, lengths, positions, points, ratios, lists.

Each type has three members. `parse` takes a value from a URL or JSON, and raises ValueError with the expected form.
`str()` writes the canonical spelling, which `parse` reads as the same value. `schema` is its JSON schema.

They are plain tuples, not NamedTuples: msgspec would read a NamedTuple from a JSON array and never call `parse`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Self

from imaging.params.color import Backdrop, Color
from imaging.params.length import Length, decimal, parse_number
from imaging.params.lists import Boxes, DetectionKinds, FormatQuality, Names, Numbers, QualityTarget, Ratio

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
    words: ClassVar[tuple[str, ...]] = (*_POINTS, *_SPELLINGS)
    """All words that a value may have, for the hint in the message about another one."""
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
    words: ClassVar[tuple[str, ...]] = (*choices, *_SPELLINGS)
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
            x, y = parse_number(parts[0]), parse_number(parts[1])
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
        return f"{decimal(self[0])},{decimal(self[1])}"


_ANCHORS = {
    "nowe": (-1, -1), "no": (0, -1), "noea": (1, -1),
    "we": (-1, 0), "ce": (0, 0), "ea": (1, 0),
    "sowe": (-1, 1), "so": (0, 1), "soea": (1, 1),
}  # fmt: skip
"""Where offsets begin on each axis: -1 is the left or the top, 0 the middle, 1 the right or the bottom."""


class Gravity(tuple[str, float, float]):
    """A direction with offsets, a focal point, or `sm`: the part that libvips' attention finds; imgproxy's words.

    An offset of 1 or more is in pixels, a smaller one is a fraction of the outer rectangle's side. From an edge it
    leads inwards, from the middle to the right and down.
    """

    __slots__ = ()
    expected: ClassVar[str] = (
        f"one of {', '.join(_ANCHORS)}, with offsets such as soea:10:0.1, or sm, or fp:x:y with x and y from 0 to 1"
    )
    words: ClassVar[tuple[str, ...]] = (*_ANCHORS, "sm", "fp")
    schema: ClassVar[Mapping[str, object]] = {
        "type": "string",
        "format": "gravity",
        "examples": ["so", "soea:10:20", "fp:0.5:0.25"],
    }

    def __new__(cls, kind: str, x: float = 0.0, y: float = 0.0) -> Self:
        """Round both numbers to six decimals; adding zero turns -0.0 into 0.0."""
        return super().__new__(cls, (kind, round(x, 6) + 0.0, round(y, 6) + 0.0))

    def __getnewargs__(self) -> tuple[str, float, float]:
        return (*self,)

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `so`, `soea:10:0.1`, `fp:0.3:0.4` or `sm`."""
        kind, *texts = value.split(":") if isinstance(value, str) else ("",)
        numbers = [number for text in texts if (number := parse_number(text)) is not None and abs(number) < 1e9]
        is_point = kind == "fp" and len(numbers) == 2 and all(0 <= number <= 1 for number in numbers)
        is_known = is_point or kind in _ANCHORS or (kind == "sm" and not texts)
        if not is_known or len(numbers) < len(texts) or len(texts) > 2:
            raise ValueError(cls.expected)
        return cls(kind, *numbers)

    @property
    def kind(self) -> str:
        """The direction, `fp` or `sm`."""
        return self[0]

    @property
    def searches(self) -> bool:
        """Whether the position depends on the pixels."""
        return self.kind == "sm"

    def place(
        self, room: tuple[int, int], size: tuple[int, int], ratio: float = 1.0, *, overflows: bool = False
    ) -> tuple[int, int]:
        """Return left and top of a box of `size` in a rectangle of `room`; `ratio` multiplies offsets in pixels.

        The box stays inside, or with `overflows` keeps at least one pixel inside. Halves are rounded to even numbers,
        and the middle lies half a pixel further than the exact one, as in imgproxy's `calcPosition`.
        """
        if self.kind == "fp":
            left, top = (
                round(whole * share) - side // 2 for whole, share, side in zip(room, self[1:], size, strict=True)
            )
        else:
            sides = zip(_ANCHORS.get(self.kind, (0, 0)), room, size, self[1:], strict=True)
            left, top = (_along(anchor, whole, side, offset, ratio) for anchor, whole, side, offset in sides)
        bounds = [
            (1 - side, whole - 1) if overflows else (0, whole - side) for whole, side in zip(room, size, strict=True)
        ]
        return max(bounds[0][0], min(left, bounds[0][1])), max(bounds[1][0], min(top, bounds[1][1]))

    def __str__(self) -> str:
        numbers = [decimal(number) for number in self[1:]]
        return ":".join((self.kind, *numbers)) if any(self[1:]) or self.kind == "fp" else self.kind


def _along(anchor: int, whole: int, side: int, offset: float, ratio: float) -> int:
    """Return where a box begins along one axis, not yet bounded."""
    pixels = round(offset * ratio) if abs(offset) >= 1 else round(whole * offset)
    if anchor < 0:
        return pixels
    return whole - side - pixels if anchor > 0 else round((whole - side + 1) / 2) + pixels


TextTypes = (
    *(Color, Backdrop, Length, Position, CropPosition, Point, Ratio, Gravity),
    *(Names, DetectionKinds, Numbers, Boxes, FormatQuality, QualityTarget),
)

__all__ = [
    "Boxes",
    "Color",
    "CropPosition",
    "DetectionKinds",
    "FormatQuality",
    "Gravity",
    "Length",
    "Names",
    "Numbers",
    "Point",
    "Position",
    "QualityTarget",
    "Ratio",
    "TextTypes",
]

"""A distance in pixels or percent, and how numbers are read from and written into URLs."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import ClassVar, Self

_NUMBER = re.compile(r"[+-]?(?:\d{1,12}(?:\.\d{0,20})?|\.\d{1,20})", re.ASCII)
_MAX_LENGTH = 10_000_000
"""The largest number of pixels or percent that a length may have; far above any limit on images."""


def parse_number(value: object) -> float | None:
    """Return the finite number that a value from JSON or a URL holds; None for anything else."""
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e12:
        return float(value)
    return None


def decimal(value: float) -> str:
    """Write a number with at most six decimals, in as few digits as possible and never with an exponent."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


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
        number = parse_number(value)
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
        return decimal(self.value) + ("p" if self.percent else "")

"""The type of parameters that are lists of numbers, which a URL writes as `1,0,-1`; matrices row by row."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import ClassVar, Self

_NUMBER = re.compile(r"[+-]?(?:\d{1,12}(?:\.\d{0,20})?|\.\d{1,20})", re.ASCII)
_MAX_NUMBERS = 1024
_MAX_VALUE = 1e9


class Numbers(tuple[float, ...]):
    """Numbers in their order, with six decimals; in JSON also one number, a list, or a list of rows."""

    __slots__ = ()
    expected: ClassVar[str] = f"1 to {_MAX_NUMBERS} numbers, separated by commas, matrices row by row"
    schema: ClassVar[Mapping[str, object]] = {
        "type": ["string", "number"],
        "format": "numbers",
        "examples": ["0,-1,0,-1,5,-1,0,-1,0"],
    }

    def __new__(cls, *numbers: float) -> Self:
        """Round the numbers; adding zero turns -0.0 into 0.0."""
        return super().__new__(cls, tuple(round(number, 6) + 0.0 for number in numbers))

    def __getnewargs__(self) -> tuple[float, ...]:
        return tuple(self)

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `1,2.5,-3`, a number, a list of numbers, or a list of rows; spaces around a number are ignored."""
        if isinstance(value, str):
            parts: list[object] = [part.strip() for part in value.split(",")] if len(value) < 30_000 else []
        elif isinstance(value, list | tuple):
            parts = [part for row in value for part in (row if isinstance(row, list | tuple) else [row])]
        else:
            parts = [value]
        numbers = [number for part in parts if (number := _finite(part)) is not None]
        if not 1 <= len(parts) <= _MAX_NUMBERS or len(numbers) < len(parts):
            raise ValueError(cls.expected)
        return cls(*numbers)

    def rows(self, width: int) -> list[list[float]]:
        """Return the numbers as the rows of a matrix of `width` columns."""
        return [list(self[at : at + width]) for at in range(0, len(self), width)]

    def __str__(self) -> str:
        return ",".join(f"{number:.6f}".rstrip("0").rstrip(".") for number in self)


def _finite(value: object) -> float | None:
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) and abs(float(value)) <= _MAX_VALUE else None
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _MAX_VALUE or math.isnan(value):
        return None
    return float(value)

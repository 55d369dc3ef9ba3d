"""The types of parameters whose text holds several values: names, numbers, boxes, qualities by format, a ratio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Self

from imaging.formats import INDEX, WRITTEN
from imaging.params.length import Length, decimal, parse_number

_MAX_NUMBERS = 1024
_MAX_VALUE = 1e9
_MAX_BOXES = 100
_SIDES = ("left", "top", "width", "height")


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


class DetectionKinds(Names):
    """Kinds of what detectors find, in their order."""

    __slots__ = ()
    words: ClassVar[tuple[str, ...]] = ("faces", "objects", "text")
    expected: ClassVar[str] = f"some of {', '.join(words)}, separated by commas"
    schema: ClassVar[Mapping[str, object]] = {"type": "string", "format": "names", "examples": ["faces", "faces,text"]}

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `faces,text` or a list of strings."""
        kinds = super().parse(value)
        if not set(kinds) <= set(cls.words):
            raise ValueError(cls.expected)
        return kinds


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
        return ",".join(map(decimal, self))


class Boxes(tuple[Length, ...]):
    """Rectangles as left, top, width and height, one after the other; in JSON also a list of lists or of objects."""

    __slots__ = ()
    expected: ClassVar[str] = (
        f"1 to {_MAX_BOXES} rectangles as left,top,width,height in pixels or percent, such as 10,20,100,80 or "
        "5p,5p,20p,30p, with a width and a height above 0"
    )
    schema: ClassVar[Mapping[str, object]] = {
        "type": "string",
        "format": "boxes",
        "examples": ["10,20,100,80", "5p,5p,20p,30p,60p,60p,10p,10p"],
    }

    def __getnewargs__(self) -> tuple[tuple[Length, ...]]:
        return (tuple(self),)

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `10,20,100,80`, a list of such lists, or a list of objects with left, top, width and height."""
        if isinstance(value, str):
            parts: list[object] = [part.strip() for part in value.split(",")] if len(value) < 10_000 else []
        elif isinstance(value, list | tuple):
            parts = [part for row in value for part in cls._row(row)]
        else:
            parts = []
        if not parts or len(parts) % 4 or len(parts) > 4 * _MAX_BOXES:
            raise ValueError(cls.expected)
        try:
            lengths = [Length.parse(part) for part in parts]
        except ValueError:
            raise ValueError(cls.expected) from None
        if any(length.value <= 0 for index, length in enumerate(lengths) if index % 4 >= 2):
            raise ValueError(cls.expected)
        return cls(lengths)

    @classmethod
    def _row(cls, row: object) -> tuple[object, ...]:
        if isinstance(row, Mapping):
            if row.keys() != set(_SIDES):
                raise ValueError(cls.expected)
            return tuple(row[side] for side in _SIDES)
        return tuple(row) if isinstance(row, list | tuple) else (row,)

    def boxes(self) -> Iterator[tuple[Length, Length, Length, Length]]:
        """Yield left, top, width and height of each rectangle."""
        for at in range(0, len(self), 4):
            left, top, width, height = self[at : at + 4]
            yield left, top, width, height

    def __str__(self) -> str:
        return ",".join(map(str, self))


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
        parts = [_finite(part) for part in value.split(":")] if isinstance(value, str) else [_finite(value)]
        across, down = parts[0], parts[1] if len(parts) == 2 else 1.0
        if len(parts) <= 2 and across and down and down > 0 and 0.01 <= across / down <= 100:
            return cls(across / down)
        raise ValueError(cls.expected)

    def __str__(self) -> str:
        return repr(float(self)).removesuffix(".0")


def _finite(value: object) -> float | None:
    number = parse_number(value)
    return number if number is not None and abs(number) <= _MAX_VALUE else None


_MAX_SCORE = 99
_FORMATS = {name: entry.name for entry in INDEX for name in (entry.name, *entry.aliases)}


class FormatQuality(tuple[tuple[str, int], ...]):
    """Pairs of a format and its quality; in JSON also an object."""

    __slots__ = ()
    expected: ClassVar[str] = (
        f"qualities from 1 to 100 by format ({', '.join(WRITTEN)}), such as webp:79,avif:63, each format once"
    )
    schema: ClassVar[Mapping[str, object]] = {
        "type": "string",
        "format": "format-quality",
        "examples": ["webp:79,avif:63"],
    }

    def __getnewargs__(self) -> tuple[tuple[tuple[str, int], ...]]:
        return (tuple(self),)

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `webp:79,avif:63` or an object of numbers."""
        if isinstance(value, str):
            parts = [part.partition(":")[::2] for part in value.split(",")]
        elif isinstance(value, Mapping):
            parts = [(str(name), str(quality)) for name, quality in value.items()]
        else:
            raise ValueError(cls.expected)
        pairs = {_FORMATS.get(name.strip(), ""): quality.strip() for name, quality in parts}
        if (
            not pairs
            or len(pairs) < len(parts)
            or not set(pairs) <= set(WRITTEN)
            or not all(map(_is_quality, pairs.values()))
        ):
            raise ValueError(cls.expected)
        return cls(sorted((name, int(quality)) for name, quality in pairs.items()))

    def of(self, name: str) -> int | None:
        """Return the quality of a format, None if it has none."""
        return dict(self).get(name)

    def __str__(self) -> str:
        return ",".join(f"{name}:{quality}" for name, quality in self)


class QualityTarget(FormatQuality):
    """A score from 1 to 99 for all formats, or pairs of a format and its score; in JSON also a number or an object."""

    __slots__ = ()
    expected: ClassVar[str] = (
        f"a score from 1 to 99, or scores by format ({', '.join(WRITTEN)}), such as webp:72,avif:68, each format once"
    )
    schema: ClassVar[Mapping[str, object]] = {
        "type": ["integer", "string"],
        "format": "format-quality",
        "examples": [70, "webp:72,avif:68"],
    }

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `70`, `webp:72,avif:68`, a number or an object of numbers."""
        is_number = isinstance(value, int) and not isinstance(value, bool)
        text = str(value) if is_number else value
        found = cls((("", int(text)),)) if isinstance(text, str) and _is_quality(text) else super().parse(value)
        if any(score > _MAX_SCORE for _, score in found):
            raise ValueError(cls.expected)
        return found

    def of(self, name: str) -> int | None:
        """Return the score of a format, None if it has none."""
        scores = dict(self)
        return scores.get(name, scores.get(""))

    def __str__(self) -> str:
        return super().__str__().removeprefix(":")


def _is_quality(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= 100

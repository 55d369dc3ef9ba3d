"""The types of parameters that are colours, in the spellings of CSS or as the objects of sharp, or backgrounds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Self

_HEX = re.compile(r"#?([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})")
_RGB = re.compile(r"rgba?\( *(\d{1,3}) *, *(\d{1,3}) *, *(\d{1,3}) *(?:, *(\d?\.?\d{1,6}) *)?\)", re.ASCII)

_NEWER_NAMES = {"transparent": (0, 0, 0, 0.0), "rebeccapurple": (102, 51, 153, 1.0)}
"""Names of CSS that webcolors does not know, which has those of version 3."""


class Color(tuple[int, int, int, float]):
    """A colour in sRGB: red, green and blue from 0 to 255, alpha from 0 (transparent) to 1 (opaque) in 255 steps."""

    __slots__ = ()
    expected: ClassVar[str] = "a colour (CSS name, hex such as ff8800 or #f80, rgb(r,g,b), rgba(r,g,b,a), transparent)"
    schema: ClassVar[Mapping[str, object]] = {"type": "string", "format": "color", "examples": ["white", "ff8800"]}

    def __new__(cls, red: int, green: int, blue: int, alpha: float = 1.0) -> Self:
        """Round alpha to one of the levels of eight bits."""
        return super().__new__(cls, (red, green, blue, round(round(alpha * 255) / 255, 4)))

    def __getnewargs__(self) -> tuple[int, int, int, float]:
        return (*self,)

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read a CSS name, hex digits with or without `#`, rgb(), rgba(), or sharp's {r, g, b, alpha}."""
        if isinstance(value, Mapping):
            return cls._from_channels(value)
        if not isinstance(value, str):
            raise ValueError(cls.expected)
        text = value.strip().lower()
        if text in _NEWER_NAMES:
            return cls(*_NEWER_NAMES[text])
        if match := _RGB.fullmatch(text):
            return cls._checked(int(match[1]), int(match[2]), int(match[3]), float(match[4] or 1))
        if match := _HEX.fullmatch(text):
            return cls._from_hex(match[1])
        return cls._from_name(text)

    @classmethod
    def _from_channels(cls, channels: Mapping[object, object]) -> Self:
        values = {"r": 0, "g": 0, "b": 0, "alpha": 1, **channels}
        numbers = [value for value in values.values() if isinstance(value, int | float) and not isinstance(value, bool)]
        if len(values) > 4 or len(numbers) < 4 or not all(0 <= number <= 255 for number in numbers):
            raise ValueError(cls.expected + " or {r, g, b, alpha} with channels 0 to 255 and alpha 0 to 1")
        red, green, blue, alpha = numbers
        return cls._checked(round(red), round(green), round(blue), alpha)

    @classmethod
    def _from_hex(cls, digits: str) -> Self:
        if len(digits) <= 4:
            digits = "".join(digit * 2 for digit in digits)
        parts = [int(digits[at : at + 2], 16) for at in range(0, len(digits), 2)]
        return cls(parts[0], parts[1], parts[2], parts[3] / 255 if len(parts) == 4 else 1.0)

    @classmethod
    def _from_name(cls, name: str) -> Self:
        import webcolors  # noqa: PLC0415 - most requests name no colour

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
    def red(self) -> int:
        """0 to 255."""
        return self[0]

    @property
    def green(self) -> int:
        """0 to 255."""
        return self[1]

    @property
    def blue(self) -> int:
        """0 to 255."""
        return self[2]

    @property
    def alpha(self) -> float:
        """0 (transparent) to 1 (opaque)."""
        return self[3]

    @property
    def rgb(self) -> list[int]:
        """Red, green, blue."""
        return [self.red, self.green, self.blue]

    @property
    def rgba(self) -> list[float]:
        """Red, green, blue and alpha, all 0 to 255."""
        return [self.red, self.green, self.blue, round(self.alpha * 255)]

    @property
    def grey(self) -> bool:
        """Whether its red, green and blue are equal."""
        return self.red == self.green == self.blue

    def __str__(self) -> str:
        alpha = "" if self.alpha == 1 else f"{round(self.alpha * 255):02x}"
        return f"{self.red:02x}{self.green:02x}{self.blue:02x}{alpha}"


class Backdrop(str):
    """A colour, or the key of an image, which holds a dot or a slash.

    `/name` stands for the key `name`, because no key begins with a slash.
    """

    __slots__ = ()
    expected: ClassVar[str] = f"{Color.expected}, or the key of an image such as backdrops/beach.jpg"
    schema: ClassVar[Mapping[str, object]] = {
        "type": "string",
        "format": "backdrop",
        "examples": ["white", "backdrops/beach.jpg"],
    }

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read a colour as `Color` does, or else a key."""
        try:
            return cls(Color.parse(value))
        except ValueError:
            if isinstance(value, str) and ("." in value or "/" in value) and 1 < len(value) <= 1024:
                return cls(value)
            raise ValueError(cls.expected) from None

    @property
    def color(self) -> Color | None:
        """The colour, if it is one."""
        try:
            return Color.parse(str(self))
        except ValueError:
            return None

    @property
    def key(self) -> str:
        """The key of the image; empty for a colour."""
        return "" if self.color else self.removeprefix("/")

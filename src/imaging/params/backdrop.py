"""The type of parameters that name a background: a colour, or the key of another image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from imaging.params.color import Color


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

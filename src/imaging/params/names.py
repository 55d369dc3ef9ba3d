"""The type of parameters that are lists of names, which a URL writes as `one,two`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self


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

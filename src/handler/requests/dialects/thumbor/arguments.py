"""What stands between the brackets of a filter, read as what it must be; refusals name the filter and its usage."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, NoReturn, TypeVar

from handler.requests.dialects.thumbor.grammar import FilterCall
from imaging import InvalidParameter

_WHOLE = re.compile(r"-?[0-9]{1,9}")
_NUMBER = re.compile(r"-?(?:[0-9]{1,9}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})")
T = TypeVar("T", int, float)
_TRUE, _FALSE = ("true", "1"), ("false", "0")


class Usage(NamedTuple):
    """How many arguments a filter takes, and how it is written."""

    least: int
    most: int
    written: str


class Arguments:
    """The arguments of one filter."""

    def __init__(self, call: FilterCall, usage: Usage) -> None:
        """InvalidParameter where there are too few of them or too many."""
        self._call = call
        self._usage = usage
        self._said = call.arguments
        if not usage.least <= len(self._said) <= usage.most:
            self.refuse()

    def __len__(self) -> int:
        return len(self._said)

    @property
    def where(self) -> str:
        """The filter's name in messages."""
        return f"filters:{self._call.name}"

    def refuse(self, expected: str = "") -> NoReturn:
        """InvalidParameter that says how the filter is written."""
        written = f"{self._usage.written}{' with ' + expected if expected else ''}"
        raise InvalidParameter(self.where, f"written as {written}", str(self._call))

    def text(self, at: int, default: str = "") -> str:
        """An argument as it stands there; the default where there is none."""
        arguments = self._said[at] if at < len(self._said) else ""
        return arguments or default

    def number(self, at: int, default: float | None = None) -> float:
        """A decimal number."""
        return self._read(at, _NUMBER, float, default, "numbers")

    def whole(self, at: int, default: int | None = None, *, least: int = -(10**9), most: int = 10**9) -> int:
        """A whole number."""
        number = self._read(at, _WHOLE, int, default, "whole numbers")
        if not least <= number <= most:
            self.refuse(f"numbers from {least} to {most}" if most < 10**9 else f"numbers of at least {least}")
        return number

    def numbers(self, at: int) -> list[float]:
        """Decimal numbers, separated by semicolons."""
        arguments = self.text(at).split(";")
        if not all(_NUMBER.fullmatch(number) for number in arguments):
            self.refuse("numbers separated by semicolons")
        return [float(number) for number in arguments]

    def switch(self, at: int, *, default: bool) -> bool:
        """True or false, also as 1 or 0."""
        word = self.text(at).lower()
        if word and word not in (*_TRUE, *_FALSE):
            self.refuse("true or false")
        return word in _TRUE if word else default

    def one_of(self, at: int, words: tuple[str, ...]) -> str:
        """One of these words, however it is capitalised."""
        word = self.text(at).lower()
        if word not in words:
            self.refuse("one of " + ", ".join(words))
        return word

    def _read(self, at: int, pattern: re.Pattern[str], read: Callable[[str], T], default: T | None, expected: str) -> T:
        arguments = self.text(at)
        if not arguments and default is not None:
            return default
        if not pattern.fullmatch(arguments):
            self.refuse(expected)
        return read(arguments)

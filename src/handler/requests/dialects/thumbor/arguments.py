"""The arguments of a filter, parsed and checked one at a time. Every error names the filter and shows its usage."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, NoReturn, TypeVar

from handler.requests.dialects.dialect import Faults
from handler.requests.dialects.thumbor.grammar import FilterCall
from imaging import InvalidParameter, suggest

_INTEGER = re.compile(r"-?[0-9]{1,9}")
_NUMBER = re.compile(r"-?(?:[0-9]{1,9}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})")
T = TypeVar("T", int, float)
_TRUE, _FALSE = ("true", "1"), ("false", "0")


class Usage(NamedTuple):
    """How many arguments a filter takes, and how it is written, such as `blur(RADIUS[,SIGMA])`."""

    min_arguments: int
    max_arguments: int
    text: str


class Arguments:
    """The arguments of one filter call. An argument that is left out or empty has its default."""

    def __init__(self, call: FilterCall, usage: Usage, faults: Faults, *, drops_extra: bool = False) -> None:
        """Raise InvalidParameter if there are too few or too many arguments; `drops_extra` tolerates the latter."""
        self.faults = faults
        self._call = call
        self._usage = usage
        self._texts = call.arguments
        if drops_extra and len(self._texts) > usage.max_arguments:
            self.tolerate()
            del self._texts[usage.max_arguments :]
        if not usage.min_arguments <= len(self._texts) <= usage.max_arguments:
            self.refuse()

    def __len__(self) -> int:
        return len(self._texts)

    @property
    def where(self) -> str:
        """Return the name of the filter as messages have it, such as `filters:blur`."""
        return f"filters:{self._call.name}"

    def refuse(self, expected: str = "") -> NoReturn:
        """Raise InvalidParameter with the usage of the filter, what was expected and the call as it was written."""
        raise self._error(expected)

    def tolerate(self, expected: str = "") -> None:
        """Raise the same error in strict mode only; in lenient mode the caller repairs or ignores the argument."""
        self.faults.tolerate(self._error(expected))

    def _error(self, expected: str) -> InvalidParameter:
        usage = f"{self._usage.text}{' with ' + expected if expected else ''}"
        return InvalidParameter(self.where, f"written as {usage}", str(self._call))

    def text(self, at: int, default: str = "") -> str:
        """Return the argument at that index as it is written."""
        return (self._texts[at] if at < len(self._texts) else "") or default

    def number(self, at: int, default: float | None = None) -> float:
        """Parse a decimal number."""
        return self._parse(at, _NUMBER, float, default, "numbers")

    def integer(self, at: int, default: int | None = None, *, min_value: int = -(10**9), max_value: int = 10**9) -> int:
        """Parse a whole number within a range, both ends included. Faults.tolerate decides about one beyond it.

        Thumbor limits the levels that come out and not the numbers, which comes to limiting the numbers here. Where no
        negative number is allowed, its pattern does not match one, so that the filter does nothing.
        """
        number = self._parse(at, _INTEGER, int, default, "whole numbers")
        if min_value <= number <= max_value:
            return number
        is_open = max_value == 10**9
        expected = f"numbers of at least {min_value}" if is_open else f"numbers from {min_value} to {max_value}"
        if number < min_value and min_value >= 0:
            self.refuse(expected)
        self.tolerate(expected)
        return min(max(number, min_value), max_value)

    def numbers(self, at: int) -> list[float]:
        """Parse decimal numbers that are separated by semicolons."""
        texts = self.text(at).split(";")
        if not all(_NUMBER.fullmatch(number) for number in texts):
            self.refuse("numbers separated by semicolons")
        return [float(number) for number in texts]

    def boolean(self, at: int, *, default: bool) -> bool:
        """Parse `true` or `1`, `false` or `0`, in either case."""
        word = self.text(at).lower()
        if word and word not in (*_TRUE, *_FALSE):
            self.refuse("true or false" + suggest(word, ("true", "false")))
        return word in _TRUE if word else default

    def choice(self, at: int, words: tuple[str, ...]) -> str:
        """Parse one of these words, in either case."""
        word = self.text(at).lower()
        if word not in words:
            self.refuse("one of " + ", ".join(words) + suggest(word, words))
        return word

    def _parse(
        self, at: int, pattern: re.Pattern[str], convert: Callable[[str], T], default: T | None, expected: str
    ) -> T:
        text = self.text(at)
        if not text and default is not None:
            return default
        if not pattern.fullmatch(text):
            self.refuse(expected)
        return convert(text)

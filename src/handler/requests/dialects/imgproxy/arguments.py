"""The arguments of one option, parsed as imgproxy does. Every error names the option and shows it as it was written."""

from __future__ import annotations

import base64
import binascii
import math
import re
from typing import NoReturn

from handler.core.errors import InvalidURL
from handler.requests.dialects.dialect import Faults
from imaging import InvalidParameter, suggest

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False", "")
_COLOR = re.compile(r"[0-9a-fA-F]{3}|[0-9a-fA-F]{6}")
_DIRECTIONS = ("ce", "no", "ea", "so", "we", "nowe", "noea", "sowe", "soea")
_BASE64 = re.compile(r"[A-Za-z0-9_-]*")


def decode_base64(text: str) -> str | None:
    """Return the text that is written in URL-safe base64, with or without padding; None for anything else."""
    text = text.rstrip("=")
    try:
        if _BASE64.fullmatch(text):
            return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        pass  # None is returned for every text that is not base64 of UTF-8.
    return None


class Arguments:
    """The arguments of an option; one that is left out or empty is None."""

    def __init__(self, name: str, texts: list[str], max_arguments: int, faults: Faults) -> None:
        """Raise InvalidURL if there are more arguments than the option has."""
        self.name = name
        self.texts = texts
        self.faults = faults
        if len(texts) > max_arguments:
            self.refuse(f"at most {max_arguments} arguments")

    def __len__(self) -> int:
        return len(self.texts)

    def refuse(self, expected: str) -> NoReturn:
        """Raise InvalidURL with what was expected and the option as it was written."""
        raise self.fault(expected)

    def fault(self, expected: str) -> InvalidParameter:
        """Return the error with what was expected and the option as it was written."""
        return InvalidURL(self.name, f"an option with {expected}", ":".join((self.name, *self.texts)))

    def text(self, at: int) -> str:
        """Return the argument at that index as it is written, empty if it is left out."""
        return self.texts[at] if at < len(self.texts) else ""

    def integer(self, at: int, minimum: int = 0, maximum: int = 10**18) -> int | None:
        """Parse a whole number."""
        text = self.text(at)
        return self.given_integer(at, minimum, maximum) if text else None

    def given_integer(self, at: int, minimum: int = 0, maximum: int = 10**18) -> int:
        """Parse a whole number that must be given."""
        text = self.text(at)
        if not _INTEGER.fullmatch(text) or not minimum <= int(text) <= maximum:
            bounds = f"of at least {minimum}" if maximum == 10**18 else f"from {minimum} to {maximum}"
            self.refuse(f"a whole number {bounds}")
        return int(text)

    def number(self, at: int, minimum: float = 0.0, maximum: float = math.inf, *, above: bool = False) -> float | None:
        """Parse a decimal number; with `above` it must be larger than the minimum."""
        return self.given_number(at, minimum, maximum, above=above) if self.text(at) else None

    def given_number(self, at: int, minimum: float = 0.0, maximum: float = math.inf, *, above: bool = False) -> float:
        """Parse a decimal number that must be given."""
        text = self.text(at)
        number = float(text) if _NUMBER.fullmatch(text) else math.nan
        if not (minimum < number if above else minimum <= number) or not number <= maximum or math.isinf(number):
            bounds = f"{'above' if above else 'from'} {minimum:g}" + ("" if math.isinf(maximum) else f" to {maximum:g}")
            self.refuse("a number" if math.isinf(minimum) else f"a number {bounds}")
        return number

    def boolean(self, at: int) -> bool | None:
        """Parse `1`, `t`, `true`, or `0`, `f`, `false`; None if it is left out or empty.

        imgproxy takes any other word for false, with a warning in its log; here that is a fault.
        """
        return self.given_boolean(at) if self.text(at) else None

    def given_boolean(self, at: int) -> bool:
        """Parse a boolean that is false if it is empty."""
        text = self.text(at)
        if text not in (*_TRUE, *_FALSE):
            self.faults.tolerate(self.fault("1, t, true, 0, f or false" + suggest(text, ("true", "false"))))
        return text in _TRUE

    def color(self, at: int) -> str:
        """Parse a colour of three or six hexadecimal digits."""
        if not _COLOR.fullmatch(self.text(at)):
            self.refuse("a colour of 3 or 6 hexadecimal digits")
        return self.text(at).lower()

    def base64(self, at: int) -> str:
        """Decode a text in URL-safe base64."""
        decoded = decode_base64(self.text(at))
        if decoded is None:
            self.refuse("a text in URL-safe base64")
        return decoded

    def choice(self, at: int, words: tuple[str, ...]) -> str:
        """Parse one of these words."""
        if self.text(at) not in words:
            self.refuse("one of " + ", ".join(words) + suggest(self.text(at), words))
        return self.text(at)

    def gravity(
        self, at: int, base: tuple[str, float, float] | None, *, smart: bool, repeated: bool = False
    ) -> tuple[str, float, float]:
        """Parse a gravity that begins at that index and takes all further arguments.

        `base` is what it replaces: offsets that are not given stay, except behind `sm`.
        """
        kind = self.choice(at, (*_DIRECTIONS, *(("sm",) if smart else ()), *(("re", "ch") if repeated else ("fp",))))
        if kind == "sm":
            if len(self) > at + 1:
                self.refuse("no offsets for sm")
            return "sm", 0.0, 0.0
        if len(self) > at + 3:
            self.refuse("at most two offsets")
        if kind == "fp":
            return "fp", self.given_number(at + 1, 0, 1), self.given_number(at + 2, 0, 1)
        x, y = (self.number(at + index, -math.inf) for index in (1, 2))
        old = base if base is not None and base[0] != "fp" else ("", 0.0, 0.0)
        return kind, old[1] if x is None else x, old[2] if y is None else y

"""JSON without ambiguity: no name occurs twice, every number is finite, and all text is Unicode."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NoReturn

from imaging import InvalidParameter

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def loads(text: str, tolerate: Callable[[InvalidParameter], None] | None = None) -> object:
    """Parse JSON. Raises InvalidParameter for what is ambiguous, ValueError or RecursionError for what is not JSON.

    `tolerate` is called for a name that occurs twice in an object, and may return: then its last value counts.
    """

    def build(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            (tolerate or _refuse)(_repetition(pairs))
        return found

    value = json.loads(text, object_pairs_hook=build, parse_constant=_refuse_constant, parse_float=_number)
    if _SURROGATE.search(text):
        refuse_lone_surrogates(value)
    return value


def refuse_lone_surrogates(value: object) -> None:
    """Raise InvalidParameter for half a character: JSON can hold it, but no store, header or answer can."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidParameter("JSON", "Unicode text", "a lone surrogate") from None
    except RecursionError:
        raise InvalidParameter("JSON", "of a depth that can be read", "objects within objects") from None


def _repetition(pairs: list[tuple[str, object]]) -> InvalidParameter:
    """Return the error for the first name that occurs twice."""
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            return InvalidParameter(name, "given once in a JSON object", "twice")
        seen.add(name)
    raise ValueError("no name occurs twice")


def _refuse(error: InvalidParameter) -> NoReturn:
    raise error


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidParameter("JSON", "finite numbers", name)


def _number(digits: str) -> float | int:
    """Return a whole number for `90.0` as well as for `90`."""
    number = float(digits)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number

"""JSON without ambiguity: no name occurs twice, every number is finite, and all text is Unicode."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from imaging import InvalidParameter

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def loads(text: str) -> object:
    """Parse JSON. Raises InvalidParameter for what is ambiguous, ValueError or RecursionError for what is not JSON."""
    value = json.loads(text, object_pairs_hook=_refuse_repeated, parse_constant=_refuse_constant, parse_float=_number)
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


def _refuse_repeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidParameter(twice, "given once in a JSON object", "twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidParameter("JSON", "finite numbers", name)


def _number(digits: str) -> float | int:
    """Return a whole number for `90.0` as well as for `90`."""
    number = float(digits)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number

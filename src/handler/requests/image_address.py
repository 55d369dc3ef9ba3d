"""Write the URL of a key with options, as the client libraries do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from handler.auth.canonical import canonical
from handler.core.errors import BadRequest, NotFound
from handler.requests import dialects
from handler.requests.parse import parse_address
from handler.requests.parsed_request import KEY_PREFIX
from handler.requests.policy import Policy
from imaging import FeatureError

ANY_LANGUAGE = Policy(dialects=dialects.select(dialects.names()))
"""Every URL language is accepted, and the service's own comes last, so that each of the others reads what it can."""

_STEPS = "steps"
"""The one parameter whose value is JSON."""


def image_address(key: str, options: Mapping[str, Any]) -> str:
    """Return the canonical form of the first address that every configuration of URL languages reads as this key.

    A mapping holds the parameters of a feature, and a list of mappings a feature that is applied several times.
    """
    key = key.removeprefix("/")
    prefix = "/" if _is_read_as_key(key) else KEY_PREFIX
    return canonical(prefix + key, list(_flatten(options)))


def _is_read_as_key(key: str) -> bool:
    try:
        parsed = parse_address(f"/{key}", (), ANY_LANGUAGE)
    except (BadRequest, NotFound, FeatureError):
        return False
    return parsed.ref.key == key and not parsed.ref.bucket and not parsed.recipe.steps


def _flatten(options: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the query parameters that options stand for."""
    for name, value in options.items():
        if name == _STEPS:
            yield name, json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        elif isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for number, element in enumerate(value):
                yield from _flatten({f"{name}.{number}": element}, prefix)
        elif value is not None:
            yield prefix + name, _write(value)


def _write(value: Any) -> str:
    """Return one value as text. Raise TypeError for lists and objects inside a list, which no URL can hold."""
    if isinstance(value, list):
        if nested := [each for each in value if isinstance(each, list | Mapping)]:
            raise TypeError(f"a list must hold texts and numbers, or objects alone, got {nested[0]!r:.80}")
        return ",".join(map(_write, value))
    return str(value).lower() if isinstance(value, bool) else str(value)

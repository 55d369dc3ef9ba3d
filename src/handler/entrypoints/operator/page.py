"""One page of the operator API, and how its parameters are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from handler.core.errors import BadRequest
from handler.entrypoints.http_call import HttpRequest
from handler.render.results import Delegated
from handler.requests.strict_json import loads
from handler.response import Answer
from imaging import Deadline


class Page(msgspec.Struct, frozen=True):
    """The methods of a page, and the function that answers them."""

    methods: tuple[str, ...]
    answer: Callable[[HttpRequest, Deadline], Answer | Delegated]


def read_params(call: HttpRequest, names: Iterable[str]) -> dict[str, Any]:
    """Return the parameters of a query and, with POST, of a JSON object. Raise BadRequest for an unknown name."""
    params: dict[str, Any] = dict(call.pairs(None))
    if call.method == "POST":
        params |= parse_object(call.body, names)
    for name in params:
        if name not in names:
            raise BadRequest(f"`{name[:60]}` must be one of {', '.join(names)}")
    return params


def parse_limit(value: str | None, default: int, largest: int) -> int:
    """Return how many entries a page of a listing has at most."""
    if value is None:
        return default
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:9]) <= largest:
        raise BadRequest(f"`limit` must be a whole number from 1 to {largest}, got {value[:60]!a}")
    return int(value)


def parse_object(body: bytes, names: Iterable[str]) -> dict[str, Any]:
    """Return the JSON object in a body. Raise BadRequest for anything else."""
    try:
        fields = loads(body.decode())
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise BadRequest("the body must be a JSON object with " + ", ".join(f"`{name}`" for name in names))
    return fields

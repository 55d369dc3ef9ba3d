"""JSON answers under `/_api/` that are open to all."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from handler.entrypoints.http_call import HttpRequest
from handler.errors import BadRequest


class JsonEndpoint(msgspec.Struct, frozen=True):
    """A JSON answer to a query with exactly these parameters."""

    parameters: tuple[str, ...]
    answer: Callable[..., object]


def read_query(endpoint: JsonEndpoint, call: HttpRequest) -> dict[str, str]:
    """Return the values of all parameters of an endpoint. BadRequest if one is missing or another one is sent."""
    params = dict(call.pairs(None))
    for name in (*endpoint.parameters, *params):
        if name not in endpoint.parameters or not params.get(name):
            expected = " and ".join(f"`{each}`" for each in endpoint.parameters)
            raise BadRequest(f"the query must hold {expected}, got {', '.join(params) or 'nothing'}")
    return params

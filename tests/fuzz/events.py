"""An address as each kind of caller hands it to the function."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

KINDS = ("function-url", "http-api-1.0", "rest-api", "load-balancer")
_EVENTS = Path(__file__).parents[1] / "events"


@cache
def _template(kind: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((_EVENTS / f"{kind}.json").read_text())
    return loaded


def event_of(kind: str, address: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """The event: a function URL and a load balancer leave the query encoded, gateways of payload 1.0 decode it."""
    event = copy.deepcopy(_template(kind))
    path, _, query = address.partition("?")
    event["headers"] = {"host": "pictures.example", **headers}
    event.pop("multiValueHeaders", None)
    if kind == "function-url":
        event.update(rawPath=path, rawQueryString=query)
        return event
    event["path"] = _decoded(path) if kind == "http-api-1.0" else path
    pairs = parse_qsl(query, keep_blank_values=True)
    if kind == "load-balancer":
        pairs = [(name, value) for name, _, value in (pair.partition("=") for pair in query.split("&") if pair)]
    event["queryStringParameters"] = dict(pairs) or None
    if kind != "load-balancer":
        event["multiValueQueryStringParameters"] = {
            name: [value for other, value in pairs if other == name] for name, _ in pairs
        } or None
    return event


def _decoded(path: str) -> str:
    try:
        return unquote(path, errors="strict")
    except UnicodeDecodeError:
        return path

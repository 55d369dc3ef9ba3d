"""Read HTTP requests as ASGI brings them: the call for the HTTP entrypoint, and the URL for the log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from handler.entrypoints.http_call import HttpRequest
from handler.entrypoints.operator.local_access import DOMAIN
from handler.entrypoints.server.forwarded import Network, find_client
from handler.observability.redaction import redact_address

_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_IS_PRINTABLE = re.compile(rb"[!-~]*")
_MAX_LOGGED_URL = 2_000
"""Characters of a URL in the log."""
_LONG_WORD = re.compile(r"[A-Za-z0-9_=-]{101,}")
"""A request in base64, which no reader understands, and which may hold the ID of a visitor of the gallery."""
_SHOWN_OF_WORD = 32


def read_call(request: Request, trusted: Sequence[Network] = ()) -> HttpRequest:
    """Return a request without its body. `trusted` are the networks of proxies that state their clients."""
    path, query = raw_path(request), _raw_query(request)
    headers: dict[str, str] = {}
    for raw_name, raw_value in request.scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return HttpRequest(
        request.method.upper(),
        path,
        encoded=True,
        query=query,
        headers=headers,
        event=_build_event(request, path, query, headers, trusted),
    )


def _build_event(
    request: Request, path: str, query: str, headers: dict[str, str], trusted: Sequence[Network]
) -> dict[str, Any]:
    """Return a request as a function URL's event, payload 2.0, without its body."""
    source = request.client.host if request.client else ""
    http = {
        "method": request.method,
        "path": path,
        "protocol": f"HTTP/{request.scope['http_version']}",
        "sourceIp": source,
    }
    if trusted:
        http["clientIp"] = find_client(source, headers.get("x-forwarded-for", ""), trusted)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {"domainName": DOMAIN, "stage": "$default", "http": http},
        "isBase64Encoded": False,
    }


def raw_path(request: Request) -> str:
    """Return the path as it is written in the URL; bytes that a URL may not contain are percent-encoded."""
    return _quote(request.scope["raw_path"])


def _raw_query(request: Request) -> str:
    return _quote(request.scope["query_string"])


def _quote(text: bytes) -> str:
    return text.decode("ascii") if _IS_PRINTABLE.fullmatch(text) else quote(text, safe=_PRINTABLE)


def describe(request: Request) -> tuple[str, str, str]:
    """Return client, method and URL without secrets, for the log; what is encoded in base64 is shortened."""
    url = redact_address(raw_path(request), _raw_query(request))
    url = _LONG_WORD.sub(lambda word: f"{word[0][:_SHOWN_OF_WORD]}…", url)
    if len(url) > _MAX_LOGGED_URL:
        url = f"{url[:_MAX_LOGGED_URL]}…"
    return (request.client.host if request.client else "-"), request.method[:20], url

"""The local and Kubernetes HTTP server: each request becomes a function URL's event for the Lambda handler.

A fixed number of threads does the work, a bounded queue waits for them, and whoever comes on top gets a 503 at once.
The server's own pages (health, metrics, documents) never wait.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import ipaddress
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from handler.canonical import SIGNATURE
from handler.dialects.thumbor import redacted
from handler.doors.workers import Bounds, Measures, Remaining, Workers
from handler.errors import BadRequest, Forbidden, HandlerError, PayloadTooLarge
from handler.response import Answer, Caching, refusal, report

Handle = Callable[[Mapping[str, Any], Remaining], dict[str, Any]]
Page = Callable[[], Answer]
# Lambda's own name for function URLs: the handler knows by it that the path is still encoded.
DOMAIN = "local.lambda-url.localhost"
HEALTH, METRICS = PROBES = ("/_health", "/_metrics")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_BODY_ELSEWHERE = 65_536
"""Bytes of a body that nobody will read."""
_WORTH_PACKING = 1_000
_CLIENT_CLOSED = 499  # nginx's word for it in a log; nobody is there to receive it.

access = logging.getLogger("handler.access")


class PictureServer:
    """The ASGI application."""

    def __init__(
        self, handle: Handle, bounds: Bounds, pages: Mapping[str, Page] | None = None, *, loopback_only: bool = False
    ) -> None:
        """`pages` are further pages by their exact path; with `loopback_only` no other host name is answered."""
        self._handle = handle
        self._bounds = bounds
        self._measures = Measures()
        self._workers = Workers(bounds, self._measures)
        self._bodies = asyncio.Semaphore(bounds.workers)
        self._loopback_only = loopback_only
        self._pages: Mapping[str, Page] = {
            HEALTH: lambda: report({"status": "ok"}),
            METRICS: self._measures.page,
            **(pages or {}),
        }

    def close(self) -> None:
        """Stop the workers, once the server has stopped."""
        self._workers.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        arrived = time.monotonic()
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR
        sent = 0
        try:
            response = await self._response(request, arrived)
            status, sent = response.status_code, len(response.body)
            await response(scope, receive, send)
        except ClientDisconnect:
            status = _CLIENT_CLOSED
        finally:
            seconds = time.monotonic() - arrived
            if _raw_path(request) not in PROBES:
                self._measures.count(status, seconds)
            now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
            access.info("%s %s %s %s %d %d %.1fms", now, *_who_and_what(request), status, sent, seconds * 1000)

    async def _response(self, request: Request, arrived: float) -> Response:
        try:
            if self._loopback_only and not _is_loopback(request.headers.get("host", "")):
                raise Forbidden("this server answers to localhost alone")
            page = self._pages.get(_raw_path(request))
            if page is not None and request.method in ("GET", "HEAD"):
                return _packed(_plain(await asyncio.to_thread(page)), request.headers.get("accept-encoding", ""))
            async with self._room(request):
                event = _event(request, await self._body(request))
                return await self._work(request, event, Remaining(arrived + self._bounds.seconds))
        except HandlerError as error:
            return _plain(refusal(error, Caching()))

    async def _work(self, request: Request, event: dict[str, Any], context: Remaining) -> Response:
        """Have the answer made; a client that goes away gives its place in the queue back."""
        made = self._workers.start(lambda: self._handle(event, context))
        answer = asyncio.wrap_future(made)
        gone = asyncio.ensure_future(_disconnected(request.receive))
        try:
            await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise ClientDisconnect
            return _of_event(answer.result())
        finally:
            gone.cancel()
            answer.cancel()

    def _room(self, request: Request) -> AbstractAsyncContextManager[None]:
        """Memory for a picture that comes along: as many as there are workers are held at once, others wait unread."""
        has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
        return self._bodies if has_body and _takes_pictures(request) else nullcontext()

    async def _body(self, request: Request) -> bytes:
        try:
            async with asyncio.timeout(self._bounds.seconds):
                return await self._whole_body(request)
        except TimeoutError:
            message = f"the body must come within {self._bounds.seconds:g} seconds"
            raise BadRequest(message, code="RequestTimeout", status=408, headers={"Connection": "close"}) from None

    async def _whole_body(self, request: Request) -> bytes:
        most = self._bounds.body_bytes if _takes_pictures(request) else min(self._bounds.body_bytes, _BODY_ELSEWHERE)
        parts: list[bytes] = []
        size = int(request.headers.get("content-length", "0"))
        if size <= most:
            size = 0
            async for part in request.stream():
                size += len(part)
                if size > most:
                    break
                parts.append(part)
        if size > most:
            raise PayloadTooLarge(f"the body must be at most {most} bytes", headers={"Connection": "close"})
        return b"".join(parts)


def _takes_pictures(request: Request) -> bool:
    """Whether a body is of any use there: the operator's door decides as the handler does, by the decoded path."""
    return request.method == "POST" and unquote(_raw_path(request)).startswith("/_api/")


async def _disconnected(receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(request: Request, body: bytes) -> dict[str, Any]:
    """The request as a function URL's event, payload 2.0."""
    path = _raw_path(request)
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    client = request.client.host if request.client else ""
    http = {"method": request.method, "path": path, "protocol": "HTTP/1.1", "sourceIp": client}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": _raw_query(request),
        "headers": headers,
        "requestContext": {"domainName": DOMAIN, "stage": "$default", "http": http},
        **({"body": base64.b64encode(body).decode(), "isBase64Encoded": True} if body else {"isBase64Encoded": False}),
    }


def _of_event(answer: Mapping[str, Any]) -> Response:
    body = str(answer.get("body") or "")
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    return Response(content, int(answer["statusCode"]), dict(answer.get("headers") or {}))


def _plain(answer: Answer) -> Response:
    return Response(answer.body, answer.status, answer.headers)


def _packed(response: Response, accepted: str) -> Response:
    """A text of some length goes out compressed, as a CDN would send it."""
    if len(response.body) <= _WORTH_PACKING or not re.search(r"\bgzip\b(?!\s*;\s*q=0)", accepted):
        return response
    body = gzip.compress(bytes(response.body), 6)
    sizes = {"content-encoding": "gzip", "content-length": str(len(body)), "vary": "Accept-Encoding"}
    return Response(body, response.status_code, {**response.headers, **sizes})


def _raw_path(request: Request) -> str:
    """As it stands in the URL; bytes that do not belong there are escaped."""
    return quote(bytes(request.scope["raw_path"]), safe=_PRINTABLE)


def _raw_query(request: Request) -> str:
    return quote(bytes(request.scope["query_string"]), safe=_PRINTABLE)


def _who_and_what(request: Request) -> tuple[str, str, str]:
    """Client, method and address; a signature is a secret as long as it is valid."""
    address = redacted(_raw_path(request))
    if query := _raw_query(request):
        pairs = (pair.partition("=") for pair in query.split("&"))
        address += "?" + "&".join(
            name if not value else f"{name}={_unless_secret(name, value)}" for name, _, value in pairs
        )
    return (request.client.host if request.client else "-"), request.method, address


def _unless_secret(name: str, value: str) -> str:
    # A name may be spelled with escapes: whatever could be it, is taken for it.
    return "…" if name.lower() == SIGNATURE or "%" in name else value


def _is_loopback(host: str) -> bool:
    """Whether a Host header names this machine; any other is a page elsewhere whose name resolves to this address."""
    name = re.sub(r":[0-9]*$", "", host).strip("[]").lower()
    try:
        return name == "localhost" or name.endswith(".localhost") or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False

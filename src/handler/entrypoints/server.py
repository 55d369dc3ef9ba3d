"""The local and Kubernetes HTTP server: each request becomes a call of the HTTP entrypoint.

A fixed number of threads does the work, a bounded queue waits for them, and whoever comes on top gets a 503 at once.
Whoever has waited in vain gets one at the deadline. The server's own pages (health, metrics, documents) never wait.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from handler.entrypoints.bodies import SMALL_BODY, Bodies, is_large
from handler.entrypoints.http_call import HttpRequest
from handler.entrypoints.local_access import DOMAIN, is_loopback
from handler.entrypoints.workers import Bounds, Measures, Remaining, Workers
from handler.errors import BadRequest, Busy, Forbidden, HandlerError
from handler.redaction import redact_address
from handler.response import Answer, Caching, refusal, report

Handle = Callable[[HttpRequest, Remaining], Answer]
Page = Callable[[], Answer]
HEALTH, METRICS = PROBES = ("/_health", "/_metrics")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_GRACE_SECONDS = 0.4
"""How much longer than its time work is waited for: the handler ends most of it by itself."""
_LOGGED_ADDRESS = 2_000
"""Characters of an address in the log."""
_WORTH_PACKING = 1_000
_CLIENT_CLOSED = 499  # nginx's word for it in a log; nobody is there to receive it.

access = logging.getLogger("handler.access")


class PictureServer:
    """The ASGI application."""

    def __init__(
        self,
        handle: Handle,
        bounds: Bounds,
        pages: Mapping[str, Page] | None = None,
        *,
        admit: Callable[[HttpRequest], None] | None = None,
        loopback_only: bool = False,
    ) -> None:
        """`pages` are further pages by their exact path; with `loopback_only` no other host name is answered.

        `admit` raises a HandlerError for a call whose body is not worth waiting for.
        """
        self._handle = handle
        self._admit = admit
        self._bounds = bounds
        self.measures = Measures()
        self._workers = Workers(bounds, self.measures)
        self._bodies = Bodies(bounds)
        # Threads of their own: neither those who try tokens nor readers of long pages keep a probe waiting.
        self._probes = ThreadPoolExecutor(2, thread_name_prefix="probe")
        self._doors = ThreadPoolExecutor(bounds.workers, thread_name_prefix="admission")
        self._loopback_only = loopback_only
        own = {HEALTH: lambda: report({"status": "ok"}), METRICS: self.measures.page, **(pages or {})}
        self._pages: Mapping[str, Page] = own | {HEALTH: partial(self._health, own[HEALTH])}

    def close(self) -> bool:
        """Stop the workers, once the server has stopped; False if one of them does not end."""
        return self._workers.close()

    def _health(self, page: Page) -> Answer:
        """The page `/_health`: nothing is well where no thread is left to work."""
        return report({"status": "failing"}, HTTPStatus.SERVICE_UNAVAILABLE) if self._workers.are_lost else page()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        arrived = time.monotonic()
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR
        sent = 0
        try:
            response = await self._response(request, arrived)
            status, sent = response.status_code, 0 if request.method == "HEAD" else len(response.body)
            await response(scope, receive, send)
        except ClientDisconnect:
            status = _CLIENT_CLOSED
        finally:
            seconds = time.monotonic() - arrived
            if _raw_path(request) not in PROBES:
                self.measures.count(status, seconds)
            now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
            access.info("%s %s %s %s %d %d %.1fms", now, *_who_and_what(request), status, sent, seconds * 1000)

    async def _response(self, request: Request, arrived: float) -> Response:
        try:
            if self._loopback_only and not is_loopback(request.headers.get("host", "")):
                raise Forbidden("this server answers to localhost alone")
            if "content-length" in request.headers and "transfer-encoding" in request.headers:
                # Whoever stands in between may have read another body than we do (RFC 9112, 6.1 and 11.2).
                message = "a request must have either Content-Length or Transfer-Encoding, not both"
                raise BadRequest(message, headers={"Connection": "close"})
            if (page := self._pages.get(_raw_path(request))) is not None and request.method in ("GET", "HEAD"):
                return await self._page(page, request)
            return await self._answer(request, arrived + self._bounds.seconds)
        except HandlerError as error:
            return _plain(refusal(error, Caching()))

    async def _page(self, page: Page, request: Request) -> Response:
        threads = self._probes if _raw_path(request) in PROBES else None
        answer = await asyncio.get_running_loop().run_in_executor(threads, page)
        return _packed(_plain(answer), request.headers.get("accept-encoding", ""))

    async def _answer(self, request: Request, until: float) -> Response:
        """Admit, read the body, have the answer made."""
        call = _call(request)
        if not (_takes_pictures(request) and is_large(request)):
            body = await self._bodies.read(request, min(self._bounds.body_bytes, SMALL_BODY), until)
            return await self._work(request, msgspec.structs.replace(call, body=body), until)
        self._workers.check()
        if self._admit is not None:
            try:
                await asyncio.get_running_loop().run_in_executor(self._doors, self._admit, call)
            except HandlerError as error:
                error.headers["Connection"] = "close"
                raise
        async with self._bodies.location(until):
            body = await self._bodies.read(request, self._bounds.body_bytes, until)
            return await self._work(request, msgspec.structs.replace(call, body=body), until)

    async def _work(self, request: Request, call: HttpRequest, until: float) -> Response:
        """Have the answer made; a client that goes away gives its place in the queue back."""
        made = self._workers.start(lambda: self._handle(call, Remaining(until)))
        answer = asyncio.wrap_future(made)
        gone = asyncio.ensure_future(_disconnected(request.receive))
        left = max(0.0, until - time.monotonic())
        # Work goes on when its client has left: its time ends all the same.
        overdue = asyncio.get_running_loop().call_later(left + _GRACE_SECONDS, self._workers.give_up, made)
        try:
            await asyncio.wait((answer, gone), timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if made.running() and not gone.done():
                await asyncio.wait((answer, gone), timeout=_GRACE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return _plain(answer.result())
            if gone.done():
                raise ClientDisconnect
            raise _late(has_begun=made.running())
        finally:
            gone.cancel()
            answer.cancel()
            if made.cancel() or made.done():
                overdue.cancel()


def _late(*, has_begun: bool) -> HandlerError:
    retry = {"Retry-After": "5"}
    if not has_begun:
        return Busy("no worker was free in time", headers=retry)
    message = "the time for one picture is used up"
    return HandlerError(message, code="TimeExceeded", status=HTTPStatus.GATEWAY_TIMEOUT, headers=retry)


def _takes_pictures(request: Request) -> bool:
    """Whether a body is of any use there: the operator's door decides as the handler does, by the decoded path."""
    return request.method == "POST" and unquote(_raw_path(request)).startswith("/_api/")


async def _disconnected(receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _call(request: Request) -> HttpRequest:
    """The request without its body."""
    path, query = _raw_path(request), _raw_query(request)
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return HttpRequest(
        request.method.upper(), path, encoded=True, query=query, headers=headers, event=_event(request, headers)
    )


def _event(request: Request, headers: dict[str, str]) -> dict[str, Any]:
    """The request as a function URL's event, payload 2.0, without its body."""
    path = _raw_path(request)
    http = {
        "method": request.method,
        "path": path,
        "protocol": f"HTTP/{request.scope['http_version']}",
        "sourceIp": request.client.host if request.client else "",
    }
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": _raw_query(request),
        "headers": headers,
        "requestContext": {"domainName": DOMAIN, "stage": "$default", "http": http},
        "isBase64Encoded": False,
    }


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
    """Client, method and address without secrets."""
    address = redact_address(_raw_path(request), _raw_query(request))
    if len(address) > _LOGGED_ADDRESS:
        address = f"{address[:_LOGGED_ADDRESS]}…"
    return (request.client.host if request.client else "-"), request.method[:20], address

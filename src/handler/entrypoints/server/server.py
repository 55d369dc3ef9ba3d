"""The HTTP server for local use and Kubernetes: each request becomes a call of the HTTP entrypoint.

A fixed number of threads does the work, with a bounded queue before them. If the queue is full, a request is answered
with 503 at once; if it has waited until its deadline, it is answered with 503 then. The server's own pages (health,
metrics, documents) never wait.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from handler.core.errors import BadRequest, Busy, Forbidden, HandlerError
from handler.entrypoints.http_call import HttpRequest, require_read
from handler.entrypoints.operator.local_access import is_loopback
from handler.entrypoints.own_pages import if_changed
from handler.entrypoints.server.asgi_answer import size_of, to_starlette
from handler.entrypoints.server.asgi_call import describe, raw_path, read_call
from handler.entrypoints.server.bodies import SMALL_BODY, Bodies, check_length, has_body, is_large
from handler.entrypoints.server.body_stream import BodyStream
from handler.entrypoints.server.forwarded import Network
from handler.entrypoints.server.workers import Bounds, Measures, Remaining, Workers
from handler.response import Answer, Caching, refusal, report

Handle = Callable[[HttpRequest, Remaining], Answer]
AtOnce = Callable[[HttpRequest], Answer | None]
Page = Callable[[], Answer]
HEALTH, READY, METRICS = PROBES = ("/_health", "/_ready", "/_metrics")
_QUICK_SECONDS = 0.02
"""Time in which most answers that need no pixels are there; only after it is the client watched for a disconnection."""
_GRACE_SECONDS = 0.4
"""Time to wait after a request's deadline, because the handler ends most work by itself."""
_MIN_COMPRESSED = 1_000
"""Bytes from which a page is compressed."""
_CLIENT_CLOSED = 499  # nginx's status for its log; no client receives it.

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
        at_once: AtOnce | None = None,
        with_cors: Callable[[Answer, str], Answer] = lambda answer, _: answer,
        loopback_only: bool = False,
        trusted_proxies: Sequence[Network] = (),
    ) -> None:
        """`pages` are further pages by their exact path. With `loopback_only` other host names are refused.

        `admit` raises a HandlerError for a call that is refused before its body is read. `at_once` returns the answer
        to a call that needs no worker, None for any other; it must not block. `with_cors` adds the headers by which
        scripts of other sites may read the answer for a path.
        """
        self._handle = handle
        self._at_once = at_once
        self._with_cors = with_cors
        self._admit = admit
        self._bounds = bounds
        self.measures = Measures()
        self._workers = Workers(bounds, self.measures)
        self._bodies = Bodies(bounds, bounds.workers)
        self._streams = Bodies(bounds, bounds.uploads)
        # An upload takes as long as its client, so it takes no worker from images.
        self._uploads = ThreadPoolExecutor(bounds.uploads, thread_name_prefix="upload")
        # Threads of their own, so that a probe waits neither for callers that try tokens nor for long pages.
        self._probes = ThreadPoolExecutor(2, thread_name_prefix="probe")
        # A database that does not answer delays /_ready, but not /_health, whose failure replaces the process.
        self._readiness = ThreadPoolExecutor(2, thread_name_prefix="readiness")
        self._admission = ThreadPoolExecutor(bounds.workers, thread_name_prefix="admission")
        self._loopback_only = loopback_only
        self._trusted_proxies = trusted_proxies
        probes: dict[str, Page] = {HEALTH: lambda: report({"status": "ok"}), READY: lambda: report({"status": "ready"})}
        own_pages = {**probes, METRICS: self.measures.page, **(pages or {})}
        self._pages: Mapping[str, Page] = own_pages | {
            name: partial(self._unless_workers_are_lost, own_pages[name]) for name in probes
        }

    def close(self) -> bool:
        """Stop the workers after the server has stopped. Return False if one of them does not end."""
        return self._workers.close()

    def _unless_workers_are_lost(self, page: Page) -> Answer:
        """Answer `/_health` or `/_ready`: 503 if no worker thread is left, else the page itself."""
        return report({"status": "failing"}, HTTPStatus.SERVICE_UNAVAILABLE) if self._workers.are_lost else page()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        arrived = time.monotonic()
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR
        sent = 0
        try:
            response = await self._response(request, arrived)
            status, sent = response.status_code, 0 if request.method == "HEAD" else size_of(response)
            await response(scope, receive, send)
        except ClientDisconnect:
            status = _CLIENT_CLOSED
        finally:
            seconds = time.monotonic() - arrived
            if raw_path(request) not in PROBES:
                self.measures.count(status, seconds)
            now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
            access.info("%s %s %s %s %d %d %.1fms", now, *describe(request), status, sent, seconds * 1000)

    async def _response(self, request: Request, arrived: float) -> Response:
        try:
            if self._loopback_only and not is_loopback(request.headers.get("host", "")):
                raise Forbidden("this server answers requests for localhost only")
            if "content-length" in request.headers and "transfer-encoding" in request.headers:
                # A proxy in between may have read another body (request smuggling; RFC 9112, 6.1 and 11.2).
                message = "a request must have either Content-Length or Transfer-Encoding, not both"
                raise BadRequest(message, headers={"Connection": "close"})
            if (page := self._pages.get(raw_path(request))) is not None and request.method != "OPTIONS":
                require_read(request.method)
                return await self._page(page, request)
            return await self._answer(request, arrived + self._bounds.seconds)
        except HandlerError as error:
            return to_starlette(self._with_cors(refusal(error, Caching()), raw_path(request)), request.method)

    async def _page(self, page: Page, request: Request) -> Response:
        path = raw_path(request)
        threads = self._readiness if path == READY else self._probes if path in PROBES else None
        answer = await asyncio.get_running_loop().run_in_executor(threads, page)
        answer = if_changed(answer, request.headers.get("if-none-match", ""))
        return _compress(to_starlette(answer, request.method), request.headers.get("accept-encoding", ""))

    async def _answer(self, request: Request, until: float) -> Response:
        """Admit a request, read its body and let a worker answer it. A large body is read only after admission."""
        call = read_call(request, self._trusted_proxies)
        if _takes_stream(request):
            return await self._stream(request, call, until)
        if not has_body(request):
            if self._at_once is not None and (answer := self._at_once(call)) is not None:
                return to_starlette(answer, request.method)
            return await self._work(request, call, until)
        if not (_takes_large_body(request) and is_large(request)):
            body = await self._bodies.read(request, min(self._bounds.body_bytes, SMALL_BODY), until)
            return await self._work(request, msgspec.structs.replace(call, body=body), until)
        self._workers.check()
        await self._require_admission(call)
        async with self._bodies.reserve(until):
            body = await self._bodies.read(request, self._bounds.body_bytes, until)
            return await self._work(request, msgspec.structs.replace(call, body=body), until)

    async def _require_admission(self, call: HttpRequest) -> None:
        """Raise a HandlerError for a call that is refused before its body is read."""
        if self._admit is not None:
            try:
                await asyncio.get_running_loop().run_in_executor(self._admission, self._admit, call)
            except HandlerError as error:
                error.headers["Connection"] = "close"
                raise

    async def _stream(self, request: Request, call: HttpRequest, until: float) -> Response:
        """Admit an upload, and let a thread of its own store the body while it arrives."""
        check_length(request, self._bounds.body_bytes)
        await self._require_admission(call)
        async with self._streams.reserve(until):
            stream = BodyStream(request, self._bounds.stall_seconds)
            call = msgspec.structs.replace(call, stream=stream)
            work = partial(self._handle, call, Remaining(time.monotonic() + self._bounds.seconds))
            response = to_starlette(
                await asyncio.get_running_loop().run_in_executor(self._uploads, work), request.method
            )
            if not stream.is_complete:
                response.headers["Connection"] = "close"
                await stream.drain()
            return response

    async def _work(self, request: Request, call: HttpRequest, until: float) -> Response:
        """Let a worker answer a request. If the client disconnects, the request leaves the queue."""
        task = self._workers.start(lambda: self._handle(call, Remaining(until)))
        answer = asyncio.wrap_future(task)
        left = max(0.0, until - time.monotonic())
        # Work goes on after the client has disconnected, so its time is limited in that case too.
        overdue = asyncio.get_running_loop().call_later(left + _GRACE_SECONDS, self._workers.give_up, task)
        try:
            await asyncio.wait((answer,), timeout=min(left, _QUICK_SECONDS))
            if not answer.done():
                await self._wait_for_answer(request, task, answer, until)
            return to_starlette(answer.result(), request.method, request.headers)
        finally:
            answer.cancel()
            if task.cancel() or task.done():
                overdue.cancel()

    async def _wait_for_answer(
        self, request: Request, task: Future[Answer], answer: asyncio.Future[Answer], until: float
    ) -> None:
        """Wait for an answer. Raise a HandlerError if it takes too long, ClientDisconnect if the client has left."""
        disconnected = asyncio.ensure_future(_wait_for_disconnect(request.receive))
        left = max(0.0, until - time.monotonic())
        try:
            await asyncio.wait((answer, disconnected), timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if task.running() and not disconnected.done():
                await asyncio.wait((answer, disconnected), timeout=_GRACE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return
            if disconnected.done():
                raise ClientDisconnect
            raise _timeout(has_begun=task.running())
        finally:
            disconnected.cancel()


def _timeout(*, has_begun: bool) -> HandlerError:
    retry = {"Retry-After": "5"}
    if not has_begun:
        return Busy("no worker was free in time", headers=retry)
    message = "the time for one request has ended"
    return HandlerError(message, code="TimeExceeded", status=HTTPStatus.GATEWAY_TIMEOUT, headers=retry)


def _takes_large_body(request: Request) -> bool:
    """Whether a path takes large bodies: only the operator API does, and its path may be percent-encoded."""
    return request.method == "POST" and unquote(raw_path(request)).startswith("/_api/")


def _takes_stream(request: Request) -> bool:
    """Whether a path takes a body of any size and stores it while it arrives."""
    if request.method not in ("POST", "PUT"):
        return False
    path = unquote(raw_path(request))
    if path == "/_api/gallery/pictures":
        return request.headers.get("content-type", "").lower().startswith("multipart/")
    is_form = path.startswith("/_upload") or path == "/_api/gallery/uploads"
    return is_form or (request.method == "PUT" and path.startswith("/_api/uploads/"))


async def _wait_for_disconnect(receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _compress(response: Response, accepted: str) -> Response:
    """Compress a long text, as a CDN would."""
    if len(response.body) <= _MIN_COMPRESSED or not re.search(r"\bgzip\b(?!\s*;\s*q=0)", accepted):
        return response
    body = gzip.compress(bytes(response.body), 6)
    sizes = {"content-encoding": "gzip", "content-length": str(len(body)), "vary": "Accept-Encoding"}
    return Response(body, response.status_code, {**response.headers, **sizes})

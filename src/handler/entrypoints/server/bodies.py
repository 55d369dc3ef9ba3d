"""Request bodies: limits how many large ones are in memory at once, and how long they may take to arrive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from starlette.requests import Request

from handler.core.errors import BadRequest, Busy, PayloadTooLarge
from handler.entrypoints.server.workers import Bounds

SMALL_BODY = 65_536
"""Size up to which a body needs no place."""
_CONTENDED_SECONDS, _CONTENDED_BYTES = 2.0, 32_000
"""While another request waits for a place, a body must receive this many bytes in this time to keep its own."""
_CLOSE = {"Connection": "close"}


class Bodies:
    """Places for large bodies. Other bodies wait unread.

    While no request waits, a body may pause for `stall_seconds`. As soon as one waits, slow bodies lose their places
    after two seconds, so that clients that send slowly do not block others.
    """

    def __init__(self, bounds: Bounds, places: int) -> None:
        self._bounds = bounds
        self._places = places
        self._slots = asyncio.Semaphore(places)
        self._arriving: set[_Arrival] = set()
        self._waiting = 0

    @property
    def are_contended(self) -> bool:
        """Whether a request waits for a place."""
        return self._waiting > 0

    @asynccontextmanager
    async def reserve(self, until: float) -> AsyncIterator[None]:
        """Hold one of the places. Raise Busy if the queue is full, or if no place is free by `until`."""
        if self._waiting >= self._places + self._bounds.queue:
            raise Busy("too many requests wait for their bodies to be read", headers={"Retry-After": "1", **_CLOSE})
        self._waiting += 1
        try:
            if self._slots.locked():
                for arrival in self._arriving:
                    arrival.hurry()
            async with asyncio.timeout(max(0, until - time.monotonic())):
                await self._slots.acquire()
        except TimeoutError:
            message = "the body could not be read in time: too many other bodies are being read"
            raise Busy(message, headers={"Retry-After": "5", **_CLOSE}) from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()

    async def read(self, request: Request, max_bytes: int, until: float) -> bytes:
        """Return the whole body. Raise PayloadTooLarge above `max_bytes`, or BadRequest (408) if it is too slow."""
        check_length(request, max_bytes)
        parts: list[bytes] = []
        size = 0
        arrival = _Arrival(self, until, self._bounds.stall_seconds)
        self._arriving.add(arrival)
        try:
            async with arrival.timer:
                async for part in request.stream():
                    size += len(part)
                    if size > max_bytes:
                        raise _too_large(max_bytes)
                    parts.append(part)
                    arrival.add(len(part))
        except TimeoutError:
            message = f"the body must arrive within {self._bounds.seconds:g} seconds, without long pauses"
            raise BadRequest(
                message, code="RequestTimeout", status=HTTPStatus.REQUEST_TIMEOUT, headers=_CLOSE
            ) from None
        finally:
            self._arriving.discard(arrival)
        return b"".join(parts)


class _Arrival:
    """A body that is being received, and the time by which its next bytes must arrive."""

    def __init__(self, bodies: Bodies, until: float, stall_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._bodies = bodies
        self._until = self._loop.time() + until - time.monotonic()
        self._stall_seconds = stall_seconds
        self._received = 0
        self.timer = asyncio.timeout_at(self._next_deadline())

    def add(self, size: int) -> None:
        """Count received bytes, and extend the time if they suffice."""
        self._received += size
        if not self._bodies.are_contended or self._received >= _CONTENDED_BYTES:
            self._received = 0
            self.timer.reschedule(self._next_deadline())

    def hurry(self) -> None:
        """Shorten the time, because another request waits for the place."""
        when, soon = self.timer.when(), self._loop.time() + _CONTENDED_SECONDS
        if when is not None and soon < when and not self.timer.expired():
            self._received = 0
            self.timer.reschedule(soon)

    def _next_deadline(self) -> float:
        seconds = _CONTENDED_SECONDS if self._bodies.are_contended else self._stall_seconds
        return min(self._until, self._loop.time() + seconds)


def has_body(request: Request) -> bool:
    """Whether a request has a body: one without a length and an encoding has none (RFC 9112, 6.3)."""
    return "content-length" in request.headers or "transfer-encoding" in request.headers


def is_large(request: Request) -> bool:
    """Whether a body is larger than SMALL_BODY, or its length is unknown."""
    return "transfer-encoding" in request.headers or _length(request) > SMALL_BODY


def check_length(request: Request, max_bytes: int) -> None:
    """Raise PayloadTooLarge if a body is announced to have more bytes than this."""
    if _length(request) > max_bytes:
        raise _too_large(max_bytes)


def _length(request: Request) -> int:
    return int(request.headers.get("content-length", "0"))


def _too_large(max_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"the body must be at most {max_bytes} bytes", headers=_CLOSE)

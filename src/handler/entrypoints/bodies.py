"""Bodies of requests: how many large ones are in memory at once, and how long they may take to arrive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from starlette.requests import Request

from handler.entrypoints.workers import Bounds
from handler.errors import BadRequest, Busy, PayloadTooLarge

SMALL_BODY = 65_536
"""Bytes of a body that takes none of the places."""
_CONTENDED_SECONDS, _CONTENDED_BYTES = 2.0, 32_000
"""While another request waits for a place, a body must bring so many bytes in so many seconds to keep its own."""
_CLOSE = {"Connection": "close"}


class Bodies:
    """Places in memory for large bodies: as many as there are workers; other bodies wait unread.

    Without others waiting, a body may pause for `stall_seconds`. As soon as one waits, slow bodies give their places up
    after two seconds, so that nobody keeps others out by sending slowly.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._places = asyncio.Semaphore(bounds.workers)
        self._arriving: set[_Arrival] = set()
        self._waiting = 0

    @property
    def are_contended(self) -> bool:
        """Whether a request waits for a place."""
        return self._waiting > 0

    @asynccontextmanager
    async def location(self, until: float) -> AsyncIterator[None]:
        """Hold one of the places. Busy when as many wait as the queue takes, or when none is free by `until`."""
        if self._waiting >= self._bounds.workers + self._bounds.queue:
            raise Busy("too many bodies wait to be read", headers={"Retry-After": "1", **_CLOSE})
        self._waiting += 1
        try:
            if self._places.locked():
                for arrival in self._arriving:
                    arrival.hurry()
            async with asyncio.timeout(max(0, until - time.monotonic())):
                await self._places.acquire()
        except TimeoutError:
            message = "there was no room for the body in time: too many others are being read"
            raise Busy(message, headers={"Retry-After": "5", **_CLOSE}) from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._places.release()

    async def read(self, request: Request, most: int, until: float) -> bytes:
        """The whole body. PayloadTooLarge above `most` bytes; BadRequest with status 408 when it is too slow."""
        if _length(request) > most:
            raise _too_large(most)
        parts: list[bytes] = []
        size = 0
        arrival = _Arrival(self, until, self._bounds.stall_seconds)
        self._arriving.add(arrival)
        try:
            async with arrival.timer:
                async for part in request.stream():
                    size += len(part)
                    if size > most:
                        raise _too_large(most)
                    parts.append(part)
                    arrival.came(len(part))
        except TimeoutError:
            message = f"the body must come within {self._bounds.seconds:g} seconds, without long pauses"
            raise BadRequest(
                message, code="RequestTimeout", status=HTTPStatus.REQUEST_TIMEOUT, headers=_CLOSE
            ) from None
        finally:
            self._arriving.discard(arrival)
        return b"".join(parts)


class _Arrival:
    """One body on its way, and until when it is waited for."""

    def __init__(self, bodies: Bodies, until: float, stall_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._bodies = bodies
        self._until = self._loop.time() + until - time.monotonic()
        self._stall_seconds = stall_seconds
        self._fresh = 0
        self.timer = asyncio.timeout_at(self._next())

    def came(self, size: int) -> None:
        """Some bytes are there."""
        self._fresh += size
        if not self._bodies.are_contended or self._fresh >= _CONTENDED_BYTES:
            self._fresh = 0
            self.timer.reschedule(self._next())

    def hurry(self) -> None:
        """Another request waits for the place."""
        when, soon = self.timer.when(), self._loop.time() + _CONTENDED_SECONDS
        if when is not None and soon < when and not self.timer.expired():
            self._fresh = 0
            self.timer.reschedule(soon)

    def _next(self) -> float:
        seconds = _CONTENDED_SECONDS if self._bodies.are_contended else self._stall_seconds
        return min(self._until, self._loop.time() + seconds)


def is_large(request: Request) -> bool:
    """Whether a body may be large."""
    return "transfer-encoding" in request.headers or _length(request) > SMALL_BODY


def _length(request: Request) -> int:
    return int(request.headers.get("content-length", "0"))


def _too_large(most: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"the body must be at most {most} bytes", headers=_CLOSE)

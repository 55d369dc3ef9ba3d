"""The body of an upload, which a thread reads block by block while the event loop receives it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request

from handler.core.errors import BadRequest

_MIN_BYTES = 10_000
"""Bytes that must arrive within the time that a body may stall."""
_MAX_SECONDS = 3_600.0
"""Time for a whole body."""
_DRAINED_BYTES, _DRAINED_SECONDS = 1_000_000, 2.0
"""What is still received of a body that is not needed, so that its client reads the answer before it sees the end."""


class BodyStream(Iterator[bytes]):
    """The blocks of a body. Nothing is received before it is read, so at most some blocks are in memory."""

    def __init__(self, request: Request, stall_seconds: float) -> None:
        """Only the event loop may call this, and every method but `__next__`."""
        self._loop = asyncio.get_running_loop()
        self._blocks = request.stream()
        self._stall_seconds = stall_seconds
        self._ends = time.monotonic() + _MAX_SECONDS
        self._since, self._received = time.monotonic(), 0
        self.is_complete = False
        """Whether the whole body was received."""

    def __next__(self) -> bytes:
        """Return the next block. Raise BadRequest if the client is too slow, or has disconnected."""
        if self.is_complete:
            raise StopIteration
        try:
            block = asyncio.run_coroutine_threadsafe(self._receive(), self._loop).result(2 * self._stall_seconds)
        except TimeoutError:  # also if the event loop itself has ended
            message = f"the body must arrive with at least {_MIN_BYTES} bytes in {self._stall_seconds:g} seconds"
            raise BadRequest(
                message, code="RequestTimeout", status=HTTPStatus.REQUEST_TIMEOUT, headers={"Connection": "close"}
            ) from None
        except (ClientDisconnect, asyncio.CancelledError):
            raise BadRequest("the connection was closed before the end of the body", code="IncompleteBody") from None
        if not block:
            raise StopIteration
        return block

    async def drain(self) -> None:
        """Receive a bounded rest of the body, after the answer is known."""
        try:
            async with asyncio.timeout(_DRAINED_SECONDS):
                received = 0
                while received < _DRAINED_BYTES and (block := await self._receive()):
                    received += len(block)
        except (TimeoutError, ClientDisconnect):
            return  # the connection will be closed

    async def _receive(self) -> bytes:
        """Return the next block, nothing at the end. Raise TimeoutError or ClientDisconnect."""
        now = time.monotonic()
        if now - self._since > self._stall_seconds:
            if self._received < _MIN_BYTES:
                raise TimeoutError
            self._since, self._received = now, 0
        async with asyncio.timeout(min(self._stall_seconds, self._ends - now)):
            async for block in self._blocks:
                if block:
                    self._received += len(block)
                    return block
        self.is_complete = True
        return b""

"""Calls of a store that can be done without: each ends in time, and after a failure the store is left alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from handler.errors import HandlerError, UpstreamError

T = TypeVar("T")
OPEN_SECONDS = 5.0
"""How long the store is not asked after it was too slow or failed."""
_CALLS = 32
"""How many calls may be under way, those that nobody waits for any more included."""


class BreakerOpen(UpstreamError):
    """The store is not asked, because it has just failed."""


class CircuitBreaker:
    """A call runs on a thread of its own, which is left behind when it takes too long.

    The store's own timeouts are longer, and a folder on a network has none at all.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open_until = float("-inf")
        self._free = threading.BoundedSemaphore(_CALLS)

    def call(self, question: Callable[[], T], seconds: float) -> T:
        """The answer. UpstreamError if it does not come in so many seconds or fails, BreakerOpen soon after that."""
        if self._clock() < self._open_until or not self._free.acquire(blocking=False):
            raise BreakerOpen("the results bucket is not asked, because it has just failed")
        call = _Call(question)
        threading.Thread(target=self._run, args=(call,), daemon=True, name="results").start()
        if not call.ended.wait(max(0.0, seconds)):
            self._open()
            raise UpstreamError("the results bucket does not answer in time", detail=f"no answer in {seconds:.1f} s")
        if call.failure is None:
            return call.answers[0]
        # What the store refuses (a key, a permission) says nothing of the next call.
        if isinstance(call.failure, UpstreamError) or not isinstance(call.failure, HandlerError):
            self._open()
        raise call.failure

    def _open(self) -> None:
        self._open_until = self._clock() + OPEN_SECONDS

    def _run(self, call: _Call[T]) -> None:
        try:
            call.answers.append(call.question())
        except BaseException as error:  # noqa: BLE001 - whoever waits raises it
            call.failure = error
        finally:
            self._free.release()
            call.ended.set()


class _Call(Generic[T]):
    def __init__(self, question: Callable[[], T]) -> None:
        self.question = question
        self.ended = threading.Event()
        self.answers: list[T] = []
        self.failure: BaseException | None = None

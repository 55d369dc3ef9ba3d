"""A circuit breaker for calls of the results bucket that an answer can do without."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar, cast

from handler.core.errors import HandlerError, UpstreamError

T = TypeVar("T")
OPEN_SECONDS = 5.0
"""For how long no call is made after one was too slow or failed."""
_CALLS = 32
"""How many calls may run at once, those included that timed out and still run."""
_IDLE_SECONDS = 5.0
"""How long a thread waits for its next call: to start one takes longer than most calls of a folder."""


class BreakerOpen(UpstreamError):
    """The call is not made, because an earlier one has just failed or too many still run."""


class CircuitBreaker:
    """Runs each call on a thread that has no other one meanwhile, and that goes on by itself after a timeout.

    The store's own timeouts are longer, and a folder on a network has none at all.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open_until = float("-inf")
        self._free = threading.BoundedSemaphore(_CALLS)
        self._idle: deque[queue.SimpleQueue[_Call]] = deque()
        """The queues of threads that wait for a call."""

    def call(self, function: Callable[[], T], seconds: float) -> T:
        """Return what the function returns, or raise what it raises.

        UpstreamError if it takes longer than these seconds; BreakerOpen while the breaker is open.
        """
        if self._clock() < self._open_until or not self._free.acquire(blocking=False):
            raise BreakerOpen("the results bucket is not used, because it has just failed")
        call = _Call(function)
        self._take_thread().put(call)
        try:
            result, failure = call.outcome.get(timeout=max(0.0, seconds))
        except queue.Empty:
            self._open()
            detail = f"no answer in {seconds:.1f} s"
            raise UpstreamError("the results bucket does not answer in time", detail=detail) from None
        if failure is None:
            return cast("T", result)
        # A refusal (of a key, of a permission) is an answer: the store works, so the breaker stays closed.
        if isinstance(failure, UpstreamError) or not isinstance(failure, HandlerError):
            self._open()
        raise failure

    def _open(self) -> None:
        self._open_until = self._clock() + OPEN_SECONDS

    def _take_thread(self) -> queue.SimpleQueue[_Call]:
        """Return the queue of a thread that has nothing to do, a new one if all are busy."""
        try:
            return self._idle.pop()
        except IndexError:
            calls: queue.SimpleQueue[_Call] = queue.SimpleQueue()
            try:
                threading.Thread(target=self._run, args=(calls,), daemon=True, name="results").start()
            except RuntimeError as error:
                self._free.release()
                raise BreakerOpen("the results bucket is not used", detail=str(error)) from error
            return calls

    def _run(self, calls: queue.SimpleQueue[_Call]) -> None:
        """Make the calls in a queue, one after the other, until none has come for a while."""
        while True:
            try:
                call = calls.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                with suppress(ValueError):  # taken for a call in this moment
                    self._idle.remove(calls)
                    return
                continue
            outcome = call.make()
            self._free.release()
            self._idle.append(calls)
            call.outcome.put(outcome)
            del call, outcome  # a waiting thread must not hold what it has read last


class _Call:
    """A call under way."""

    __slots__ = ("_function", "outcome")

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function
        self.outcome: queue.SimpleQueue[tuple[object, BaseException | None]] = queue.SimpleQueue()

    def make(self) -> tuple[object, BaseException | None]:
        """Return the result, and what the function has raised instead of one."""
        try:
            return self._function(), None
        except BaseException as error:  # noqa: BLE001 - raised again on the caller's thread
            return None, error

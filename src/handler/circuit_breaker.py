"""A circuit breaker for calls of the results bucket that an answer can do without."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from handler.errors import HandlerError, UpstreamError

T = TypeVar("T")
OPEN_SECONDS = 5.0
"""For how long no call is made after one was too slow or failed."""
_CALLS = 32
"""How many calls may run at once, those included that timed out and still run."""


class BreakerOpen(UpstreamError):
    """The call is not made, because an earlier one has just failed or too many still run."""


class CircuitBreaker:
    """Runs each call on a thread of its own, which goes on by itself after a timeout.

    The store's own timeouts are longer, and a folder on a network has none at all.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open_until = float("-inf")
        self._free = threading.BoundedSemaphore(_CALLS)

    def call(self, function: Callable[[], T], seconds: float) -> T:
        """Return what the function returns, or raise what it raises.

        UpstreamError if it takes longer than these seconds; BreakerOpen while the breaker is open.
        """
        if self._clock() < self._open_until or not self._free.acquire(blocking=False):
            raise BreakerOpen("the results bucket is not used, because it has just failed")
        call = _Call(function)
        threading.Thread(target=self._run, args=(call,), daemon=True, name="results").start()
        if not call.ended.wait(max(0.0, seconds)):
            self._open()
            raise UpstreamError("the results bucket does not answer in time", detail=f"no answer in {seconds:.1f} s")
        if call.failure is None:
            return call.results[0]
        # A refusal (of a key, of a permission) is an answer: the store works, so the breaker stays closed.
        if isinstance(call.failure, UpstreamError) or not isinstance(call.failure, HandlerError):
            self._open()
        raise call.failure

    def _open(self) -> None:
        self._open_until = self._clock() + OPEN_SECONDS

    def _run(self, call: _Call[T]) -> None:
        try:
            call.results.append(call.function())
        except BaseException as error:  # noqa: BLE001 - raised again on the caller's thread
            call.failure = error
        finally:
            self._free.release()
            call.ended.set()


class _Call(Generic[T]):
    """A call under way."""

    def __init__(self, function: Callable[[], T]) -> None:
        self.function = function
        self.ended = threading.Event()
        self.results: list[T] = []
        self.failure: BaseException | None = None

"""Processes the uploads of a server in its own process: one thread, a bounded queue, retries and sweeps."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from handler.core.errors import Busy
from handler.observability.logs import logger
from handler.uploads.change import Kind, OriginalChange, make_sequencer
from imaging import Deadline, ObjectRef

if TYPE_CHECKING:
    from handler.entrypoints.uploads.entrypoint import UploadEntrypoint

_FINISH_SECONDS = 2.0
"""Seconds from one purge of the CDN and delivery of notices to the next, while more uploads are waiting."""
_RETRY_SECONDS = 2.0
"""Pause before the second attempt of an upload; each further one is twice as long."""


class BackgroundOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of background processing."""

    queue: int = 10_000
    """Uploads that may wait."""
    seconds: float = 60.0
    """Time for one original."""
    sweep_seconds: float = 300.0
    """Pause between two sweeps."""
    is_alone: bool = False
    """Whether no other process uses the database, so that everything in process at the start is left over."""


class BackgroundUploads:
    """One thread that processes changes in their order, and what failed again after a pause.

    A change is written to the database before it waits: if the process is killed, the sweep of the next one finds it.
    """

    def __init__(self, get_uploads: Callable[[], UploadEntrypoint], options: BackgroundOptions) -> None:
        self._get_uploads = get_uploads
        self._options = options
        self._waiting: list[tuple[float, int, OriginalChange]] = []
        """A heap of the time at which each change is due, and of its number."""
        self._numbers = itertools.count()
        self._wake = threading.Condition()
        self._is_closed = False
        self._sweeps, self._is_alone = True, options.is_alone
        self._thread = threading.Thread(target=self._work, name="uploads", daemon=True)

    def start(self, *, sweeps: bool = True, is_alone: bool = True) -> None:
        """Begin with a sweep of what an earlier process has left behind.

        If several processes serve together, one of them sweeps, and it is not alone: what is in process may be that of
        another one.
        """
        self._sweeps, self._is_alone = sweeps, is_alone and self._options.is_alone
        self._thread.start()

    def check(self) -> None:
        """Raise Busy if no more uploads can wait, so that the caller can refuse one before it is stored."""
        if len(self._waiting) >= self._options.queue:
            raise Busy("too many uploads are waiting to be processed", headers={"Retry-After": "30"})

    def process_in_background(self, ref: ObjectRef, kind: Kind = "created") -> None:
        """Have a stored or deleted original processed. Raise Busy, or UpstreamError if the database does not answer."""
        self.submit(OriginalChange(ref=ref, sequencer=make_sequencer(), kind=kind))

    def submit(self, change: OriginalChange) -> None:
        """Write a change to the database, and have it processed. Raise Busy or UpstreamError."""
        self.check()
        self._get_uploads().pipeline.accept(change)
        self._add(change, 0.0)

    def close(self, seconds: float) -> bool:
        """Stop after the running change. Return False if it does not end in so many seconds."""
        with self._wake:
            self._is_closed = True
            self._wake.notify()
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _add(self, change: OriginalChange, pause: float) -> None:
        with self._wake:
            heapq.heappush(self._waiting, (time.monotonic() + pause, next(self._numbers), change))
            self._wake.notify()

    def _work(self) -> None:
        stale_after = timedelta(0) if self._is_alone else None
        finished = -float("inf")
        swept = finished if self._sweeps else float("inf")
        is_finished = True
        while not self._is_closed:
            now = time.monotonic()
            if now - swept >= self._options.sweep_seconds:
                self._attempt(partial(self._sweep, stale_after))
                stale_after, swept, is_finished = None, now, False
            change = self._next(min(swept, now) + self._options.sweep_seconds, wait=is_finished)
            if change is not None:
                self._process(change)
                is_finished = False
            if not is_finished and (change is None or time.monotonic() - finished >= _FINISH_SECONDS):
                # What fails here is tried again after the next change or sweep.
                self._attempt(self._get_uploads().finish)
                finished, is_finished = time.monotonic(), True

    def _next(self, until: float, *, wait: bool) -> OriginalChange | None:
        """Return the next change that is due. With `wait`, wait for one until a moment. None without one."""
        with self._wake:
            while not self._is_closed:
                now = time.monotonic()
                due = self._waiting[0][0] if self._waiting else until
                if self._waiting and due <= now:
                    return heapq.heappop(self._waiting)[2]
                if not wait or now >= until:
                    return None
                self._wake.wait(min(due, until) - now)
        return None

    def _sweep(self, stale_after: timedelta | None, deadline: Deadline) -> None:
        self._get_uploads().sweep.run(deadline, stale_after)

    def _process(self, change: OriginalChange) -> None:
        uploads = self._get_uploads()
        if self._attempt(lambda deadline: uploads.pipeline.process(change, deadline)):
            return
        if change.attempt < uploads.pipeline.max_attempts:
            again = msgspec.structs.replace(change, attempt=change.attempt + 1)
            self._add(again, _RETRY_SECONDS * 2 ** (change.attempt - 1))

    def _attempt(self, work: Callable[[Deadline], object]) -> bool:
        """Do some work. Return False, and log the reason, if it fails."""
        try:
            work(Deadline.after(self._options.seconds))
        except Exception:  # noqa: BLE001 - the thread goes on with the next change; the record says what has failed
            logger().exception("an upload failed")
            return False
        return True

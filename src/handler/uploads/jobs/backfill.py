"""Processes originals that were there before, or for which an event was lost."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any, Literal

import msgspec

from handler.core.errors import BadRequest, HandlerError
from handler.observability.logs import logger
from handler.records.record import ImageRecord, record_id
from handler.uploads.change import OriginalChange
from handler.uploads.pipeline import Pipeline
from imaging import Deadline, FeatureError, ObjectRef

Skipped = Literal["up to date", "rejected before", "in process", "excluded by UPLOAD_PREFIX or UPLOAD_SUFFIX"]
_DONE: dict[str, Skipped] = {"ready": "up to date", "rejected": "rejected before"}
_PAUSES = (1.0, 4.0)
"""Seconds before the second and the third attempt to process an original."""
_MAX_FAILURES = 20
"""After so many failures in a row the run ends: a store or the database is down."""
_FINISH_EVERY = 100
"""After so many originals the CDN's copies are invalidated and the notices sent."""


class Candidate(msgspec.Struct, frozen=True):
    """An object that was listed."""

    ref: ObjectRef
    size: int
    etag: str
    """Empty if the list does not name it."""


class Progress(msgspec.Struct):
    """What has been done so far."""

    listed: int = 0
    to_process: int = 0
    bytes: int = 0
    """Size of the originals to process."""
    outcomes: Counter[str] = msgspec.field(default_factory=Counter)
    """Numbers of originals by outcome, as in `ready`, `rejected`, `failed` and `up to date`."""


class Backfill(msgspec.Struct, frozen=True, kw_only=True):
    """Processes the originals of a list that are not up to date. Its state is in the records, so it can be resumed."""

    pipeline: Pipeline
    finish: Callable[[Deadline], None]
    """Invalidates the CDN's copies of what was processed, and sends the notices."""
    presets: frozenset[str]
    """Names of the presets whose variants each original must have."""
    again: bool = False
    """Whether variants are rendered again although they are stored."""
    seconds: float
    """Time for one original."""
    stale_after: timedelta
    """An original that has been in process for longer is processed again."""
    stopping: threading.Event = msgspec.field(default_factory=threading.Event)
    progress: Progress = msgspec.field(default_factory=Progress)
    lock: Any = msgspec.field(default_factory=threading.Lock)
    """Held while `progress` is changed."""
    sleep: Callable[[float], object] = time.sleep

    def decide(self, candidate: Candidate) -> OriginalChange | Skipped:
        """Return how to process an object, or why it is not processed. Raise UpstreamError."""
        ref = candidate.ref
        if not self.pipeline.filter.includes(ref):
            return "excluded by UPLOAD_PREFIX or UPLOAD_SUFFIX"
        record = self.pipeline.records.get(record_id(*ref))
        change = OriginalChange(ref=ref, kind=None, force=True, presets=self.presets if self.again else frozenset())
        if record is None or record.status in ("uploading", "failed", "deleted"):
            return change
        if record.status == "processing":
            # A failed attempt has left its error; without one, another process may be at work.
            age: timedelta = self.pipeline.now() - record.updated_at
            return "in process" if record.error is None and age < self.stale_after else change
        if self._is_outdated(candidate, record):
            # The event of the newer version was lost, so the variants that are stored are outdated as well.
            return msgspec.structs.replace(change, presets=None)
        is_done = not self.again and (record.status == "rejected" or self._has_variants(record))
        return _DONE[record.status] if is_done else change

    def run(self, candidates: Iterable[Candidate], *, jobs: int, rate: float | None) -> None:
        """Process what is not up to date, `jobs` at the same time and at most `rate` a second, until `stopping` is set.

        Raise HandlerError if the list cannot be read, or if `_MAX_FAILURES` originals have failed in a row.
        """
        pace = _Pace(rate, self.stopping)
        recent: deque[bool] = deque(maxlen=_MAX_FAILURES)
        pool = ThreadPoolExecutor(jobs, thread_name_prefix="backfill")
        running: set[Future[None]] = set()
        try:
            for candidate in candidates:
                if self.stopping.is_set() or sum(recent) == _MAX_FAILURES:
                    break
                self.progress.listed += 1
                # No more are read ahead than there are jobs, so that a stop does not wait for a long queue.
                while len(running) >= 2 * jobs:
                    done, running = wait(running, return_when="FIRST_COMPLETED")
                    for future in done:
                        future.result()
                running.add(pool.submit(self._process, candidate, pace, recent))
            for future in running:
                future.result()
        finally:
            pool.shutdown(cancel_futures=True)
            self.finish(Deadline.after(self.seconds))
        if sum(recent) == _MAX_FAILURES:
            raise HandlerError(f"stopped, because the last {_MAX_FAILURES} originals have failed; see the log")

    def plan(self, candidates: Iterable[Candidate], *, jobs: int) -> None:
        """Count what `run` would process, without processing anything. Raise HandlerError."""
        with ThreadPoolExecutor(jobs) as pool:
            running: deque[tuple[Candidate, Future[OriginalChange | Skipped]]] = deque()

            def count_first() -> None:
                counted, future = running.popleft()
                decision = future.result()
                if isinstance(decision, str):
                    self.progress.outcomes[decision] += 1
                else:
                    self._count(counted)

            for candidate in candidates:
                if self.stopping.is_set():
                    break
                self.progress.listed += 1
                running.append((candidate, pool.submit(self.decide, candidate)))
                if len(running) > 4 * jobs:
                    count_first()
            while running:
                count_first()

    def _is_outdated(self, candidate: Candidate, record: ImageRecord) -> bool:
        """Return whether the source has another version than the record. Raise HandlerError."""
        if not candidate.etag or not record.etag or candidate.etag == record.etag:
            return False
        # An inventory is a day old, so the record can be the newer one.
        return self.pipeline.renderer.render_context.objects.head(candidate.ref).etag != record.etag

    def _has_variants(self, record: ImageRecord) -> bool:
        """Return whether a record has a variant for each output key of the presets."""
        stored = {variant.key for variant in record.variants}
        try:
            keys = self.pipeline.variants.layout.keys_of(ObjectRef(record.source, record.key))
        except BadRequest:
            return False  # the pipeline says why
        return all(key in stored for key, preset in keys.items() if preset.name in self.presets)

    def _process(self, candidate: Candidate, pace: _Pace, recent: deque[bool]) -> None:
        """Process one object if it is not up to date, and count its outcome."""
        outcome = None if self.stopping.is_set() else self._attempt(candidate, pace)
        if outcome is None:
            return
        with self.lock:
            self.progress.outcomes[outcome] += 1
            recent.append(outcome == "failed")
            count = self.progress.to_process
        if count and count % _FINISH_EVERY == 0:
            try:
                self.finish(Deadline.after(self.seconds))
            except HandlerError as error:
                # What could not be invalidated is collected, and the end of the run tries again.
                logger().warning(error.message, extra={"code": error.code, "detail": error.detail})

    def _attempt(self, candidate: Candidate, pace: _Pace) -> str | None:
        """Return the outcome for an object, None if the run was stopped."""
        attempts = (1, 2, self.pipeline.max_attempts)
        for attempt, pause in zip(attempts, (*_PAUSES, 0.0), strict=True):
            try:
                decision = self.decide(candidate)
                if isinstance(decision, str):
                    return decision
                if not pace.wait():
                    return None
                if attempt == 1:
                    self._count(candidate)
                change = msgspec.structs.replace(decision, attempt=attempt)
                return self.pipeline.process(change, Deadline.after(self.seconds)).status
            except (FeatureError, HandlerError) as error:
                details = {"bucket": candidate.ref.bucket, "key": candidate.ref.key, "attempt": attempt}
                logger().warning(error.message, extra={**details, "code": error.code, "detail": error.detail})
                if self.stopping.is_set():
                    return None
                self.sleep(pause)
        return "failed"

    def _count(self, candidate: Candidate) -> None:
        with self.lock:
            self.progress.to_process += 1
            self.progress.bytes += candidate.size


class _Pace:
    """Lets at most so many originals begin in a second."""

    def __init__(self, rate: float | None, stopping: threading.Event) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._stopping = stopping
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> bool:
        """Wait for the next moment to begin; return False if the run is stopped meanwhile."""
        if not self._interval:
            return not self._stopping.is_set()
        with self._lock:
            now = time.monotonic()
            begin = max(now, self._next)
            self._next = begin + self._interval
        return not self._stopping.wait(begin - now)

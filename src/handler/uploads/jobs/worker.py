"""Receives the upload events of a queue and processes them with the code that Lambda runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import msgspec

from handler.aws.sdk import SdkError, SdkRefusal
from handler.aws.sqs import Queue, QueueMessage
from handler.observability.logs import logger

_MAX_PAUSE = 30.0
"""Seconds between two attempts to reach a queue that does not answer."""
_MAX_RETRY_SECONDS = 900
SWEEP = {"task": "sweep"}
"""The event of a sweep, as the scheduler sends it in the stack."""


class WorkerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker uses its queue."""

    jobs: int = 1
    """Messages processed at the same time."""
    visibility: int = 60
    """Seconds for which the queue hides a message from others; prolonged while the message is processed."""
    grace: float = 25.0
    """Seconds in which messages may be finished after a signal to stop."""
    sweep: float = 300.0
    """Seconds between two sweeps, which end what a killed process has left behind and send the notices that are due."""


class WorkerCounts(msgspec.Struct):
    """What a worker has done so far."""

    processed: int = 0
    failed: int = 0
    errors: int = 0
    """Requests to the queue that have failed."""


class Worker:
    """Processes the messages of one queue until it is stopped.

    A message is deleted once it was processed. A failed one becomes visible again after a pause that grows, and the
    queue itself moves it to the dead-letter queue after its `maxReceiveCount`. A worker that is killed leaves its
    messages to the queue, which hands them to another one after `visibility` seconds.
    """

    def __init__(
        self, queue: Queue, handle: Callable[[Mapping[str, Any]], Mapping[str, Any]], options: WorkerOptions
    ) -> None:
        """`handle` processes an event of SQS and returns its `batchItemFailures`, or a sweep, as in Lambda."""
        self._queue = queue
        self._handle = handle
        self._options = options
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._running: dict[Future[None], QueueMessage] = {}
        self.counts = WorkerCounts()
        self._active_at = time.monotonic()
        """When the queue has last answered, or a message was last finished, on the monotonic clock."""

    def stop(self) -> None:
        """Receive nothing more and finish what is being processed. A signal handler may call this."""
        self._stopping.set()

    def is_active(self, seconds: float) -> bool:
        """Return whether the worker gets answers of the queue, or finishes messages, that are not older than this.

        While all jobs are busy the queue is not called: then one message may take `seconds`.
        """
        return time.monotonic() - self._active_at < seconds

    @property
    def in_flight(self) -> int:
        """Number of messages that are being processed."""
        return len(self._running)

    def run(self) -> bool:
        """Work until `stop`. Return whether all messages were finished; the others are returned to the queue.

        Raise SdkRefusal if the queue refuses the first request.
        """
        heartbeat_ends = threading.Event()
        heartbeat = threading.Thread(target=self._prolong, args=(heartbeat_ends,), daemon=True, name="visibility")
        heartbeat.start()
        threading.Thread(target=self._sweep, daemon=True, name="sweep").start()
        pool = ThreadPoolExecutor(self._options.jobs, thread_name_prefix="upload")
        try:
            self._receive_all(pool)
            unfinished = self._drain()
        finally:
            heartbeat_ends.set()
            pool.shutdown(wait=False, cancel_futures=True)
        heartbeat.join(5)
        return not unfinished

    def _receive_all(self, pool: ThreadPoolExecutor) -> None:
        pause, has_answered = 1.0, False
        while not self._stopping.is_set():
            free = self._wait_for_a_free_job()
            if not free:
                continue
            try:
                messages = self._queue.receive(free, self._options.visibility)
            except SdkError as error:
                if isinstance(error, SdkRefusal) and error.status < 500 and not has_answered:
                    raise  # no such queue, or no permission: waiting does not mend that
                self.counts.errors += 1
                logger().warning("the queue does not answer", extra={"detail": str(error)})
                self._stopping.wait(pause)
                pause = min(_MAX_PAUSE, 2 * pause)
                continue
            pause = 1.0
            has_answered = True
            self._active_at = time.monotonic()
            if self._stopping.is_set():
                self._return(messages)
                return
            for message in messages:
                with self._lock:
                    self._running[pool.submit(self._process, message)] = message

    def _wait_for_a_free_job(self) -> int:
        """Return how many messages can be processed at once; 0 if none within a second."""
        with self._lock:
            running = [*self._running]
        if len(running) >= self._options.jobs:
            wait(running, timeout=1, return_when="FIRST_COMPLETED")
        return self._options.jobs - len(self._unfinished())

    def _unfinished(self) -> list[QueueMessage]:
        """Forget the messages that are finished and return the others."""
        with self._lock:
            for future in [future for future in self._running if future.done()]:
                del self._running[future]
            return [*self._running.values()]

    def _process(self, message: QueueMessage) -> None:
        """Process one message. Nothing is raised: what fails is logged, and the message is received again."""
        try:
            answer = self._handle({"Records": [message.as_record()]})
            has_failed = bool(answer.get("batchItemFailures"))
        except Exception:  # noqa: BLE001 - the other messages go on
            logger().exception("a message failed", extra={"message_id": message.id})
            has_failed = True
        self._active_at = time.monotonic()
        try:
            if has_failed:
                self.counts.failed += 1
                self._queue.hide([message], retry_seconds(message.receive_count))
            else:
                self.counts.processed += 1
                self._queue.delete(message)
        except SdkError as error:
            self.counts.errors += 1
            # The queue sends the message again, which finds its original processed.
            logger().warning("the queue does not answer", extra={"message_id": message.id, "detail": str(error)})

    def _prolong(self, ends: threading.Event) -> None:
        """Prolong the invisibility of the messages that are being processed."""
        while not ends.wait(self._options.visibility / 3):
            messages = self._unfinished()
            try:
                self._queue.hide(messages, self._options.visibility)
            except SdkError as error:
                self.counts.errors += 1
                logger().warning("messages cannot be kept invisible", extra={"detail": str(error)})

    def _sweep(self) -> None:
        while not self._stopping.wait(self._options.sweep):
            try:
                self._handle(SWEEP)
            except Exception:  # noqa: BLE001 - the next sweep tries again
                logger().exception("a sweep failed")

    def _drain(self) -> list[QueueMessage]:
        """Wait for what is being processed. Return to the queue, and return, the messages that do not end in time."""
        with self._lock:
            running = [*self._running]
        wait(running, timeout=self._options.grace)
        unfinished = self._unfinished()
        self._return(unfinished)
        return unfinished

    def _return(self, messages: list[QueueMessage]) -> None:
        try:
            self._queue.hide(messages, 0)
        except SdkError as error:
            logger().warning("messages cannot be returned", extra={"detail": str(error)})


def retry_seconds(receive_count: int) -> int:
    """Return the pause before a failed message is received again: 10 s, then twice as long each time, up to 15 min."""
    return int(min(_MAX_RETRY_SECONDS, 10 * 2 ** min(receive_count - 1, 10)))

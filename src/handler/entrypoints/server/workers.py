"""The server's worker threads, the limits of its load, and its metrics."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

from handler.core.errors import Busy
from handler.response import Answer

if TYPE_CHECKING:
    from handler.entrypoints.server.processes import MetricsBoard


@dataclass(frozen=True, slots=True)
class Remaining:
    """Stands for Lambda's context object: the time left for a request."""

    until: float
    """The end of that time, in seconds of the monotonic clock."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left; 0 after the end."""
        return max(0, round((self.until - time.monotonic()) * 1000))


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of the server's load."""

    workers: int = 4
    queue: int = 32
    body_bytes: int = 140_000_000
    """Size of the largest request body: an image of 100 MB in base64."""
    seconds: float = 28.5
    """Time for one request, from its arrival."""
    stall_seconds: float = 10
    """Time in which the next bytes of a body must arrive."""
    uploads: int = 16
    """Uploads that are stored at the same time."""


class Measures:
    """The metrics under `/_metrics`."""

    def __init__(self) -> None:
        self._board: MetricsBoard | None = None
        self._number = 0
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        name = "image_handler_"
        self._requests = Counter(name + "requests", "Answers by status", ["status"], registry=self._registry)
        self._seconds = Histogram(
            name + "request_seconds",
            "Seconds from a request's arrival until its answer is sent",
            registry=self._registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )  # fmt: skip
        self.in_flight = Gauge(name + "in_flight", "Requests being worked on", registry=self._registry)
        self.queued = Gauge(name + "queued", "Requests waiting for a worker", registry=self._registry)
        self.overdue = Gauge(
            name + "overdue", "Requests being worked on after their time has ended", registry=self._registry
        )
        self.connections = Gauge(name + "connections", "Open connections", registry=self._registry)
        self.closed = Counter(
            name + "connections_closed", "Connections refused or closed, by the limit that was reached", ["limit"],
            registry=self._registry,
        )  # fmt: skip

    def observe_notices(self, totals: Callable[[], Mapping[str, int]]) -> None:
        """Show the numbers of notices by what became of them, as `totals` returns them."""
        gauge = Gauge(
            "image_handler_notices", "Notices of originals since the start, by outcome", ["outcome"],
            registry=self._registry,
        )  # fmt: skip
        for outcome in totals():
            gauge.labels(outcome).set_function(partial(_read, totals, outcome))

    def observe_pixels(self, totals: Callable[[], Mapping[str, int]]) -> None:
        """Show what the cache of decoded originals holds, and how often it was used, as `totals` returns them."""
        gauge = Gauge(
            "image_handler_pixels", "Decoded originals that are kept: hits, misses and evicted since the start, bytes",
            ["what"], registry=self._registry,
        )  # fmt: skip
        for what in totals():
            gauge.labels(what).set_function(partial(_read, totals, what))

    def count(self, status: int, seconds: float) -> None:
        """Count one answer."""
        self._requests.labels(status).inc()
        self._seconds.observe(seconds)

    def share(self, board: MetricsBoard, number: int) -> None:
        """Publish these metrics as those of a process, and answer with those of all processes."""
        self._board, self._number = board, number

    def publish(self) -> None:
        """Publish the metrics for the other processes of this server, if there are any."""
        if self._board is not None:
            self._board.publish(self._number, list(self._registry.collect()))

    def page(self) -> Answer:
        """Answer with all metrics in Prometheus' text format."""
        self.publish()
        text = generate_latest(self._board or self._registry)
        return Answer(HTTPStatus.OK, {"Content-Type": CONTENT_TYPE_LATEST}, text)


def _read(totals: Callable[[], Mapping[str, int]], name: str) -> float:
    return totals()[name]


class Workers:
    """Worker threads with a bounded queue.

    A thread cannot be stopped from outside. If a task exceeds its time (`give_up`), another thread replaces its thread;
    there are as many replacements as workers. If those do not end either, the process must be replaced (`are_lost`).
    """

    def __init__(self, bounds: Bounds, measures: Measures) -> None:
        self._pool = ThreadPoolExecutor(2 * bounds.workers, thread_name_prefix="worker")
        self._bounds = bounds
        self._lock = threading.Lock()
        self._waiting: deque[_Task] = deque()
        self._running: set[Future[Answer]] = set()
        self._overdue: set[Future[Answer]] = set()
        self._replaced: set[Future[Answer]] = set()
        measures.in_flight.set_function(lambda: len(self._running) + len(self._replaced))
        measures.queued.set_function(lambda: len(self._waiting))
        measures.overdue.set_function(lambda: len(self._overdue))

    @property
    def are_lost(self) -> bool:
        """Whether no thread is left for new tasks."""
        return len(self._overdue) >= 2 * self._bounds.workers

    def check(self) -> None:
        """Raise Busy if all workers are taken and the queue is full."""
        if len(self._running) + len(self._waiting) >= self._bounds.workers + self._bounds.queue:
            raise Busy("every worker is taken and the queue is full", headers={"Retry-After": "1"})

    def start(self, work: Callable[[], Answer]) -> Future[Answer]:
        """Start or queue a task. Raise Busy if the queue is full. A cancelled future leaves the queue."""
        task = _Task(work, Future())
        with self._lock:
            self.check()
            self._waiting.append(task)
        # Without a reference to the task, which has one to the future: what an answer holds is freed at once then, and
        # not by some later garbage collection.
        task.future.add_done_callback(self._remove)
        self._start_waiting()
        return task.future

    def give_up(self, future: Future[Answer]) -> None:
        """Replace the thread of a task that has exceeded its time, as long as there are replacements."""
        with self._lock:
            if future not in self._running:
                return
            self._overdue.add(future)
            if len(self._replaced) < self._bounds.workers:
                self._running.remove(future)
                self._replaced.add(future)
        self._start_waiting()

    def _start_waiting(self) -> None:
        with self._lock:
            while self._waiting and len(self._running) < self._bounds.workers:
                task = self._waiting.popleft()
                if task.future.set_running_or_notify_cancel():
                    self._running.add(task.future)
                    self._pool.submit(self._run, task)

    def _run(self, task: _Task) -> None:
        try:
            outcome = task.work()
        except BaseException as error:  # noqa: BLE001 - the future raises it where its result is read
            self._finish(task.future)
            task.future.set_exception(error)
        else:
            self._finish(task.future)
            task.future.set_result(outcome)

    def _finish(self, future: Future[Answer]) -> None:
        with self._lock:
            self._running.discard(future)
            self._overdue.discard(future)
            self._replaced.discard(future)
        self._start_waiting()

    def _remove(self, future: Future[Answer]) -> None:
        """Remove a task from the queue if it was cancelled there."""
        if future.cancelled():
            with self._lock:
                # Another thread may have removed it already.
                self._waiting = deque(task for task in self._waiting if task.future is not future)

    def close(self) -> bool:
        """Cancel waiting tasks and wait for running ones. Return False at once if a task has exceeded its time."""
        with self._lock:
            waiting = [*self._waiting]
            self._waiting.clear()
            is_overdue = bool(self._overdue)
        for task in waiting:
            task.future.cancel()
        self._pool.shutdown(wait=not is_overdue, cancel_futures=True)
        return not is_overdue


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    work: Callable[[], Answer]
    future: Future[Answer]

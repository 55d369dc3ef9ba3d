"""What the server works with: how much it takes on, the threads that do it, and what is counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

from handler.errors import Busy
from handler.response import Answer


@dataclass(frozen=True, slots=True)
class Remaining:
    """What Lambda's context object tells: how long this request may still take."""

    until: float
    """On the monotonic clock, in seconds."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds left; 0 when the time is up."""
        return max(0, round((self.until - time.monotonic()) * 1000))


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the server takes on."""

    workers: int = 4
    queue: int = 32
    body_bytes: int = 140_000_000
    """Largest request body: a picture of 100 MB in base64."""
    seconds: float = 28.5
    """For one request, counted from its arrival."""


class Measures:
    """The numbers under `/_metrics`."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        name = "image_handler_"
        self._requests = Counter(name + "requests", "Answers by status", ["status"], registry=self._registry)
        self._seconds = Histogram(
            name + "request_seconds", "From arrival to the last byte handed over, in seconds", registry=self._registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )  # fmt: skip
        self.in_flight = Gauge(name + "in_flight", "Requests being worked on", registry=self._registry)
        self.queued = Gauge(name + "queued", "Requests waiting for a worker", registry=self._registry)

    def count(self, status: int, seconds: float) -> None:
        """One answer more."""
        self._requests.labels(status).inc()
        self._seconds.observe(seconds)

    def page(self) -> Answer:
        """All of them, as Prometheus reads it."""
        return Answer(HTTPStatus.OK, {"Content-Type": CONTENT_TYPE_LATEST}, generate_latest(self._registry))


class Workers:
    """Threads for the handler, and a count of who uses and who awaits them."""

    def __init__(self, bounds: Bounds, measures: Measures) -> None:
        self._pool = ThreadPoolExecutor(bounds.workers, thread_name_prefix="picture")
        self._bounds = bounds
        self._lock = threading.Lock()
        self._taken = 0
        measures.in_flight.set_function(lambda: min(self._taken, bounds.workers))
        measures.queued.set_function(lambda: max(0, self._taken - bounds.workers))

    def start(self, work: Callable[[], dict[str, Any]]) -> Future[dict[str, Any]]:
        """Begin, or wait in the queue; Busy when that is full."""
        with self._lock:
            if self._taken >= self._bounds.workers + self._bounds.queue:
                raise Busy("every worker is taken and the queue is full", headers={"Retry-After": "1"})
            self._taken += 1
        started = self._pool.submit(work)
        started.add_done_callback(self._leave)
        return started

    def _leave(self, _: Future[dict[str, Any]]) -> None:
        # On whichever thread has ended the work; the event loop may be gone by then.
        with self._lock:
            self._taken -= 1

    def close(self) -> None:
        """Wait for what is under way; nothing new is begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)

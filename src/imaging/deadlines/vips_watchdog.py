"""Stops libvips when the deadline passes: one thread for the whole process, which sleeps until the next one."""

from __future__ import annotations

import heapq
import itertools
import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pyvips

from imaging.context import Deadline


class _Watch:
    """Images that are being computed, and the moments at which they have to stop."""

    def __init__(self) -> None:
        self.change = threading.Condition()
        self.numbers = itertools.count()
        self.due: list[tuple[float, int]] = []
        self.images: dict[int, pyvips.Image] = {}
        self.thread: threading.Thread | None = None

    def add(self, image: pyvips.Image, at: float) -> int:
        with self.change:
            number = next(self.numbers)
            self.images[number] = image
            heapq.heappush(self.due, (at, number))
            if self.thread is None:
                self.thread = threading.Thread(target=self.stop_overdue, name="watch", daemon=True)
                self.thread.start()
            elif self.due[0][1] == number:
                self.change.notify()
            return number

    def discard(self, number: int) -> None:
        with self.change:
            del self.images[number]
            while self.due and self.due[0][1] not in self.images:
                heapq.heappop(self.due)

    def stop_overdue(self) -> None:
        with self.change:
            while True:
                left = self.due[0][0] - time.monotonic() if self.due else None
                if left is None or left > 0:
                    # Not longer than a thread may wait.
                    self.change.wait(None if left is None else min(left, threading.TIMEOUT_MAX))
                    continue
                image = self.images.get(heapq.heappop(self.due)[1])
                if image is not None:
                    image.set_kill(True)
                # Not kept until the next one is late.
                del image


_watch = _Watch()


def _after_fork() -> None:
    global _watch  # noqa: PLW0603 - the thread does not live on in a child, and its lock may be held there
    _watch = _Watch()


os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def watched(image: pyvips.Image, deadline: Deadline) -> Iterator[None]:
    """While this lasts, whatever computes `image` or anything made of it fails once the deadline passes."""
    if math.isinf(deadline.at):
        yield
        return
    watch = _watch
    number = watch.add(image, deadline.at)
    try:
        yield
    finally:
        watch.discard(number)

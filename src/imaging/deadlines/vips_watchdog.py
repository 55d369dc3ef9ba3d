"""Stops libvips at a deadline: one thread of the process sleeps until the next one and stops what computes too long."""

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


class _Watchdog:
    """The images that are being computed, and the times at which they are stopped.

    `due` is a heap of times and numbers of images. The number of an image that is finished stays in the heap until it
    comes to the top; `images` no longer has it then.
    """

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
                    # A thread cannot wait longer than TIMEOUT_MAX.
                    self.change.wait(None if left is None else min(left, threading.TIMEOUT_MAX))
                    continue
                image = self.images.get(heapq.heappop(self.due)[1])
                if image is not None:
                    image.set_kill(True)
                # The variable would keep the image in memory while the thread waits for the next one.
                del image


_watchdog = _Watchdog()


def _after_fork() -> None:
    global _watchdog  # noqa: PLW0603 - the thread does not survive in a child, and the lock may be held there
    _watchdog = _Watchdog()


os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def watched(image: pyvips.Image, deadline: Deadline) -> Iterator[None]:
    """Within the block, have every computation of `image`, or of images made from it, fail at the deadline."""
    if math.isinf(deadline.at):
        yield
        return
    watchdog = _watchdog
    number = watchdog.add(image, deadline.at)
    try:
        yield
    finally:
        watchdog.discard(number)

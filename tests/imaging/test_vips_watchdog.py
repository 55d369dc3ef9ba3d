"""What is being computed stops at the deadline, and only that."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import pytest
import pyvips
from tests import pictures

from features import edits
from imaging import Context, Deadline, Output, TimeExceeded, check, run
from imaging.deadlines.vips_watchdog import watched

Image = Any
"""A pyvips image; pyvips has no types of its own."""


def slow_image() -> Image:
    """Pixels that take minutes, a few lines at a time: libvips looks between lines whether it has to stop."""
    return pyvips.Image.gaussnoise(60_000, 60_000)


def test_pixels_stop_at_the_deadline() -> None:
    image = slow_image()
    began = time.monotonic()
    with pytest.raises(pyvips.Error), watched(image, Deadline.after(0.3)):
        image.avg()
    assert 0.3 <= time.monotonic() - began < 60


def test_what_is_made_of_a_watched_image_stops_with_it() -> None:
    image = slow_image()
    began = time.monotonic()
    with pytest.raises(pyvips.Error), watched(image, Deadline.after(0.3)):
        (image + 1).cast("uchar").pngsave_buffer()
    assert time.monotonic() - began < 60


def test_an_image_that_is_done_is_left_alone() -> None:
    image = pictures.scene()
    with watched(image, Deadline.after(0.1)):
        assert image.avg()
    time.sleep(0.2)
    assert image.avg()


def test_each_has_its_own_deadline() -> None:
    early, late = slow_image(), slow_image()
    outcomes: dict[str, float] = {}

    def work(name: str, image: Image, seconds: float) -> None:
        began = time.monotonic()
        with pytest.raises(pyvips.Error), watched(image, Deadline.after(seconds)):
            image.avg()
        outcomes[name] = time.monotonic() - began

    threads = [threading.Thread(target=work, args=args) for args in (("late", late, 1.2), ("early", early, 0.2))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.2 <= outcomes["early"] < outcomes["late"]
    assert outcomes["late"] >= 1.2


def test_no_deadline_starts_no_thread_and_many_start_one() -> None:
    def watchers() -> int:
        return sum(thread.name == "watch" for thread in threading.enumerate())

    before = watchers()
    with watched(pictures.scene(), Deadline()):
        assert watchers() == before
    for _ in range(20):
        with watched(pictures.scene(), Deadline.after(60)):
            pass
    assert watchers() == 1


class Killed:
    """Stands in for an image: libvips itself does not live on in a forked child."""

    def set_kill(self, kill: bool) -> None:
        os._exit(0 if kill else 1)


def test_a_child_has_a_watch_of_its_own() -> None:
    with watched(pictures.scene(), Deadline.after(60)):
        child = os.fork()
        if not child:
            stand_in: Any = Killed()
            with watched(stand_in, Deadline.after(0.1)):
                time.sleep(5)
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    "steps",
    [
        {"blur": {"sigma": 300}},
        {"rotate": 20, "blur": {"sigma": 300}},
        {"trim": True},
        {"rotate": 20, "extract": {"width": 50, "position": "attention"}},
        {"rotate": 20, "sharpen": {"sigma": 9}, "info": True},
    ],
)
def test_a_run_ends_in_time(steps: dict[str, object]) -> None:
    original = pictures.png(pictures.scene(6000, 4000), compression=1)
    began = time.monotonic()
    with pytest.raises(TimeExceeded):
        run(
            original,
            edits(steps),
            check(Output, {"format": "png"}),
            Context(deadline=Deadline.after(0.15)),
        )
    assert time.monotonic() - began < 8

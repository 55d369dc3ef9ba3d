"""One model at a time, stopped at the deadline, and none the worse for it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.weights import require_weights

from imaging.context import Deadline
from imaging.errors import TimeExceeded, Unavailable
from imaging.models.inference import InterruptibleSession, model_lock
from imaging.models.saliency import SIDE, compute_saliency, has_saliency

pytestmark = pytest.mark.models

NOISE = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def weights() -> str:
    return str(require_weights("optimised/u2net.onnx"))


def test_a_run_ends_at_the_deadline_and_the_next_one_works(weights: str) -> None:
    compute_saliency(NOISE, weights, Deadline())  # the model is open from here on
    started = time.monotonic()
    with pytest.raises(TimeExceeded, match="the model took longer"):
        compute_saliency(NOISE, weights, Deadline.after(0.03))
    assert time.monotonic() - started < 10
    mask = compute_saliency(NOISE, weights, Deadline())
    assert mask.shape == (SIDE, SIDE)
    assert mask.dtype == np.uint8
    assert (mask.min(), mask.max()) == (0, 255)


def test_whoever_waits_for_the_model_gives_up_at_the_deadline(weights: str) -> None:
    with model_lock(Deadline()), pytest.raises(TimeExceeded, match="other pictures were before"):
        compute_saliency(NOISE, weights, Deadline.after(0.05))


def test_a_deadline_that_has_passed_starts_nothing(weights: str) -> None:
    with pytest.raises(TimeExceeded):
        compute_saliency(NOISE, weights, Deadline.after(-1))


def test_turns_are_taken_one_after_another() -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        with model_lock(Deadline()):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]


def test_a_fault_of_the_model_is_no_time_out() -> None:
    class Broken:
        def run(self, *_: Any) -> Any:
            raise ValueError("broken")

    with model_lock(Deadline.after(60)), pytest.raises(ValueError, match="broken"):
        InterruptibleSession(Broken()).run(None, {})


def test_without_weights_what_to_do_is_told(tmp_path: Any) -> None:
    for folder in (None, "", str(tmp_path)):
        assert not has_saliency(folder)
        with pytest.raises(Unavailable, match="run `image-handler weights u2net`"):
            compute_saliency(NOISE, folder, Deadline())


@pytest.fixture
def _no_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from imaging.models import saliency as saliency_module

    saliency_module._opened.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    yield
    saliency_module._opened.cache_clear()


@pytest.mark.usefixtures("_no_onnxruntime")
def test_without_onnxruntime_what_to_install_is_told(weights: str) -> None:
    with pytest.raises(Unavailable, match="pip install onnxruntime"):
        compute_saliency(NOISE, weights, Deadline())


def test_a_picture_of_one_colour_has_a_mask_too(weights: str) -> None:
    assert compute_saliency(np.zeros((SIDE, SIDE, 3), np.uint8), weights, Deadline()).shape == (SIDE, SIDE)


def test_numpy_is_imported_before_onnxruntime() -> None:
    """Otherwise a thread that imports numpy while another one opens a model fails about once in six times."""
    program = """
import sys

class Before:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            assert not sys.modules["numpy"].__spec__._initializing

sys.meta_path.insert(0, Before())
from imaging.models.inference import session_options
session_options()
assert "onnxruntime" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)

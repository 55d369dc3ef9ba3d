"""What was seen is kept: asked once, however many want to know, and whatever becomes of the store."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from handler.core.errors import UpstreamError
from handler.core.ports import DetectionInput
from handler.detection import cache
from handler.detection.cache import Detection, DetectionCache
from handler.storage.results import open_results
from imaging import Deadline, Region, SalientRegion, TimeExceeded

CAT = DetectionInput("tag", "etag", "cat.jpg", lambda: b"")
SEEN = Detection(
    "1", (Region(0, 0, 0.5, 0.5),), salient=SalientRegion(Region(0, 0, 0.5, 0.5), (0.0, 1.0), (0.0, 0.5, 1.0))
)
SOON = Deadline()


class Looker:
    """Somebody who is slow and counts how often he looked."""

    def __init__(self, answer: Detection = SEEN, seconds: float = 0.0) -> None:
        self.count = 0
        self._answer = answer
        self._seconds = seconds

    def __call__(self) -> Detection:
        self.count += 1
        time.sleep(self._seconds)
        return self._answer


def test_while_one_looks_the_others_wait_for_the_answer() -> None:
    known, look = DetectionCache(), Looker(seconds=0.2)
    threads = [threading.Thread(target=known.of, args=(CAT, "faces", look, SOON)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert look.count == 1


def test_no_request_waits_beyond_its_deadline() -> None:
    known, look = DetectionCache(), Looker(seconds=0.5)
    first = threading.Thread(target=known.of, args=(CAT, "faces", look, SOON))
    first.start()
    time.sleep(0.05)
    with pytest.raises(TimeExceeded):
        known.of(CAT, "faces", look, Deadline.after(0.05))
    first.join()
    assert look.count == 1


def test_a_failure_is_no_answer() -> None:
    known = DetectionCache()

    def fail() -> Detection:
        raise UpstreamError("down")

    with pytest.raises(UpstreamError):
        known.of(CAT, "faces", fail, SOON)
    assert known.of(CAT, "faces", Looker(), SOON) == SEEN


def test_questions_and_originals_are_kept_apart() -> None:
    known, look = DetectionCache(), Looker()
    known.of(CAT, "faces", look, SOON)
    known.of(CAT, "objects", look, SOON)
    known.of(DetectionInput("tag", "another", "cat.jpg", lambda: b""), "faces", look, SOON)
    known.of(DetectionInput("another", "etag", "dog.jpg", lambda: b""), "faces", look, SOON)
    assert look.count == 4


def test_memory_forgets_what_was_not_asked_for_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_MAX_CACHED", 2)
    known, look = DetectionCache(), Looker()
    for question in ("one", "two", "one", "three", "one", "two"):
        known.of(CAT, question, look, SOON)
    assert look.count == 4


def test_a_store_that_fails_costs_a_second_look_and_nothing_else(tmp_path: Path) -> None:
    store = open_results(f"kept=file://{tmp_path}", "RESULTS_BUCKET")
    look = Looker()
    DetectionCache(store).of(CAT, "faces", look, SOON)
    assert DetectionCache(store).of(CAT, "faces", look, SOON) == SEEN
    assert look.count == 1
    for path in tmp_path.rglob("*faces*.json"):
        path.unlink()
        path.mkdir()
    assert DetectionCache(store).of(CAT, "faces", look, SOON) == SEEN
    assert look.count == 2


def test_keys_tell_nothing_of_the_original_and_lie_beside_each_other(tmp_path: Path) -> None:
    DetectionCache(open_results(f"kept=file://{tmp_path}", "RESULTS_BUCKET")).of(CAT, "faces", Looker(), SOON)
    (folder,) = (tmp_path / "detections").iterdir()
    assert folder.name == "tag"
    assert "etag" not in next(folder.iterdir()).name


def test_a_new_version_of_a_detector_on_this_machine_asks_anew() -> None:
    """Its name in the key holds the version, as nobody else tells a new process of it."""
    from handler.detection import local, yunet

    assert local.LocalFaces.name.endswith(yunet.VERSION)
    assert local.LocalSaliency.name[-1].isdigit()

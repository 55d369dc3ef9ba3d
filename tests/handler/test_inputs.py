"""What one request fetches is bounded before it is read."""

from __future__ import annotations

import os
from pathlib import Path

from tests import pictures
from tests.client import Client

LARGE = 90_000_000


def client(folder: Path) -> Client:
    return Client({"SOURCE_BUCKETS": f"pictures=file://{folder}", "MEMORY_BUDGET": "1200000000"})


def overlays(number: int, key: str = "large{}.png") -> str:
    marks = ":".join(f"watermark({key.format(index)},0,0,0)" for index in range(number))
    return f"/unsafe/60x60/filters:{marks}/cat.jpg"


def test_the_files_of_a_request_are_bounded_together(tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(pictures.jpeg())
    for index in range(11):
        (tmp_path / f"large{index}.png").write_bytes(pictures.png())
        os.truncate(tmp_path / f"large{index}.png", LARGE)  # a file with a hole takes no room
    answer = client(tmp_path).get(overlays(11))
    assert answer.status == 413
    assert answer.json()["message"].startswith("the 12 files of one request may have 300000000 bytes together, got 990")


def test_the_number_of_files_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(pictures.jpeg())
    for index in range(17):
        (tmp_path / f"small{index}.png").write_bytes(pictures.png())
    answer = client(tmp_path).get(overlays(17, "small{}.png"))
    assert answer.status == 413
    assert answer.json()["message"] == "a request may name 16 images besides its own, got 17"
    assert client(tmp_path).get(overlays(3, "small{}.png")).status == 200

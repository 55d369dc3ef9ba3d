"""Direct invocations: by key, and with the image in the event."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from tests import pictures
from tests.client import Client, answered, size

JPEG = pictures.jpeg(pictures.scene(64, 48))


@pytest.fixture
def client(tmp_path: Path) -> Client:
    (tmp_path / "cat.jpg").write_bytes(JPEG)
    (tmp_path / "what?.jpg").write_bytes(JPEG)
    return Client({"SOURCE_BUCKETS": f"pictures=file://{tmp_path}"})


@pytest.mark.parametrize(
    "said",
    [
        {"feature": "resize", "width": 30},
        {"feature": "resize", "width": "30"},
        {"feature": ["resize"], "width": 30},
        {"resize": {"width": 30}},
        {"resize.width": 30},
        {"width": 30, "bucket": "pictures"},
        {"width": 30, "v": 3},
    ],
)
def test_an_event_is_answered_in_the_shape_of_http(client: Client, said: dict[str, object]) -> None:
    answer = answered(client.invoke({"imageKey": "cat.jpg", **said}))
    assert answer.status == 200
    assert size(answer.body) == (30, 23)


def test_keys_are_taken_as_they_are(client: Client) -> None:
    assert answered(client.invoke({"imageKey": "what?.jpg"})).status == 200


@pytest.mark.parametrize(
    ("event", "status", "word"),
    [
        ({"imageKey": ""}, 400, "imageKey"),
        ({"imageKey": 7}, 400, "imageKey"),
        ({"imageKey": "nosuch.jpg"}, 404, "nosuch.jpg"),
        ({"imageKey": "cat.jpg", "width": "wide"}, 400, "resize.width"),
        ({"imageKey": "cat.jpg", "nosuch": 1}, 400, "nosuch"),
        ({"imageKey": "cat.jpg", "bucket": "other"}, 403, "other"),
        ({"nothing": "known"}, 400, "imageKey"),
        ({}, 400, "imageKey"),
    ],
)
def test_mistakes_are_named(client: Client, event: dict[str, object], status: int, word: str) -> None:
    answer = answered(client.invoke(event))
    assert answer.status == status
    assert word in answer.json()["message"]


def test_a_picture_brought_along_is_answered_in_kind(client: Client) -> None:
    said = client.invoke({"image": base64.b64encode(JPEG).decode(), "width": 30, "format": "png"})
    assert said["contentType"] == "image/png"
    assert size(base64.b64decode(said["image"])) == (30, 23)
    assert client.invoke({"image": base64.b64encode(JPEG).decode(), "feature": "info"})["width"] == 64
    assert client.invoke({"image": "???"})["status"] == 400
    lines = base64.encodebytes(JPEG).decode()
    for image in (lines, lines.replace("\n", "\r\n"), f"data:image/jpeg;base64,\n{lines}"):
        assert size(base64.b64decode(client.invoke({"image": image, "width": 30})["image"])) == (30, 23)
    assert client.invoke({"image": base64.b64encode(b"no picture").decode()})["status"] == 415

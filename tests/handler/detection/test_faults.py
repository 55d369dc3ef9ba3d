"""Whatever goes wrong with Rekognition: how often it is asked again, and what the caller is told, for each question."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.retries import standard
from tests import pictures
from tests.client import Answered
from tests.handler.detection.conftest import Serve
from tests.stand_ins.rekognition import Fault, Rekognition

from handler.detection import rekognition as adapter

pytestmark = pytest.mark.slow


class JsonEndpoint(NamedTuple):
    """Something that makes the application ask."""

    operation: str
    address: str
    settings: dict[str, str]

    def told(self, answer: Answered, status: int) -> None:
        """The answer has this status; but while moderation cannot look it has one of its own."""
        if self.operation == "DetectModerationLabels" and status != 422:
            assert (answer.status, answer.json()["code"]) == (503, "ContentModeration::Unavailable")
            assert answer.headers["Cache-Control"] == "no-store"
        else:
            assert answer.status == status
        assert "AKID" not in answer.body.decode()


REJECT = json.dumps({"contentModeration": {"action": "reject"}})
QUESTIONS = [
    JsonEndpoint("DetectFaces", "/scene.png?feature=smartCropping&subject=faces", {}),
    JsonEndpoint("DetectLabels", "/scene.png?feature=smartCropping&subject=objects", {}),
    JsonEndpoint("DetectModerationLabels", "/scene.png", {"ALWAYS": REJECT}),
]
BUSY = ("ThrottlingException", "ProvisionedThroughputExceededException", "LimitExceededException")
REFUSED = ("AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException")
UNREADABLE = ("InvalidImageFormatException", "ImageTooLargeException", "InvalidParameterException")
FAULTS = [
    *((Fault(code), 503, 3) for code in BUSY),
    *((Fault(code), 502, 1) for code in REFUSED),
    *((Fault(code), 422, 1) for code in UNREADABLE),
    (Fault("InternalServerError", 500), 503, 3),
    (Fault("ServiceUnavailableException", 503), 503, 3),
    (Fault("NobodyHeardOfThisException"), 503, 1),
]


@pytest.fixture(autouse=True)
def _scene(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "scene.png").write_bytes(pictures.png())

    def at_once(_self: Any, _context: Any) -> float:
        return 0.0

    # How long it waits between two attempts is botocore's own affair.
    monkeypatch.setattr(standard.ExponentialBackoff, "delay_amount", at_once)


@pytest.fixture(params=QUESTIONS, ids=lambda question: question.operation)
def question(request: pytest.FixtureRequest) -> JsonEndpoint:
    asked: JsonEndpoint = request.param
    return asked


@pytest.mark.parametrize(("fault", "status", "attempts"), FAULTS, ids=[fault.code for fault, *_ in FAULTS])
def test_each_fault_has_its_status_and_is_not_remembered(
    serve: Serve, rekognition: Rekognition, question: JsonEndpoint, fault: Fault, status: int, attempts: int
) -> None:
    rekognition.faults = [fault] * 3
    client = serve(**question.settings)
    answer = client.get(question.address)
    question.told(answer, status)
    assert ("Retry-After" in answer.headers) == (fault.code in BUSY)
    assert rekognition.asked == [question.operation] * attempts
    rekognition.faults.clear()
    assert client.get(question.address).status == 200


@pytest.mark.parametrize("code", [*BUSY, "InternalServerError"])
def test_what_passes_is_asked_again(serve: Serve, rekognition: Rekognition, question: JsonEndpoint, code: str) -> None:
    rekognition.faults = [Fault(code, 500 if code == "InternalServerError" else 400)] * 2
    assert serve(**question.settings).get(question.address).status == 200
    assert rekognition.asked == [question.operation] * 3


def test_a_service_that_does_not_answer_is_asked_again(
    serve: Serve, rekognition: Rekognition, question: JsonEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "_READ_SECONDS", 0.2)
    rekognition.faults = [Fault(seconds=1.0)] * 3
    question.told(serve(**question.settings).get(question.address), 504)
    assert len(rekognition.asked) == 3


def test_a_question_takes_no_longer_than_the_request_may(
    serve: Serve, rekognition: Rekognition, question: JsonEndpoint
) -> None:
    rekognition.faults = [Fault(seconds=60.0)]
    begun = time.monotonic()
    question.told(serve(**question.settings).get(question.address, seconds=4.0), 504)
    assert time.monotonic() - begun < 40


def test_a_service_that_cannot_be_reached_is_down(serve: Serve, question: JsonEndpoint) -> None:
    client = serve(AWS_ENDPOINT_URL_REKOGNITION="http://127.0.0.1:9", **question.settings)
    question.told(client.get(question.address), 503)


GARBAGE = {
    "nothing": b"",
    "no JSON": b"<html>",
    "a list": b"[]",
    "null": b"null",
    "a number": b"1",
    "no UTF-8": b"\xff\xfe{}",
    "nested": b"[" * 100_000,
    "an object without anything": b"{}",
    "null inside": json.dumps(dict.fromkeys(("FaceDetails", "Labels", "ModerationLabels"))).encode(),
    "text inside": json.dumps(dict.fromkeys(("FaceDetails", "Labels", "ModerationLabels"), "x")).encode(),
    "numbers inside": json.dumps({name: [1] for name in ("FaceDetails", "Labels", "ModerationLabels")}).encode(),
    "empty objects inside": json.dumps(
        {"FaceDetails": [{}], "Labels": [{"Instances": [{}]}], "ModerationLabels": [{}]}
    ).encode(),
    "numbers that are none": json.dumps(
        {
            "FaceDetails": [{"BoundingBox": {"Left": 0.1, "Top": 0.1, "Width": float("nan"), "Height": 0.1}}],
            "Labels": [{"Instances": [{"BoundingBox": {"Left": "0", "Top": 0, "Width": 1, "Height": 1}}]}],
            "ModerationLabels": [{"Name": "Explicit", "Confidence": float("nan"), "ParentName": ""}],
        }
    ).encode(),
}


@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE)
def test_an_answer_that_is_none(serve: Serve, rekognition: Rekognition, question: JsonEndpoint, body: bytes) -> None:
    """It is the service's fault, and nobody has looked: what ALWAYS moderates does not leave."""
    rekognition.faults = [Fault(raw=body)] * 3
    client = serve(**question.settings)
    question.told(client.get(question.address), 502)
    rekognition.faults.clear()
    assert client.get(question.address).status == 200

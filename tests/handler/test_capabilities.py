"""What the service says that it can do, through the entry point."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests import pictures
from tests.client import Client
from tests.local_server import ROOT

SECRET, BUCKET, PRESET = "a secret for signatures", "internal-bucket", "internal-preset"


def client(folder: Path, **more: str) -> Client:
    (folder / "cat.jpg").write_bytes(pictures.jpeg())
    return Client({"SOURCE_BUCKETS": f"{BUCKET}={folder.as_uri()}", "WEIGHTS": str(folder / "weights"), **more})


def told(asked: Client) -> Any:
    answer = asked.get("/_api/capabilities")
    assert answer.status == 200, answer.body
    return answer.json()


def unavailable(asked: Client) -> set[tuple[str, str, str]]:
    return {(each["feature"], each.get("parameter", ""), each.get("value", "")) for each in told(asked)["unavailable"]}


def test_without_weights_and_rekognition(tmp_path: Path) -> None:
    asked = client(tmp_path, VISION="local")
    assert told(asked)["detection"] == {
        "faces": "local", "objects": None, "text": None, "moderation": None, "salient": None,
    }  # fmt: skip
    assert not any(told(asked)["models"].values())
    assert {("contentModeration", "", ""), ("removeBackground", "", ""), ("cutout", "", "")} < unavailable(asked)
    assert ("smartCropping", "subject", "objects") in unavailable(asked)
    reasons = {each["feature"]: each["reason"] for each in told(asked)["unavailable"]}
    assert "VISION=rekognition" in reasons["contentModeration"]


def test_what_is_said_to_be_unavailable_is_refused_and_names_the_same_setting(tmp_path: Path) -> None:
    asked = client(tmp_path, VISION="local", PUBLIC_FEATURES="*")
    for feature, parameter, value in unavailable(asked):
        query = f"{feature}.{parameter}={value}" if parameter else f"{feature}=true"
        answer = asked.get(f"/cat.jpg?{query}&{feature}.width=9" if feature == "smartCropping" else f"/cat.jpg?{query}")
        assert answer.status == 501, (query, answer.body)


def test_with_rekognition(tmp_path: Path) -> None:
    asked = client(tmp_path, VISION="rekognition", AWS_REGION="eu-central-1")
    assert told(asked)["detection"]["moderation"] == "rekognition"
    assert not {name for name, *_ in unavailable(asked)} & {"contentModeration", "redact"}


def test_models_whose_weights_are_installed(tmp_path: Path) -> None:
    for name in ("optimised/u2net.onnx", "int8/u2net.onnx"):
        (tmp_path / "weights" / name).parent.mkdir(parents=True)
        (tmp_path / "weights" / name).touch()
    asked = client(tmp_path)
    assert [name for name, has in told(asked)["models"].items() if has] == ["u2net", "u2net-int8"]
    assert ("removeBackground", "", "") not in unavailable(asked)
    assert ("removeBackground", "model", "silueta") in unavailable(asked)


@pytest.mark.parametrize(
    ("more", "public"),
    [
        ({}, []),
        ({"PUBLIC_FEATURES": "removeBackground"}, ["removeBackground"]),
        ({"PUBLIC_SOURCES": BUCKET}, ["contentModeration", "redact", "redEye", "smartCropping"]),
    ],
)
def test_the_features_that_are_public(tmp_path: Path, more: dict[str, str], public: list[str]) -> None:
    names = told(client(tmp_path, **more))["publicFeatures"]
    assert names[: len(public)] == public
    assert bool(names) == bool(public)


def test_limits_and_dialects_are_those_of_the_settings(tmp_path: Path) -> None:
    said = told(client(tmp_path, MAX_SOURCE_BYTES="123456", MAX_FRAMES="7", DIALECTS="query,imgproxy"))
    assert said["limits"]["sourceBytes"] == said["limits"]["uploadBytes"] == 123456
    assert said["limits"]["frames"] == 7
    assert said["dialects"] == ["query", "imgproxy"]
    lambda_bound = told(client(tmp_path, AWS_LAMBDA_FUNCTION_NAME="f", AWS_REGION="eu-central-1"))
    assert 4_000_000 < lambda_bound["limits"]["uploadBytes"] < 4_718_592


def test_no_secret_and_no_internal_name(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "token").write_text("operators-token")
    asked = client(
        tmp_path,
        ENABLE_SIGNATURE="Yes",
        SIGNATURE_SECRET_FILE=str(tmp_path / "secret"),
        OPERATOR_TOKEN_FILE=str(tmp_path / "token"),
        PRESETS=json.dumps({PRESET: "width=9"}),
    )
    assert told(asked)["signatures"] == "required"
    body = asked.get("/_api/capabilities").body.decode()
    for name in (SECRET, BUCKET, PRESET, "operators-token", str(tmp_path), str(ROOT)):
        assert name not in body


def test_parameters_are_refused(tmp_path: Path) -> None:
    answer = client(tmp_path).get("/_api/capabilities?url=/cat.jpg")
    assert (answer.status, answer.json()["message"]) == (400, "the query must hold no parameter, got url")

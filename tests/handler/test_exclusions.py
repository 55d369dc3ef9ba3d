"""The rules of features.json are those of the models: what they forbid is refused over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests import pictures
from tests.client import Client
from tests.local_server import ROOT

FEATURES: list[dict[str, Any]] = json.loads((ROOT / "demo-ui" / "features.json").read_text())["features"]
BY_NAME = {feature["name"]: feature for feature in FEATURES}
VALUES = {
    "length": "10p", "point": "0.5,0.5", "ratio": "1:1", "integer": "5", "number": "5",
    "switch": "true", "gravity": "no",
}  # fmt: skip


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    folder = tmp_path_factory.mktemp("source")
    (folder / "cat.jpg").write_bytes(pictures.jpeg())
    return Client({"SOURCE_BUCKETS": f"p={folder.as_uri()}"})


def value_of(feature: str, name: str, value: str) -> str:
    if value:
        return value
    parameter = next(each for each in BY_NAME[feature]["parameters"] if each["name"] == name)
    others = [choice for choice in parameter.get("choices", ()) if choice != parameter["default"]]
    return others[0] if others else VALUES[parameter["control"]]


@pytest.mark.parametrize("feature", ["crop", "extract", "quantize", "extend"])
def test_what_excludes_each_other_is_refused(client: Client, feature: str) -> None:
    rules = BY_NAME[feature]["excludes"]
    assert rules
    for name, value, others in rules:
        pairs = [(part, value_of(feature, part, with_it)) for part, with_it in ((name, value), *others)]
        answer = client.get("/cat.jpg?" + "&".join(f"{feature}.{part}={given}" for part, given in pairs))
        assert answer.status == 400, (feature, pairs)
        assert "must be left out" in answer.json()["message"]


@pytest.mark.parametrize(
    ("feature", "rule"),
    [
        ("crop", ["aspectRatio", "", [["height", ""], ["width", ""]]]),
        ("quantize", ["criterion", "", [["colors", ""]]]),
        ("quantize", ["difference", "", [["criterion", "silhouette"]]]),
        ("resize", ["focalPoint", "", [["position", ""]]]),
        ("resize", ["focalX", "", [["focalPoint", ""]]]),
        ("resize", ["aspectRatio", "", [["width", ""], ["height", ""]]]),
        ("cutout", ["shadowAngle", "", [["shadow", "none"]]]),
    ],
)
def test_known_rules_are_found(feature: str, rule: list[object]) -> None:
    assert rule in BY_NAME[feature]["excludes"]


@pytest.mark.parametrize(
    ("feature", "rule"),
    [
        ("watermark", ["gapX", "", [["tile", "true"]]]),
        ("removeBackground", ["alphaMattingErodeSize", "", [["alphaMatting", "true"]]]),
        ("resize", ["aspectRatio", "", [["width", ""], ["height", ""]]]),
        ("resize", ["fit", "auto", [["rules", "imgproxy"]]]),
    ],
)
def test_known_needs_are_found(feature: str, rule: list[object]) -> None:
    assert rule in BY_NAME[feature]["needs"]


def test_sizes_of_numbers_are_no_rules() -> None:
    assert "excludes" not in BY_NAME["gradient"]
    assert "excludes" not in BY_NAME["normalise"]

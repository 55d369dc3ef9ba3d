"""Metrics that CloudWatch reads from the log: by feature and by format, and with few values of each dimension."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests import pictures
from tests.client import Client
from tests.stand_ins.scripted_http import Reply, scripted_server

from features import CATALOGUE
from handler.observability import logs
from imaging import FORMATS

NAMESPACE = "pictures"
FEATURES = {feature.name for feature in CATALOGUE} | {"none"}
NAMES_OF_FORMATS = {each.name for each in FORMATS} | {"json"}


@pytest.fixture(autouse=True)
def namespace() -> Iterator[None]:
    logs.set_metrics_namespace(NAMESPACE)
    yield
    logs.set_metrics_namespace("")


@pytest.fixture
def client(tmp_path: Path) -> Client:
    for folder in ("originals", "results"):
        (tmp_path / folder).mkdir()
    (tmp_path / "originals" / "cat.jpg").write_bytes(pictures.jpeg())
    results = {"RESULTS_BUCKET": f"r=file://{tmp_path}/results", "STORE_RESULTS": "Yes"}
    return Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}/originals", **results})


def documents(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the lines with metrics, of which each follows CloudWatch's specification of the format."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = [line for line in lines if "_aws" in line]
    for line in found:
        check_document(line)
    return found


def check_document(line: Mapping[str, Any]) -> None:
    """Check the rules of "Specification: Embedded metric format" in CloudWatch's user guide."""
    assert abs(line["_aws"]["Timestamp"] - time.time() * 1000) < 3_600_000
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    for dimensions in directive["Dimensions"]:
        assert 1 <= len(dimensions) <= 30
        assert all(isinstance(line[name], str) and 1 <= len(line[name]) <= 1024 for name in dimensions)
    for metric in directive["Metrics"]:
        assert isinstance(line[metric["Name"]], int | float)
        assert metric["Unit"] in ("Milliseconds", "Bytes", "Count")


def test_a_request_is_counted_by_its_features_and_once_by_its_format(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = client.get("/cat.jpg?width=20&blur=2&format=webp")
    first, second = documents(capsys)
    assert (first["message"], first["feature"], first["format"]) == ("request", "resize", "webp")
    assert first["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["feature"], ["format"]]
    assert (first["source_bytes"], first["result_bytes"]) == (len(pictures.jpeg()), len(answer.body))
    assert (second["message"], second["feature"]) == ("metrics", "blur")
    assert second["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["feature"]]
    assert second["milliseconds"] == first["milliseconds"]


@pytest.mark.parametrize(("query", "feature", "name"), [("", "none", "jpeg"), ("?feature=info", "info", "json")])
def test_originals_and_reports_are_counted_too(
    client: Client, capsys: pytest.CaptureFixture[str], query: str, feature: str, name: str
) -> None:
    assert client.get(f"/cat.jpg{query}").status == 200
    (line,) = documents(capsys)
    assert (line["feature"], line["format"]) == (feature, name)


def test_refusals_and_stored_results_are_not_counted(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    assert client.get("/cat.jpg?width=20&format=avif").status == 200
    assert len(documents(capsys)) == 1
    assert client.get("/cat.jpg?width=20&format=avif").status == 200
    assert client.get("/cat.jpg?width=-1").status == 400
    assert client.get("/none.jpg?width=9").status == 404
    assert documents(capsys) == []


def test_what_the_model_function_renders_is_counted_there_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cat.jpg").write_bytes(pictures.jpeg())
    answered = {"statusCode": 200, "headers": {}, "body": "aGk=", "isBase64Encoded": True}
    with scripted_server(lambda _: Reply(200, json.dumps(answered).encode())) as functions:
        client = Client(
            {
                "SOURCE_BUCKETS": f"p=file://{tmp_path}",
                "HEAVY_FUNCTION": "models",
                "PUBLIC_FEATURES": "*",
                "AWS_ACCESS_KEY_ID": "AKID",
                "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_ENDPOINT_URL_LAMBDA": functions.url,
            }
        )
        assert client.get("/cat.jpg?feature=removeBackground").status == 200
    assert documents(capsys) == []


def test_a_request_with_many_features_writes_few_lines(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    many = "width=20&blur=2&sharpen=1&grayscale=yes&rotate=90&flip=yes&flop=yes&contrast=2&gamma=2&negate=yes&median=3"
    assert client.get(f"/cat.jpg?{many}").status == 200
    assert len(documents(capsys)) == 8


@pytest.mark.parametrize(
    "query", ["width=9&x=1", "feature=../../x", "format=x%00y", "blur=2&format=gif", "v=%F0%9F%98%80&width=5"]
)
def test_what_a_client_writes_never_becomes_a_dimension(
    client: Client, capsys: pytest.CaptureFixture[str], query: str
) -> None:
    client.get(f"/cat.jpg?{query}")
    for line in documents(capsys):
        assert line["feature"] in FEATURES
        assert line.get("format", "json") in NAMES_OF_FORMATS


def test_without_a_namespace_there_are_no_metrics(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_metrics_namespace("")
    assert client.get("/cat.jpg?width=20&blur=2").status == 200
    line, *_ = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "_aws" not in line
    assert (line["format"], line["result_bytes"]) == ("jpeg", line["bytes"])

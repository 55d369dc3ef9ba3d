"""The dashboard: it names what is made, and its queries ask for what the function logs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests import pictures
from tests.client import Client
from tests.template.samples import LEAST, UPLOADS, stacks
from tests.template.stack import Stack
from tests.tools import case

WORDS = {"filter", "and", "ispresent", "stats", "count", "as", "by", "sort", "desc", "pct", "message"}


def widgets(parameters: dict[str, str]) -> list[dict[str, Any]]:
    body = Stack(parameters).resources["Dashboard"]["DashboardBody"]
    found: list[dict[str, Any]] = json.loads(body)["widgets"]
    return found


def queries() -> list[str]:
    return [widget["properties"]["query"] for widget in widgets(LEAST) if widget["type"] == "log"]


def test_it_shows_what_is_made() -> None:
    for name, parameters in stacks().items():
        with case(name):
            shown = widgets(parameters)
            places = [(widget["x"], widget["y"]) for widget in shown]
            assert len(set(places)) == len(places), "one widget must not lie on another"
            for widget in shown:
                assert widget["properties"]["region"]
                assert "${" not in json.dumps(widget)
            titles = " ".join(widget["properties"]["title"] for widget in shown).lower()
            for what in ("requests", "errors", "features", "cache", "dollars"):
                assert what in titles


def test_the_heavy_function_is_in_it_where_there_is_one() -> None:
    """Its errors, its milliseconds and what it costs."""
    shown = [widget for widget in widgets(LEAST) if "HeavyWorker" in json.dumps(widget)]
    assert len(shown) == 3
    assert "heavyDuration / 1000 * 3008 / 1024" in json.dumps(shown)
    assert "HeavyWorker" not in json.dumps(widgets({**LEAST, "HeavyFunction": "No"}))


def test_expressions_name_metrics_that_are_there() -> None:
    for widget in widgets(LEAST):
        metrics = widget["properties"].get("metrics", [])
        ids = {part["id"] for metric in metrics for part in metric if isinstance(part, dict) and "id" in part}
        for metric in metrics:
            if isinstance(metric[0], dict):
                assert set(re.findall(r"[A-Za-z]+", metric[0]["expression"])) <= ids


def test_metrics_by_feature_and_format_are_shown_where_they_are_written() -> None:
    assert "SEARCH" not in json.dumps(widgets(LEAST))
    shown = json.dumps(widgets({**LEAST, "Metrics": "Yes"}))
    searched = re.findall(
        r"SEARCH\('\{([^}]*)\} MetricName=([^']*)', '(\w+)'", shown.replace('\\\\\\"', '"').replace('\\"', '"')
    )
    assert {(where, name) for where, name, _ in searched} == {
        ('"images",feature', '"milliseconds"'),
        ('"images",format', '"milliseconds"'),
        ('"images",format', '"source_bytes"'),
        ('"images",format', '"result_bytes"'),
    }
    for function in ("Function", "HeavyWorker"):
        said = Stack({**LEAST, "Metrics": "Yes"}).resources[function]["Environment"]["Variables"]
        assert said["METRICS_NAMESPACE"] == "images"
        assert Stack(LEAST).resources[function]["Environment"]["Variables"]["METRICS_NAMESPACE"] == ""


def test_the_queue_of_uploads_is_in_it_where_there_is_one() -> None:
    assert "uploadqueue.queuename" in json.dumps(widgets({**LEAST, **UPLOADS}))
    assert "AWS/SQS" not in json.dumps(widgets(LEAST))


@pytest.fixture
def logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Lines of a picture, of one that comes from the results, and of a refusal."""
    (tmp_path / "originals").mkdir()
    (tmp_path / "originals" / "a.jpg").write_bytes(pictures.jpeg(pictures.scene(64, 48)))
    (tmp_path / "results").mkdir()
    client = Client(
        {
            "SOURCE_BUCKETS": f"p=file://{tmp_path}/originals",
            "RESULTS_BUCKET": f"r=file://{tmp_path}/results",
            "STORE_RESULTS": "Yes",
        }
    )
    for _ in range(2):
        assert client.get("/a.jpg?width=20&blur=2&format=avif").status == 200
    assert client.get("/a.jpg?width=-1").status == 400
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_queries_ask_for_what_is_logged(logged: list[dict[str, Any]]) -> None:
    assert [line.get("features") for line in logged] == ["resize+blur", "resize+blur", None]
    assert [line.get("kept") for line in logged] == [None, True, None]
    known = {name for line in logged for name in line}
    for query in queries():
        _, _, rest = query.partition("|")
        named = set(re.findall(r"[A-Za-z]+", re.sub(r"'[^']*'|as \w+", "", rest))) - WORDS
        made = set(re.findall(r"as (\w+)", rest))
        assert named <= known | made, query
        assert "message = 'request'" in query

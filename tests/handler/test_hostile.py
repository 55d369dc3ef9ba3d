"""What clients send who mean no good, or cannot help it: refused as their mistake, never as ours."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from tests import pictures
from tests.client import Client, answered, function_url_event, size

JPEG = pictures.jpeg(pictures.scene(64, 48))
IMAGE = base64.b64encode(JPEG).decode()
HUGE = "9" * 400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cat.jpg").write_bytes(JPEG)
    (tmp_path / "fallback.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    return tmp_path


@pytest.fixture
def client(folder: Path) -> Client:
    return Client({"SOURCE_BUCKETS": f"pictures=file://{folder}"}, operator_open=True)


def json_path(text: str) -> str:
    return "/" + base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        r'{"key": "\ud800"}',
        r'{"key": "cat.jpg", "edits": {"download": "\udfff"}}',
        r'{"key": "cat.jpg", "edits": {"\ud800": 1}}',
        r'{"key": "cat.jpg", "\ud800": 1, "\ud800": 2}',
        f'{{"key": "cat.jpg", "edits": {{"overlayWith": {{"key": "x", "alpha": {HUGE}}}}}}}',
        f'{{"key": "cat.jpg", "edits": {{"overlayWith": {{"key": "x", "wRatio": -{HUGE}}}}}}}',
        f'{{"key": "cat.jpg", "edits": {{"blur": {HUGE}}}}}',
        '{"key": "cat.jpg", "edits": {"blur": 1e999}}',
        f'{{"key": "cat.jpg", "edits": {{"blur": {"[" * 900}1{"]" * 900}}}}}',
    ],
)
def test_json_that_means_nothing_is_the_clients_mistake(client: Client, text: str) -> None:
    answer = client.get(json_path(text))
    assert answer.status == 400, answer.body
    assert answer.json()["code"] == ("OverlayImageException" if "overlayWith" in text else "BadRequest")


def test_characters_beyond_the_first_plane_may_be_escaped(client: Client) -> None:
    assert client.get(json_path(r'{"key": "cat.jpg", "edits": {"download": "\ud83d\ude00"}}')).status == 200


@pytest.mark.parametrize(
    "event",
    [
        {"imageKey": "cat.jpg", "download": "\ud800"},
        {"imageKey": "cat.jpg", "\ud800": 1},
        {"imageKey": "cat.jpg", "blur": 10**400},
        [],
        "cat.jpg",
        None,
    ],
)
def test_events_that_mean_nothing_are_the_callers_mistake(client: Client, event: Any) -> None:
    assert answered(client.invoke(event)).status == 400


def test_half_a_character_names_no_object(client: Client) -> None:
    assert answered(client.invoke({"imageKey": "\ud800"})).status == 404


@pytest.mark.parametrize("depth", [50, 500, 900, 100_000])
def test_objects_within_objects_are_refused(client: Client, depth: int) -> None:
    body = f'{{"image": "{IMAGE}", "blur": {"{" + chr(34) + "a" + chr(34) + ":"}'
    nested = '{"a":' * depth + "1" + "}" * depth
    assert (
        client.post("/_api/transform", (body + nested + "}}").encode(), content_type="application/json").status == 400
    )


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 2020 00:00:00 +99999999999999999999",
        "Mon, 01 Jan 2020 99:99:99 GMT",
        "",
        ",",
    ],
)
def test_a_date_that_is_none_is_as_if_it_were_not_there(client: Client, date: str) -> None:
    assert client.get("/cat.jpg", if_modified_since=date).status == 200


def test_an_empty_preset_is_no_way_around_presets_only(folder: Path) -> None:
    client = Client(
        {"SOURCE_BUCKETS": f"pictures=file://{folder}", "PRESETS_ONLY": "Yes", "PRESETS": '{"a": "blur=3"}'}
    )
    assert client.get("/cat.jpg?preset=").status == 400
    assert client.get("/cat.jpg?preset").status == 400
    assert client.get(json_path('{"key": "cat.jpg"}') + "?preset=").status == 400
    assert client.get("/cat.jpg?preset=a").status == 200


def test_where_the_query_language_is_off_it_is_off_behind_json_too(folder: Path) -> None:
    client = Client({"SOURCE_BUCKETS": f"pictures=file://{folder}", "DIALECTS": "json"})
    assert client.get("/cat.jpg?blur=3").status == 403
    assert client.get(json_path('{"key": "cat.jpg"}') + "?blur=3").status == 403
    assert client.get(json_path('{"key": "cat.jpg"}') + "?v=3").status == 200
    assert answered(client.invoke({"imageKey": "cat.jpg", "blur": 3})).status == 200  # no URL


def test_whoever_goes_past_the_cdn_gets_no_fallback(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("cdn")
    client = Client(
        {
            "SOURCE_BUCKETS": f"pictures=file://{folder}",
            "ORIGIN_SECRET_FILE": str(secret),
            "ENABLE_DEFAULT_FALLBACK_IMAGE": "Yes",
            "DEFAULT_FALLBACK_IMAGE_KEY": "cat.jpg",
        }
    )
    past = client.get("/nosuch.jpg")
    assert (past.status, past.headers["Content-Type"]) == (403, "application/json")
    through = client.get("/nosuch.jpg", x_origin_secret="cdn")
    assert (through.status, through.headers["Content-Type"]) == (404, "image/jpeg")


def test_a_fallback_drawing_is_as_harmless_as_any_other(folder: Path) -> None:
    client = Client(
        {
            "SOURCE_BUCKETS": f"pictures=file://{folder}",
            "ENABLE_DEFAULT_FALLBACK_IMAGE": "Yes",
            "DEFAULT_FALLBACK_IMAGE_KEY": "fallback.svg",
        }
    )
    answer = client.get("/nosuch.jpg")
    assert (answer.status, answer.headers["Content-Type"]) == (404, "image/svg+xml")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_bucket_in_both_json_and_query_is_refused(client: Client) -> None:
    for name in ("v", "preset", "width"):
        body = json.dumps({"image": IMAGE, name: "1"}).encode()
        answer = client.post(f"/_api/transform?{name}=2", body, content_type="application/json")
        assert answer.status == 400
        assert answer.json()["message"].startswith(f"`{name}` must be given once")


def test_posted_json_may_nest_whatever_may_be_dotted(client: Client) -> None:
    said = {"image": IMAGE, "resize": {"width": 20}, "output": {"format": "png"}}
    answer = client.post("/_api/transform", json.dumps(said).encode(), content_type="application/json")
    assert answer.json()["contentType"] == "image/png"
    assert size(base64.b64decode(answer.json()["image"])) == (20, 15)


def test_a_picture_answered_in_kind_fits_into_an_answer(folder: Path) -> None:
    client = Client({"SOURCE_BUCKETS": f"pictures=file://{folder}", "MAX_ANSWER_BYTES": "4200"})
    said = client.invoke({"image": IMAGE})
    assert (said["status"], said["code"]) == (413, "TooLargeImageException")


@pytest.mark.parametrize(
    ("path", "stage", "version", "status"),
    [
        ("/prod/cat.jpg", "prod", "2.0", 200),
        ("/prod/cat.jpg", "prod", "1.0", 200),
        ("/cat.jpg", "cat", "2.0", 200),
        ("/cat.jpg", "cat", "1.0", 200),
        ("/$default/cat.jpg", "$default", "2.0", 404),
        ("/prod", "prod", "2.0", 404),
    ],
)
def test_a_stage_is_a_whole_segment(client: Client, path: str, stage: str, version: str, status: int) -> None:
    event = function_url_event(path)
    event["requestContext"] |= {"stage": stage, "domainName": "abc.execute-api.eu-central-1.amazonaws.com"}
    if version == "1.0":
        event = {"version": "1.0", "httpMethod": "GET", "path": path, "requestContext": event["requestContext"]}
    assert answered(client.invoke(event)).status == status


def test_ignored_names_may_stand_there_twice_in_any_event(client: Client) -> None:
    event = {"httpMethod": "GET", "path": "/cat.jpg", "requestContext": {}}
    twice = {**event, "multiValueQueryStringParameters": {"utm_x": ["1", "2"], "width": ["20"]}}
    assert size(answered(client.invoke(twice)).body) == (20, 15)
    refused = answered(client.invoke({**event, "multiValueQueryStringParameters": {"width": ["1", "2"]}}))
    assert (refused.status, refused.json()["code"]) == (400, "QueryParameterParsingError")


@pytest.mark.parametrize("query", ["x" * 50_000 + "=1", "preset=" + "x" * 50_000, "bucket=" + "x" * 50_000])
def test_a_clients_own_words_are_not_sent_back_by_the_page(client: Client, query: str) -> None:
    answer = client.get("/cat.jpg?" + query)
    assert answer.status in (400, 403)
    assert len(answer.body) < 1500

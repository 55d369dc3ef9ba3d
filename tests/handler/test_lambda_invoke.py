"""Two functions of one image: the ordinary one hands what is heavy to the other, over Lambda's Invoke in HTTP."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
from tests import pictures
from tests.client import Answered, Client, function_url_event
from tests.stand_ins.scripted_http import ParsedRequest, Reply, ScriptedServer, scripted_server
from tests.weights import PHOTOS, require_weights

from handler import app
from handler.composition import wiring
from handler.config import SettingsError
from handler.entrypoints.http_call import read_http_request

CUT = "/cat.jpg?feature=removeBackground"
MADE = {"statusCode": 200, "headers": {"Content-Type": "image/png"}, "body": "cG5n", "isBase64Encoded": True}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "cat.jpg").write_bytes(pictures.jpeg())
    return {
        "SOURCE_BUCKETS": f"p=file://{tmp_path}",
        "PUBLIC_FEATURES": "*",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "WEIGHTS": str(tmp_path),
    }


@pytest.fixture
def functions() -> Iterator[ScriptedServer]:
    with scripted_server(lambda _: Reply(200, json.dumps(MADE).encode())) as server:
        yield server


def ordinary(environment: dict[str, str], functions: ScriptedServer, **more: str) -> Client:
    own = {"HEAVY_FUNCTION": "heavy", "AWS_ENDPOINT_URL_LAMBDA": functions.url}
    return Client({**environment, **own, **more})


def test_the_trace_of_the_request_is_passed_on_unsigned(
    environment: dict[str, str], functions: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    client = ordinary(environment, functions)
    for value in (trace, trace.replace("bd862", "cd862")):
        monkeypatch.setenv("_X_AMZN_TRACE_ID", value)
        assert client.get(CUT).status == 200
        headers = {name.lower(): sent for name, sent in functions.asked[-1].headers.items()}
        assert headers["x-amzn-trace-id"] == value
        assert "x-amzn-trace-id" not in headers["authorization"]
    monkeypatch.delenv("_X_AMZN_TRACE_ID")
    assert client.get(CUT).status == 200
    assert "x-amzn-trace-id" not in {name.lower() for name in functions.asked[-1].headers}


def test_the_model_function_may_be_named_with_its_alias(environment: dict[str, str], functions: ScriptedServer) -> None:
    client = ordinary(environment, functions, HEAVY_FUNCTION="models:live")
    assert client.get(CUT).status == 200
    assert unquote(functions.asked[0].path) == "/2015-03-31/functions/models:live/invocations"


def test_an_expensive_request_is_delegated_and_its_answer_returned(
    environment: dict[str, str], functions: ScriptedServer
) -> None:
    client = ordinary(environment, functions)
    answer = client.get(CUT, accept="image/avif")
    assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, "image/png", b"png")
    (asked,) = functions.asked
    headers = {name.lower(): value for name, value in asked.headers.items()}
    assert (asked.method, asked.path) == ("POST", "/2015-03-31/functions/heavy/invocations")
    assert headers["x-amz-invocation-type"] == "RequestResponse"
    assert "/eu-west-1/lambda/aws4_request" in headers["authorization"]
    assert headers["x-amz-security-token"] == "token"
    event = json.loads(asked.body)
    assert (event["rawPath"], event["rawQueryString"]) == tuple(CUT.split("?"))
    assert event["headers"] == {"accept": "image/avif"}


def test_an_arn_is_a_name_too(environment: dict[str, str], functions: ScriptedServer) -> None:
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:heavy"
    assert ordinary(environment, functions, HEAVY_FUNCTION=arn).get(CUT).status == 200
    assert unquote(functions.asked[0].path) == f"/2015-03-31/functions/{arn}/invocations"
    assert functions.asked[0].path.count("/") == 4


@pytest.mark.parametrize("url", ["/cat.jpg?width=40", "/cat.jpg?quantize=4", "/_health"])
def test_a_cheap_request_is_not_delegated(environment: dict[str, str], functions: ScriptedServer, url: str) -> None:
    ordinary(environment, functions).get(url)
    assert functions.asked == []


def test_cheap_checks_come_first(environment: dict[str, str], functions: ScriptedServer) -> None:
    client = ordinary(environment, functions, PUBLIC_FEATURES="")
    assert client.get(CUT).status == 403
    assert ordinary(environment, functions).get("/nothing.jpg?feature=removeBackground").status == 404
    assert functions.asked == []


def test_events_and_posted_pictures_too(environment: dict[str, str], functions: ScriptedServer) -> None:
    client = ordinary(environment, functions)
    event = {"imageKey": "cat.jpg", "feature": "removeBackground"}
    assert client.invoke(event) == MADE
    picture = {"image": base64.b64encode(pictures.jpeg()).decode(), "feature": "removeBackground"}
    said = {"image": "cG5n", "contentType": "image/png"}
    functions.script = lambda _: Reply(200, json.dumps(said).encode())
    assert client.invoke(picture) == said
    assert [json.loads(asked.body) for asked in functions.asked] == [event, picture]


def error(status: int, kind: str = "", payload: object = None) -> Callable[[ParsedRequest], Reply]:
    headers = {"X-Amz-Function-Error": kind} if kind else {}
    return lambda _: Reply(status, json.dumps(payload).encode(), headers)


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (error(429, payload={"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"}), 503),
        (error(503), 503),
        (error(403, payload={"Message": "not authorized"}), 502),
        (error(404, payload={"Message": "Function not found"}), 502),
        (error(500), 502),
        (error(200, "Unhandled", {"errorType": "Sandbox.Timedout", "errorMessage": "timed out"}), 504),
        (error(200, "Unhandled", {"errorType": "Runtime.ExitError", "errorMessage": "killed"}), 502),
        (error(200, payload={"hello": "you"}), 502),
        (error(200, payload=[]), 502),
        (lambda _: Reply(200, b"no json"), 502),
        (lambda _: Reply(200, b"[" * 100_000), 502),
        (error(200, payload={**MADE, "statusCode": "fine"}), 502),
        (error(200, payload={**MADE, "statusCode": 2000}), 502),
        (error(200, payload={**MADE, "headers": ["x"]}), 502),
        (error(200, payload={**MADE, "headers": None}), 502),
        (error(200, payload={**MADE, "body": "no base64"}), 502),
        (
            error(200, payload={**MADE, "statusCode": 404, "headers": {"Content-Type": "text/plain"}, "body": "W10="}),
            502,
        ),
        (lambda _: Reply(200, json.dumps(MADE).encode(), sent=9), 502),
    ],
)
def test_its_failures_are_reported(
    environment: dict[str, str], functions: ScriptedServer, script: Callable[[ParsedRequest], Reply], status: int
) -> None:
    functions.script = script
    answer = ordinary(environment, functions).get(CUT)
    assert (answer.status, answer.json()["code"]) == (status, "HeavyFunction")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "authorized" not in answer.json()["message"]
    assert len(functions.asked) == 1, "a second try would be the heavy work once more"


def test_a_refusal_of_its_own_is_in_the_log(
    environment: dict[str, str], functions: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The dashboard counts answers by status and code, each request once: in the log of the ordinary function."""
    refusal = {"status": 413, "code": "PayloadTooLarge", "message": "…"}
    headers = {"Content-Type": "application/json"}
    said = {"statusCode": 413, "headers": headers, "body": json.dumps(refusal), "isBase64Encoded": False}
    functions.script = lambda _: Reply(200, json.dumps(said).encode())
    answer = ordinary(environment, functions).get(CUT)
    assert (answer.status, answer.json()) == (413, refusal)
    assert ordinary(environment, functions).get(CUT, method="HEAD").status == 413
    line, _ = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["status"], line["code"], line["features"]) == (413, "PayloadTooLarge", "removeBackground")


def test_it_is_late(environment: dict[str, str], functions: ScriptedServer) -> None:
    functions.script = lambda _: Reply(200, json.dumps(MADE).encode(), before=3)
    answer = ordinary(environment, functions).get(CUT, seconds=1.5)
    assert (answer.status, answer.json()["code"]) == (504, "HeavyFunction")
    assert len(functions.asked) == 1


def test_nobody_listens(environment: dict[str, str], functions: ScriptedServer) -> None:
    client = ordinary(environment, functions, AWS_ENDPOINT_URL_LAMBDA="http://127.0.0.1:1")
    assert client.get(CUT).status == 502


def test_a_failure_shows_the_fallback_picture(environment: dict[str, str], functions: ScriptedServer) -> None:
    functions.script = error(500)
    fallback = {"ENABLE_DEFAULT_FALLBACK_IMAGE": "Yes", "DEFAULT_FALLBACK_IMAGE_KEY": "cat.jpg"}
    answer = ordinary(environment, functions, **fallback).get(CUT)
    assert (answer.status, answer.headers["Content-Type"]) == (502, "image/jpeg")


def test_a_function_does_not_hand_over_to_itself(environment: dict[str, str], functions: ScriptedServer) -> None:
    with pytest.raises(SettingsError, match="HEAVY_FUNCTION must be another function"):
        ordinary(environment, functions, AWS_LAMBDA_FUNCTION_NAME="heavy")


def pair(environment: dict[str, str], functions: ScriptedServer, **more: str) -> tuple[Client, list[Any]]:
    """The ordinary function in front of a real heavy one."""
    heavy = Client({**environment, **more})
    events: list[Any] = []

    def invoked(asked: ParsedRequest) -> Reply:
        events.append(json.loads(asked.body))
        return Reply(200, json.dumps(heavy.invoke(events[-1])).encode())

    functions.script = invoked
    return ordinary({**environment, **more}, functions), events


def cut(
    client: Client, url: str = "/astronaut.jpg?width=200&feature=removeBackground,resize", none_match: str = ""
) -> Answered:
    return client.get(url + "&format=png", if_none_match=none_match)


@pytest.mark.models
def test_with_the_model(environment: dict[str, str], functions: ScriptedServer, tmp_path: Path) -> None:
    weights = require_weights("optimised/u2net.onnx")
    (tmp_path / "results").mkdir()
    environment |= {
        "SOURCE_BUCKETS": f"p=file://{PHOTOS}",
        "WEIGHTS": str(weights),
        "RESULTS_BUCKET": f"r=file://{tmp_path}/results",
        "STORE_RESULTS": "Yes",
    }
    client, events = pair(environment, functions)
    first = cut(client)
    assert (first.status, first.headers["Content-Type"]) == (200, "image/png")
    assert first.body.startswith(b"\x89PNG")
    # What is kept, and what the client has, is answered without the other function.
    assert cut(client).body == first.body
    assert cut(client, none_match=first.headers["ETag"]).status == 304
    assert len(events) == 1
    small, _ = pair(environment, functions, MAX_ANSWER_BYTES="9000")
    large = cut(small, "/astronaut.jpg?width=220&feature=removeBackground,resize")
    assert large.status == 302
    assert small.get(large.headers["Location"]).body.startswith(b"\x89PNG")


def test_the_other_checks_once_more(environment: dict[str, str], functions: ScriptedServer, tmp_path: Path) -> None:
    (tmp_path / "origin").write_text("from the CDN")
    guarded = {**environment, "ORIGIN_SECRET_FILE": str(tmp_path / "origin")}
    heavy = Client(guarded)
    functions.script = lambda asked: Reply(200, json.dumps(heavy.invoke(json.loads(asked.body))).encode())
    assert ordinary(environment, functions).get(CUT).status == 403


def test_a_body_that_came_in_no_event_is_handed_over_too(
    environment: dict[str, str], functions: ScriptedServer
) -> None:
    """The server keeps bodies as they are; only what leaves for another function is encoded."""
    client = ordinary(environment, functions)
    posted = pictures.jpeg()
    event = function_url_event("/_api/transform", method="POST")
    call = msgspec.structs.replace(read_http_request(event), body=posted)
    handed = call.whole_event()
    assert base64.b64decode(handed["body"]) == posted
    assert read_http_request(handed).body == posted
    assert read_http_request(handed).whole_event() is handed
    wiring.use(client.application)
    answer = app.answer_call(read_http_request(function_url_event(CUT)), None)
    assert (answer.status, answer.body) == (200, b"png")

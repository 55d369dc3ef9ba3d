"""CloudFormation's custom resource: the demo bucket is filled and emptied, and an answer always comes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.client import Client, FakeLambdaContext, answered, function_url_event
from tests.stand_ins.moto import REGION, Moto
from tests.stand_ins.scripted_http import Reply, ScriptedServer, scripted_server

from handler import app
from handler.demo_site import SAMPLES
from handler.pages import FOLDER

FILES = {f"_demo/{path.relative_to(FOLDER).as_posix()}" for path in FOLDER.rglob("*") if path.is_file()}
FILES |= {f"_demo/samples/{path.relative_to(SAMPLES).as_posix()}" for path in SAMPLES.rglob("*") if path.is_file()}


@pytest.fixture
def stack() -> Iterator[ScriptedServer]:
    """Where CloudFormation waits for answers."""
    with scripted_server() as server:
        yield server


@pytest.fixture(autouse=True)
def environment(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": REGION}
    for name, value in {**keys, "AWS_ENDPOINT_URL": moto.url}.items():
        monkeypatch.setenv(name, value)


def ask(
    stack: ScriptedServer, kind: str, properties: object = None, *, seconds: float = 300, known: str = ""
) -> dict[str, Any]:
    """What CloudFormation is told."""
    stack.asked.clear()
    whole = {
        "RequestType": kind,
        "ResponseURL": f"{stack.url}/answers/here?X-Amz-Signature=0123",
        "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/images/1",
        "RequestId": str(uuid.uuid4()),
        "LogicalResourceId": "Demo",
        "ResourceType": "Custom::Demo",
        **({"ResourceProperties": properties} if properties else {}),
        **({"PhysicalResourceId": known} if known else {}),
    }
    given = app.lambda_handler(whole, FakeLambdaContext(seconds))
    (asked,) = stack.asked
    assert (asked.method, asked.path) == ("PUT", "/answers/here?X-Amz-Signature=0123")
    assert {name.lower(): value for name, value in asked.headers.items()}["content-type"] == ""
    answer: dict[str, Any] = json.loads(asked.body)
    assert answer == given
    assert {name: answer[name] for name in ("StackId", "RequestId", "LogicalResourceId")}.items() <= whole.items()
    return answer


def of(bucket: str) -> dict[str, object]:
    return {"Bucket": bucket, "Prefix": "_demo/", "ImageUri": "…"}


def keys(moto: Moto, bucket: str) -> set[str]:
    return {entry["Key"] for entry in moto.s3.list_objects_v2(Bucket=bucket).get("Contents", ())}


def test_the_bucket_is_filled_renewed_and_emptied(moto: Moto, stack: ScriptedServer) -> None:
    bucket = moto.bucket()
    made = ask(stack, "Create", of(bucket))
    assert (made["Status"], made["PhysicalResourceId"]) == ("SUCCESS", f"demo-{bucket}")
    assert keys(moto, bucket) == FILES
    page = moto.s3.get_object(Bucket=bucket, Key="_demo/index.html")
    assert page["Body"].read() == (FOLDER / "index.html").read_bytes()
    assert (page["ContentType"], page["CacheControl"]) == ("text/html; charset=utf-8", "public, max-age=300")
    said = json.loads(moto.s3.get_object(Bucket=bucket, Key="_demo/samples.json")["Body"].read())
    assert said["bucket"] == "samples"
    assert {f"_demo/samples/{key}" for key in said["keys"]} <= FILES
    moto.s3.put_object(Bucket=bucket, Key="_demo/of an older image.js", Body=b"")
    moto.s3.put_object(Bucket=bucket, Key="_demo/index.html", Body=b"older")
    assert ask(stack, "Update", of(bucket), known=f"demo-{bucket}")["Status"] == "SUCCESS"
    assert keys(moto, bucket) == FILES
    assert moto.s3.get_object(Bucket=bucket, Key="_demo/index.html")["Body"].read() != b"older"
    gone = ask(stack, "Delete", of(bucket), known=f"demo-{bucket}")
    assert (gone["Status"], gone["PhysicalResourceId"]) == ("SUCCESS", f"demo-{bucket}")
    assert keys(moto, bucket) == set()


def test_another_bucket_is_another_resource(moto: Moto, stack: ScriptedServer) -> None:
    bucket = moto.bucket()
    assert ask(stack, "Update", of(bucket), known="demo-other")["PhysicalResourceId"] == f"demo-{bucket}"


def test_what_fails_is_told_at_once(stack: ScriptedServer) -> None:
    missing = ask(stack, "Create", of("no-such-bucket"))
    assert missing["Status"] == "FAILED"
    assert "no-such-bucket" in missing["Reason"] or "demo" in missing["Reason"]
    assert missing["PhysicalResourceId"] == "demo-no-such-bucket"
    assert ask(stack, "Create")["Status"] == "FAILED"
    assert ask(stack, "Create", {"Bucket": "A b"})["Status"] == "FAILED"


def test_a_bucket_that_is_gone_is_empty(stack: ScriptedServer) -> None:
    gone = ask(stack, "Delete", of("no-such-bucket"), known="demo-x")
    assert gone["Status"] == "SUCCESS", gone


def test_time_that_runs_out_is_told_too(moto: Moto, stack: ScriptedServer) -> None:
    late = ask(stack, "Create", of(moto.bucket()), seconds=1)
    assert (late["Status"], "longer" in late["Reason"]) == ("FAILED", True)


def test_settings_at_fault_are_told_too(moto: Moto, stack: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_SECONDS", "many")
    answer = ask(stack, "Create", of(moto.bucket()))
    assert (answer["Status"], "MAX_SECONDS" in answer["Reason"]) == ("FAILED", True)


def test_an_answer_is_tried_again(moto: Moto, stack: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handler.doors.stack_events._PAUSES", (0.0, 0.0, 0.0))
    stack.script = lambda _: Reply(503 if len(stack.asked) < 3 else 200)
    event = {"RequestType": "Delete", "ResponseURL": f"{stack.url}/", "ResourceProperties": of(moto.bucket())}
    assert app.lambda_handler(event, None)["Status"] == "SUCCESS"
    assert len(stack.asked) == 3
    dead = {**event, "ResponseURL": "http://127.0.0.1:1/"}
    assert app.lambda_handler(dead, None)["Status"] == "SUCCESS"


def test_http_does_not_reach_it(tmp_path: Path, stack: ScriptedServer) -> None:
    client = Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}"})
    event = {**function_url_event("/_health"), "RequestType": "Create", "ResponseURL": stack.url}
    assert answered(client.invoke(event)).json() == {"status": "ok"}
    assert stack.asked == []

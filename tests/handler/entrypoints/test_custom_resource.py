"""CloudFormation's custom resource: the demo bucket is filled and emptied, and every event is answered."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.client import Client, FakeLambdaContext, answered, function_url_event
from tests.stand_ins.moto import REGION, Moto
from tests.stand_ins.scripted_http import Reply, ScriptedServer, scripted_server

from handler import app
from handler.aws.client import send
from handler.entrypoints import custom_resource
from handler.pages import FOLDER
from handler.pages.demo_site import SAMPLES

FILES = {f"_demo/{path.relative_to(FOLDER).as_posix()}" for path in FOLDER.rglob("*") if path.is_file()}
FILES |= {f"_demo/samples/{path.relative_to(SAMPLES).as_posix()}" for path in SAMPLES.rglob("*") if path.is_file()}


HOST = "cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com"
RESPONSE_URL = f"https://{HOST}/answers/here?X-Amz-Signature=0123"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """Where CloudFormation waits for answers: S3 in its place."""
    with scripted_server() as server:

        def to_the_server(method: str, url: str, *more: Any) -> Any:
            return send(method, url.replace(f"https://{HOST}", server.url), *more)

        monkeypatch.setattr(custom_resource, "send", to_the_server)
        yield server


@pytest.fixture(autouse=True)
def environment(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": REGION}
    for name, value in {**keys, "AWS_ENDPOINT_URL": moto.url, "DEMO_BUCKET": "demo-bucket"}.items():
        monkeypatch.setenv(name, value)


def event_of(kind: str, properties: object = None, known: str = "") -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ServiceToken": "arn:aws:lambda:eu-west-1:111122223333:function:images-DemoFiller",
        "ResponseURL": RESPONSE_URL,
        "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/images/1",
        "RequestId": str(uuid.uuid4()),
        "LogicalResourceId": "Demo",
        "ResourceType": "Custom::Demo",
        "ResourceProperties": properties or {},
        **({"PhysicalResourceId": known} if known else {}),
    }


def ask(
    stack: ScriptedServer, kind: str, properties: object = None, *, seconds: float = 300, known: str = ""
) -> dict[str, Any]:
    """What CloudFormation is told."""
    stack.asked.clear()
    whole = event_of(kind, properties, known)
    given = app.lambda_handler(whole, FakeLambdaContext(seconds))
    (asked,) = stack.asked
    assert (asked.method, asked.path) == ("PUT", "/answers/here?X-Amz-Signature=0123")
    assert {name.lower(): value for name, value in asked.headers.items()}["content-type"] == ""
    answer: dict[str, Any] = json.loads(asked.body)
    assert answer == given
    assert {name: answer[name] for name in ("StackId", "RequestId", "LogicalResourceId")}.items() <= whole.items()
    return answer


@pytest.fixture
def bucket(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> str:
    """The bucket that this function may fill and empty."""
    name = moto.bucket()
    monkeypatch.setenv("DEMO_BUCKET", name)
    return name


def of(bucket: str) -> dict[str, object]:
    return {"Bucket": bucket, "Prefix": "_demo/", "ImageUri": "…"}


def keys(moto: Moto, bucket: str) -> set[str]:
    return {entry["Key"] for entry in moto.s3.list_objects_v2(Bucket=bucket).get("Contents", ())}


def test_the_bucket_is_filled_renewed_and_emptied(moto: Moto, stack: ScriptedServer, bucket: str) -> None:
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


def test_another_bucket_is_another_resource(stack: ScriptedServer, bucket: str) -> None:
    assert ask(stack, "Update", of(bucket), known="demo-other")["PhysicalResourceId"] == f"demo-{bucket}"


def test_a_failure_is_reported_at_once(stack: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_BUCKET", "no-such-bucket")
    missing = ask(stack, "Create", of("no-such-bucket"))
    assert missing["Status"] == "FAILED"
    assert "no-such-bucket" in missing["Reason"] or "demo" in missing["Reason"]
    assert missing["PhysicalResourceId"] == "demo-no-such-bucket"
    assert ask(stack, "Create")["Status"] == "FAILED"
    assert ask(stack, "Create", {"Bucket": "A b"})["Status"] == "FAILED"


def test_a_bucket_that_is_gone_is_empty(stack: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_BUCKET", "no-such-bucket")
    gone = ask(stack, "Delete", of("no-such-bucket"), known="demo-x")
    assert gone["Status"] == "SUCCESS", gone


def test_time_that_runs_out_is_told_too(stack: ScriptedServer, bucket: str) -> None:
    late = ask(stack, "Create", of(bucket), seconds=1)
    assert (late["Status"], "longer" in late["Reason"]) == ("FAILED", True)


def test_settings_at_fault_are_told_too(stack: ScriptedServer, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_SECONDS", "many")
    answer = ask(stack, "Create", of(bucket))
    assert (answer["Status"], "MAX_SECONDS" in answer["Reason"]) == ("FAILED", True)


def test_an_answer_is_tried_again(stack: ScriptedServer, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_resource, "_PAUSES", (0.0, 0.0, 0.0))
    stack.script = lambda _: Reply(503 if len(stack.asked) < 3 else 200)
    event = event_of("Delete", of(bucket), known="demo-x")
    assert app.lambda_handler(event, None)["Status"] == "SUCCESS"
    assert len(stack.asked) == 3
    stack.script = lambda _: Reply(503)
    assert app.lambda_handler(event, None)["Status"] == "SUCCESS"


def test_no_other_bucket_is_touched(moto: Moto, stack: ScriptedServer, bucket: str) -> None:
    other = moto.bucket()
    moto.s3.put_object(Bucket=other, Key="private/kept", Body=b"")
    for properties in (
        {"Bucket": other, "Prefix": "private/"},
        {"Bucket": other, "Prefix": "_demo/"},
        {"Bucket": bucket, "Prefix": ""},
        {"Bucket": bucket, "Prefix": "../"},
        {"Bucket": bucket},
    ):
        for kind in ("Delete", "Update"):
            answer = ask(stack, kind, properties, known="demo-x")
            assert (answer["Status"], bucket in answer["Reason"]) == ("FAILED", True)
    assert keys(moto, other) == {"private/kept"}


def test_a_function_without_a_demo_bucket_takes_no_such_event(
    stack: ScriptedServer, bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DEMO_BUCKET")
    client = Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}"})
    answer = answered(client.invoke(event_of("Delete", of(bucket), known="demo-x")))
    assert (answer.status, answer.json()["code"]) == (400, "BadRequest")
    assert stack.asked == []


PRESIGNED = "/a%3Ab%7Cc?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0123"
BUCKET = "cloudformation-custom-resource-response"


@pytest.mark.parametrize(
    "url",
    [
        f"https://{BUCKET}-useast1.s3.amazonaws.com{PRESIGNED}",
        f"https://{BUCKET}-useast1.s3.us-east-1.amazonaws.com{PRESIGNED}",
        f"https://{BUCKET}-euwest1.s3-eu-west-1.amazonaws.com/a?AWSAccessKeyId=A&Expires=1&Signature=a%2Bb%3D",
        f"https://{BUCKET}-usgovwest1.s3.us-gov-west-1.amazonaws.com{PRESIGNED}",
        f"https://{BUCKET}-cnnorth1.s3.cn-north-1.amazonaws.com.cn{PRESIGNED}",
        f"https://{BUCKET}-cnnorthwest1.s3.cn-northwest-1.amazonaws.com.cn{PRESIGNED}",
        f"https://{BUCKET}-apsoutheast2.s3.dualstack.ap-southeast-2.amazonaws.com{PRESIGNED}",
        f"https://{BUCKET}-eusc.s3.eusc-de-east-1.amazonaws.eu{PRESIGNED}",
        f"https://s3.eu-west-1.amazonaws.com/{BUCKET}-euwest1{PRESIGNED}",
    ],
)
def test_answers_go_to_s3(bucket: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def taken(method: str, url: str, *_: object) -> SimpleNamespace:
        sent.append(url)
        return SimpleNamespace(status=200)

    monkeypatch.setattr(custom_resource, "send", taken)
    event = {**event_of("Delete", of(bucket), known="demo-x"), "ResponseURL": url}
    assert app.lambda_handler(event, None)["Status"] == "SUCCESS"
    assert sent == [url]


NOT_OF_S3: list[object] = [
    f"http://bucket.s3.amazonaws.com{PRESIGNED}", f"https://evil.example{PRESIGNED}", "https://bucket.s3.amazonaws.com/",
    f"https://s3.amazonaws.com.evil.example{PRESIGNED}", f"https://evil.example/bucket.s3.amazonaws.com{PRESIGNED}",
    f"https://bucket.s3.amazonaws.com@evil.example{PRESIGNED}", f"https://bucket.s3.amazonaws.com:8443{PRESIGNED}",
    f"https://u:p@b.s3.amazonaws.com{PRESIGNED}", f"https://evil.example?bucket.s3.amazonaws.com{PRESIGNED}",
    f"https://evil.example#bucket.s3.amazonaws.com{PRESIGNED}", f"https://bucket.s3.amazonaws.com\\@e{PRESIGNED}",
    f"https://evils3.amazonaws.com{PRESIGNED}", f"https://bucket.s3.internal{PRESIGNED}",
    f"https://bucket.s3-website-us-east-1.amazonaws.com{PRESIGNED}", f"https://169.254.169.254{PRESIGNED}",
    f"https://sqs.eu-west-1.amazonaws.com{PRESIGNED}", f"https://B.S3.amazonaws.com\n{PRESIGNED}",
    f"https://bucket.s3.amazonaws.com{PRESIGNED}\r\nX: y", "https://bucket.s3.amazonaws.com/a?b=Signature", "",
    None, 3, [], f"https://localhost{PRESIGNED}",
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("ResponseURL", url) for url in NOT_OF_S3),
        ("RequestType", "Empty"), ("RequestType", None), ("StackId", "s"), ("StackId", "arn:aws:s3:::bucket"),
        ("RequestId", ""), ("RequestId", {}), ("LogicalResourceId", "a b"), ("ResourceType", "AWS::S3::Bucket"),
        ("ResourceProperties", None), ("ResourceProperties", []), ("PhysicalResourceId", None), ("more", 1),
        ("Records", []), ("imageKey", "a.jpg"),
    ],
)  # fmt: skip
def test_any_other_form_is_refused(stack: ScriptedServer, moto: Moto, bucket: str, name: str, value: object) -> None:
    moto.s3.put_object(Bucket=bucket, Key="_demo/kept", Body=b"")
    event = event_of("Delete", of(bucket), known="demo-x") | {name: value}
    answer = answered(app.lambda_handler(event, None))
    assert (answer.status, answer.json()["code"]) == (400, "BadRequest")
    assert name in answer.json()["message"]
    assert keys(moto, bucket) == {"_demo/kept"}
    assert stack.asked == []


def test_http_does_not_reach_it(tmp_path: Path, stack: ScriptedServer) -> None:
    client = Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}"})
    event = {**function_url_event("/_health"), "RequestType": "Create", "ResponseURL": RESPONSE_URL}
    assert answered(client.invoke(event)).json() == {"status": "ok"}
    assert stack.asked == []

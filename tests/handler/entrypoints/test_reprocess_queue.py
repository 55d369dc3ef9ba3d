"""Reprocessing through the queue: the operator API of one function, moto's SQS, and the upload function behind it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests import pictures
from tests.client import Answered, Client, answered, function_url_event
from tests.stand_ins.moto import Moto
from tests.stand_ins.queues import TestQueue
from tests.stand_ins.scripted_http import Reply, scripted_server

from handler.aws import AwsAccess, Credentials
from handler.aws.queue_address import QueueAddress
from handler.aws.sqs_send import send_message
from handler.config import SettingsError
from handler.core.errors import UpstreamError
from handler.records.record import ImageRecord, record_id
from imaging import Deadline

TOKEN = {"authorization": "Bearer op-token"}
ATTEMPTS = 3


@pytest.fixture
def queue(moto: Moto) -> TestQueue:
    return TestQueue(moto, VisibilityTimeout="0")


@pytest.fixture
def bucket(moto: Moto) -> str:
    return moto.bucket(**{"a.png": pictures.png(), "b.png": pictures.png(), "c.png": pictures.png()})


@pytest.fixture
def common(tmp_path: Path, moto: Moto, bucket: str) -> dict[str, str]:
    """What both functions of a stack are told."""
    (tmp_path / "folder").mkdir()
    return {
        "SOURCE_BUCKETS": f"photos=s3://{bucket},folder={(tmp_path / 'folder').as_uri()}",
        "RECORDS": f"sqlite:///{tmp_path}/records.db",
        "PRESETS": '{"thumb": "width=20&format=png"}',
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": moto.url,
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }


@pytest.fixture
def processing(common: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The environment of the upload function."""
    (tmp_path / "output").mkdir()
    return common | {
        "OUTPUT_BUCKET": f"output={(tmp_path / 'output').as_uri()}",
        "UPLOAD_PRESETS": "thumb",
        "UPLOAD_MAX_ATTEMPTS": str(ATTEMPTS),
        "AWS_LAMBDA_FUNCTION_NAME": "uploads",
    }


@pytest.fixture
def uploads(processing: dict[str, str]) -> Client:
    return Client(processing)


@pytest.fixture
def answering(common: dict[str, str], queue: TestQueue, tmp_path: Path) -> dict[str, str]:
    """The environment of the function that answers requests: it has no output bucket."""
    (tmp_path / "token").write_text("op-token")
    token = {"OPERATOR_TOKEN_FILE": str(tmp_path / "token"), "AWS_LAMBDA_FUNCTION_NAME": "images"}
    return common | token | {"UPLOAD_QUEUE": queue.url}


@pytest.fixture
def client(answering: dict[str, str]) -> Client:
    return Client(answering)


def _event(bodies: dict[str, str], count: int = 1) -> dict[str, Any]:
    """Return Lambda's event for messages of SQS, by their IDs."""
    attributes = {"ApproximateReceiveCount": str(count)}
    record = {"eventSource": "aws:sqs", "receiptHandle": "r", "attributes": attributes}
    return {"Records": [{**record, "messageId": name, "body": body} for name, body in bodies.items()]}


def _deliver(uploads: Client, *bodies: str, count: int = 1) -> list[str]:
    """Hand messages to the upload function. Return the positions of those that have failed."""
    report = uploads.invoke(_event({str(number): body for number, body in enumerate(bodies)}, count))
    return [each["itemIdentifier"] for each in report["batchItemFailures"]]


def _upload(uploads: Client, bucket: str, key: str) -> str:
    """Have an original processed by its event. Return the path of its record in the operator API."""
    found = {"bucket": {"name": bucket}, "object": {"key": key, "sequencer": "10"}}
    record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": found}
    assert _deliver(uploads, json.dumps({"Records": [record]})) == []
    return f"/_api/records/{record_id('photos', key)}"


def _reprocess(client: Client, page: str) -> Answered:
    return client.post(f"{page}/reprocess", b"", **TOKEN)


def _get(client: Client, page: str) -> dict[str, Any]:
    record: dict[str, Any] = client.get(page, authorization=TOKEN["authorization"]).json()
    return record


def _delete(client: Client, page: str) -> Answered:
    return answered(client.invoke(function_url_event(page, method="DELETE", headers=TOKEN)))


def _message(*keys: str) -> str:
    return json.dumps({"task": "reprocess", "records": [record_id("photos", key) for key in keys]})


def test_an_original_is_reprocessed_by_the_upload_function(
    client: Client, uploads: Client, queue: TestQueue, bucket: str, tmp_path: Path
) -> None:
    page = _upload(uploads, bucket, "a.png")
    stored = tmp_path / "output" / "thumb" / "photos" / "a.png"
    stored.unlink()
    before = _get(client, page)
    accepted = _reprocess(client, page)
    assert accepted.status == 202
    queued = accepted.json()["queued"]
    assert accepted.json() == before | {"queued": queued}
    (body,) = queue.bodies()
    assert json.loads(body) == {"task": "reprocess", "records": [before["id"]]}
    assert queued == json.loads(body) | {"message": queued["message"]}
    assert queued["message"]
    # SQS delivers a message at least once: the second time changes nothing that a reader sees.
    for _ in range(2):
        assert _deliver(uploads, body) == []
        assert stored.is_file()
        after = _get(client, page)
        assert (after["status"], after["sequencer"]) == ("ready", before["sequencer"])
        assert after["variants"] == before["variants"]


def test_an_original_that_is_gone_takes_its_variants_along(
    client: Client, uploads: Client, queue: TestQueue, moto: Moto, bucket: str, tmp_path: Path
) -> None:
    page = _upload(uploads, bucket, "a.png")
    moto.s3.delete_object(Bucket=bucket, Key="a.png")
    assert _reprocess(client, page).status == 202
    assert _deliver(uploads, *queue.bodies()) == []
    assert (_get(client, page)["status"], _get(client, page)["variants"]) == ("deleted", [])
    assert not (tmp_path / "output" / "thumb" / "photos" / "a.png").exists()


def test_only_the_messages_that_fail_are_delivered_again(
    client: Client, uploads: Client, bucket: str, tmp_path: Path
) -> None:
    pages = [_upload(uploads, bucket, key) for key in ("a.png", "b.png")]
    stored = [tmp_path / "output" / "thumb" / "photos" / name for name in ("a.png", "b.png")]
    for file in stored:
        file.unlink()
    bad = ["{", "[]", '{"task": "resize"}']
    bad += [json.dumps({"task": "reprocess", "records": records}) for records in (None, [], "a", [7], [""], ["a"] * 11)]
    # The record of `none.png` has expired: there is nothing to repeat.
    failed = _deliver(uploads, *bad, _message("a.png", "none.png", "a.png"), _message("b.png"))
    assert failed == [str(number) for number in range(len(bad))]
    assert all(file.is_file() for file in stored)
    assert [_get(client, page)["status"] for page in pages] == ["ready", "ready"]


def test_the_other_originals_of_a_message_are_processed_although_one_fails(
    processing: dict[str, str], uploads: Client, client: Client, bucket: str, tmp_path: Path
) -> None:
    pages = [_upload(uploads, bucket, key) for key in ("a.png", "b.png")]
    for name in ("a.png", "b.png"):
        (tmp_path / "output" / "thumb" / "photos" / name).unlink()

    def answer(path: str) -> Reply:
        return Reply(500) if path.startswith(f"/{bucket}/a.png") else Reply(200, pictures.png(), {"ETag": '"b"'})

    with scripted_server(lambda asked: answer(asked.path)) as server:
        broken = Client(processing | {"AWS_ENDPOINT_URL_S3": server.url})
        assert _deliver(broken, _message("a.png", "b.png")) == ["0"]
    assert [_get(client, page)["status"] for page in pages] == ["processing", "ready"]
    assert _deliver(uploads, _message("a.png", "b.png"), count=2) == []
    assert [_get(client, page)["status"] for page in pages] == ["ready", "ready"]


def test_after_the_last_attempt_the_original_has_failed(
    processing: dict[str, str], uploads: Client, client: Client, bucket: str
) -> None:
    page = _upload(uploads, bucket, "a.png")
    broken = Client(processing | {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"})
    for count in range(1, ATTEMPTS + 1):
        assert _get(client, page)["status"] == ("ready" if count == 1 else "processing")
        assert _deliver(broken, _message("a.png"), count=count) == ["0"]  # to the dead-letter queue in the end
    assert _get(client, page)["status"] == "failed"
    assert _deliver(uploads, _message("a.png")) == []  # a redriven message
    assert _get(client, page)["status"] == "ready"


def test_a_deletion_is_reported_by_the_bucket_and_not_queued(
    client: Client, uploads: Client, queue: TestQueue, moto: Moto, bucket: str
) -> None:
    page = _upload(uploads, bucket, "a.png")
    deleted = _delete(client, page)
    assert (deleted.status, deleted.json()["status"], "queued" in deleted.json()) == (202, "ready", False)
    assert "a.png" not in {entry["Key"] for entry in moto.s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert queue.bodies() == []


def test_a_deletion_from_a_store_without_events_is_queued(
    client: Client, uploads: Client, queue: TestQueue, tmp_path: Path
) -> None:
    file = tmp_path / "folder" / "a.png"
    file.write_bytes(pictures.png())
    identifier = record_id("folder", "a.png")
    message = {"task": "reprocess", "records": [identifier]}
    _record_of_folder(uploads, identifier)
    assert _deliver(uploads, json.dumps(message)) == []
    deleted = _delete(client, f"/_api/records/{identifier}")
    assert (deleted.status, file.exists()) == (202, False)
    (body,) = queue.bodies()
    assert json.loads(body) == message
    assert _deliver(uploads, body) == []
    assert _get(client, f"/_api/records/{identifier}")["status"] == "deleted"


def _record_of_folder(uploads: Client, identifier: str) -> None:
    """Write the record of an original that was put into the folder."""
    now = datetime.now(UTC)
    records = uploads.application.records
    assert records is not None
    record = ImageRecord(
        id=identifier, source="folder", key="a.png", status="uploading", created_at=now, updated_at=now
    )
    assert records().write(record, replaces=None)


def test_without_queue_and_output_bucket_nothing_is_deleted_or_reprocessed(
    answering: dict[str, str], uploads: Client, tmp_path: Path
) -> None:
    file = tmp_path / "folder" / "a.png"
    file.write_bytes(pictures.png())
    identifier = record_id("folder", "a.png")
    _record_of_folder(uploads, identifier)
    del answering["UPLOAD_QUEUE"]
    client = Client(answering)
    for refused in (_reprocess(client, f"/_api/records/{identifier}"), _delete(client, f"/_api/records/{identifier}")):
        assert (refused.status, refused.json()["code"]) == (501, "Configuration")
        assert "UPLOAD_QUEUE" in refused.json()["message"]
    assert file.exists()


def test_the_queue_goes_before_processing_in_the_same_process(
    answering: dict[str, str], processing: dict[str, str], uploads: Client, queue: TestQueue, bucket: str
) -> None:
    page = _upload(uploads, bucket, "a.png")
    both = Client(processing | answering)
    assert _reprocess(both, page).status == 202
    assert queue.visible == 1


def test_a_queue_that_does_not_accept_the_message_is_named(
    answering: dict[str, str], uploads: Client, bucket: str, moto: Moto
) -> None:
    page = _upload(uploads, bucket, "a.png")
    client = Client(answering | {"UPLOAD_QUEUE": f"{moto.url}/123456789012/no-such-queue"})
    refused = _reprocess(client, page)
    assert (refused.status, refused.json()["code"]) == (502, "UploadQueue")


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Reply(500, b"no"), 502),
        (Reply(200, b"<html>"), 502),
        (Reply(200, b"[]"), 502),
        (Reply(200, b"{}"), 502),
        (Reply(before=2), 504),
    ],
)
def test_every_other_answer_of_the_queue_is_a_failure(reply: Reply, status: int) -> None:
    with scripted_server(lambda _: reply) as server:
        access = AwsAccess(endpoint_url=server.url, credentials=Credentials("AKID", "secret"))
        url = "https://sqs.eu-west-1.amazonaws.com/111122223333/q"
        with pytest.raises(UpstreamError) as raised:
            send_message(url, {"task": "reprocess"}, access, Deadline.after(0.5))
    assert (raised.value.status, raised.value.code) == (status, "UploadQueue")


@pytest.mark.parametrize(
    ("url", "region", "endpoint"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/1/q", "eu-west-1", "https://sqs.eu-west-1.amazonaws.com"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/1/q", "cn-north-1", "https://sqs.cn-north-1.amazonaws.com.cn"),
        ("https://eu-west-1.queue.amazonaws.com/1/q", "eu-west-1", "https://eu-west-1.queue.amazonaws.com"),
        ("http://localhost:9324/1/q", "us-east-1", "http://localhost:9324"),
    ],
)
def test_the_url_of_a_queue_names_its_region_and_its_endpoint(url: str, region: str, endpoint: str) -> None:
    address = QueueAddress(url)
    assert (address.region(AwsAccess()), address.endpoint(AwsAccess())) == (region, endpoint)
    assert address.endpoint(AwsAccess(endpoint_url_sqs="https://own.example")) == "https://own.example"
    everywhere = AwsAccess(endpoint_url="https://all.example")
    assert address.endpoint(everywhere) == ("https://all.example" if address.is_amazons else endpoint)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"UPLOAD_QUEUE": "uploads", "RECORDS": "sqlite:///a"}, "UPLOAD_QUEUE must be an http or https URL"),
        ({"UPLOAD_QUEUE": "https://sqs.eu-west-1.amazonaws.com/1/q"}, "UPLOAD_QUEUE needs RECORDS"),
    ],
)
def test_settings_of_the_queue_are_checked(environment: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Client(environment)

"""Records and events of stores: `/_api/records` and `/_api/events`, by events of the real entry point."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import pictures
from tests.client import Answered, Client, answered, function_url_event
from tests.stand_ins.moto import Moto

from handler.core.errors import BadRequest, Forbidden
from handler.entrypoints.uploads.background import BackgroundUploads
from handler.entrypoints.uploads.events import changes_in
from handler.entrypoints.uploads.store_events import parse_events
from handler.records.record import record_id
from handler.storage.upload_stores.folder import FolderUploads
from handler.uploads.recovery import Sweep
from imaging import Deadline

TOKEN = {"authorization": "Bearer op-token"}
EVENTS = Path(__file__).parents[2] / "events"
TIME = "2026-08-01T10:00:00.250Z"


@pytest.fixture
def environment(tmp_path: Path, moto: Moto) -> dict[str, str]:
    """A service with a bucket of S3 and a folder as sources, whose originals are processed while the caller waits."""
    (tmp_path / "token").write_text("op-token")
    for name in ("folder", "output"):
        (tmp_path / name).mkdir()
    bucket = moto.bucket()
    return {
        "SOURCE_BUCKETS": f"{bucket},folder={(tmp_path / 'folder').as_uri()},web=https://example.com",
        "UPLOAD_SOURCE": "folder",
        "OUTPUT_BUCKET": f"output={(tmp_path / 'output').as_uri()}",
        "RECORDS": f"sqlite:///{tmp_path}/records.db",
        "PRESETS": '{"thumb": "width=20&format=png"}',
        "UPLOAD_PRESETS": "thumb",
        "OPERATOR_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": moto.url,
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_LAMBDA_FUNCTION_NAME": "images",
    }


@pytest.fixture
def bucket(environment: dict[str, str]) -> str:
    return environment["SOURCE_BUCKETS"].partition(",")[0]


@pytest.fixture
def client(environment: dict[str, str]) -> Client:
    return Client(environment)


def _get(client: Client, page: str) -> Answered:
    return client.get(f"/_api/{page}", authorization=TOKEN["authorization"])


def _delete(client: Client, page: str) -> Answered:
    return answered(client.invoke(function_url_event(f"/_api/{page}", method="DELETE", headers=TOKEN)))


def _post(client: Client, page: str, content: object) -> Answered:
    return client.post(f"/_api/{page}", json.dumps(content).encode(), **TOKEN)


def _record(bucket: str, key: str, name: str = "ObjectCreated:Put", **more: Any) -> dict[str, Any]:
    found = {"bucket": {"name": bucket}, "object": {"key": key, "sequencer": "10", **more}}
    return {"eventSource": "ceph:s3", "eventName": name, "eventTime": TIME, "s3": found}


def _upload(client: Client, moto: Moto, bucket: str, *keys: str, body: bytes | None = None) -> Answered:
    for key in keys:
        moto.s3.put_object(Bucket=bucket, Key=key, Body=pictures.png() if body is None else body)
    return _post(client, "events", {"Records": [_record(bucket, key.replace(" ", "+")) for key in keys]})


def test_an_event_makes_a_record_with_variants(client: Client, moto: Moto, bucket: str) -> None:
    accepted = _upload(client, moto, bucket, "cats/a 1.png")
    assert accepted.status == 200
    identifier = record_id(bucket, "cats/a 1.png")
    expected = {"id": identifier, "source": bucket, "key": "cats/a 1.png"}
    assert accepted.json() == {"accepted": [expected], "refused": []}
    record = _get(client, f"records/{identifier}").json()
    assert (record["status"], record["key"], record["facts"]["width"]) == ("ready", "cats/a 1.png", pictures.WIDTH)
    assert [variant["preset"] for variant in record["variants"]] == ["thumb"]
    variant = _get(client, f"records/{identifier}/variants/0")
    assert (variant.status, variant.headers["Content-Type"]) == (200, "image/png")
    assert len(variant.body) == record["variants"][0]["bytes"]
    for number in ("1", "x", "-1", "9" * 30):
        assert _get(client, f"records/{identifier}/variants/{number}").status == 404


def test_a_file_that_is_no_image_is_accepted_and_says_why(client: Client, moto: Moto, bucket: str) -> None:
    assert _upload(client, moto, bucket, "a.png", body=b"no image").status == 200
    record = _get(client, f"records/{record_id(bucket, 'a.png')}").json()
    assert record["status"] == "rejected"
    assert record["error"]["message"]


def test_records_are_listed_by_prefix_and_status(client: Client, moto: Moto, bucket: str) -> None:
    _upload(client, moto, bucket, "b/2.png", "a/1.png", "b/1.png")
    _upload(client, moto, bucket, "b/3.png", body=b"no image")
    listed = _get(client, "records").json()
    assert {record["key"] for record in listed["records"]} == {"a/1.png", "b/1.png", "b/2.png", "b/3.png"}
    assert (listed["sources"], listed["source"]) == ([bucket, "folder", "web"], "")
    assert _get(client, "records?prefix=b/").json()["source"] == "folder"  # that of uploads
    query = f"records?source={bucket}&prefix=b/"
    first = _get(client, f"{query}&limit=2").json()
    assert [record["key"] for record in first["records"]] == ["b/1.png", "b/2.png"]
    second = _get(client, f"{query}&limit=2&cursor={first['cursor']}").json()
    assert ([record["key"] for record in second["records"]], second["cursor"]) == (["b/3.png"], None)
    rejected = _get(client, f"{query}&status=rejected").json()
    assert [record["key"] for record in rejected["records"]] == ["b/3.png"]
    assert _get(client, "records?status=ready&source=folder").json()["records"] == []


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("status=done", "status"),
        ("source=other", "source"),
        ("limit=0", "limit"),
        ("cursor=!", "cursor"),
        ("key=a", "key"),
    ],
)
def test_invalid_queries_are_named(client: Client, query: str, name: str) -> None:
    answer = _get(client, f"records?{query}")
    assert answer.status == 400
    assert name in answer.json()["message"]


def test_an_original_is_processed_again(client: Client, moto: Moto, bucket: str, tmp_path: Path) -> None:
    _upload(client, moto, bucket, "a.png")
    page = f"records/{record_id(bucket, 'a.png')}"
    stored = tmp_path / "output" / "thumb" / bucket / "a.png"
    before = _get(client, page).json()
    stored.unlink()
    again = client.post(f"/_api/{page}/reprocess", b"", **TOKEN)
    assert (again.status, again.json()["status"]) == (202, "ready")
    assert stored.is_file()
    assert again.json()["sequencer"] == before["sequencer"]
    moto.s3.delete_object(Bucket=bucket, Key="a.png")
    gone = client.post(f"/_api/{page}/reprocess", b"", **TOKEN)
    assert (gone.json()["status"], stored.exists()) == ("deleted", False)


@pytest.mark.parametrize("source", ["bucket", "folder"])
def test_an_original_is_deleted_with_all_that_was_made_of_it(
    client: Client, moto: Moto, bucket: str, tmp_path: Path, source: str
) -> None:
    if source == "bucket":
        _upload(client, moto, bucket, "a.png")
        name = bucket
    else:
        name = "folder"
        (tmp_path / "folder" / "a.png").write_bytes(pictures.png())
        _put_in_folder(client)
    page = f"records/{record_id(name, 'a.png')}"
    assert _get(client, page).json()["status"] == "ready"
    deleted = _delete(client, page)
    assert (deleted.status, deleted.json()["status"], deleted.json()["variants"]) == (202, "deleted", [])
    assert [path for path in (tmp_path / "output" / "thumb").rglob("*") if path.is_file()] == []
    assert client.get(f"/a.png?bucket={name}").status == 404
    assert _delete(client, page).status == 202


@pytest.mark.parametrize("source", ["bucket", "folder"])
def test_a_deletion_is_announced_once(
    environment: dict[str, str], moto: Moto, bucket: str, tmp_path: Path, source: str
) -> None:
    (tmp_path / "hook").write_text("whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    hook = {"WEBHOOK_URL": "https://127.0.0.1:1/", "WEBHOOK_SECRET_FILE": str(tmp_path / "hook")}
    client = Client({**environment, **hook})
    if source == "bucket":
        _upload(client, moto, bucket, "a.png")
    else:
        _put_in_folder(client)
    name = bucket if source == "bucket" else "folder"
    assert _delete(client, f"records/{record_id(name, 'a.png')}").json()["status"] == "deleted"
    if source == "bucket":  # S3 reports the deletion as well
        later = _record(bucket, "a.png", "ObjectRemoved:Delete", sequencer="11")
        assert _post(client, "events", {"Records": [later]}).status == 200
    records = client.application.records
    assert records is not None
    pending = records().pending(datetime.now(UTC) + timedelta(days=1), 10)
    assert sorted(each.notice.type for each in pending) == ["image.deleted", "image.ready"]


def _put_in_folder(client: Client) -> None:
    """Have an original processed that another program has put into the folder: no event reports it."""
    body = pictures.png()
    event = function_url_event("/_api/uploads/a.png?overwrite=true", method="PUT", headers=TOKEN, body=body)
    assert answered(client.invoke(event)).status == 201
    assert client.post(f"/_api/records/{record_id('folder', 'a.png')}/reprocess", b"", **TOKEN).status == 202


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_during_a_deletion(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The record shows what is left, and never stays ready without an original."""
    del environment["AWS_LAMBDA_FUNCTION_NAME"]
    server = Client(environment)
    sweep = _process_in_server(server)
    delete = FolderUploads.delete

    def die(store: FolderUploads, key: str) -> None:
        if moment == "after":
            delete(store, key)
        raise KeyboardInterrupt

    monkeypatch.setattr(FolderUploads, "delete", die)
    page = f"records/{record_id('folder', 'a.png')}"
    with pytest.raises(KeyboardInterrupt):
        _delete(server, page)
    assert _get(server, page).json()["status"] == "processing"
    sweep.run(Deadline.after(60), timedelta(0))
    assert _get(server, page).json()["status"] == ("deleted" if moment == "after" else "ready")
    assert any((tmp_path / "output" / "thumb").rglob("*.png")) == (moment == "before")


def test_a_deletion_that_the_store_refuses(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    del environment["AWS_LAMBDA_FUNCTION_NAME"]
    server = Client(environment)
    sweep = _process_in_server(server)

    def refuse(_: FolderUploads, __: str) -> None:
        raise Forbidden("the folder cannot be written")

    monkeypatch.setattr(FolderUploads, "delete", refuse)
    page = f"records/{record_id('folder', 'a.png')}"
    assert _delete(server, page).status == 403
    sweep.run(Deadline.after(60), timedelta(0))
    assert _get(server, page).json()["status"] == "ready"


def test_an_upload_that_is_stored_when_the_server_is_killed(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    del environment["AWS_LAMBDA_FUNCTION_NAME"]
    server = Client(environment)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(BackgroundUploads, "submit", die)
    _post(server, "uploads", {"key": "never-sent.png"})
    with pytest.raises(KeyboardInterrupt):
        _put_in_folder(server)
    sweep = _sweep_of(server)
    assert sweep.run(Deadline.after(60), timedelta(minutes=5)) == 0, "it may be under way"
    assert sweep.run(Deadline.after(60), timedelta(0)) == 1
    assert _get(server, f"records/{record_id('folder', 'a.png')}").json()["status"] == "ready"
    assert _get(server, f"records/{record_id('folder', 'never-sent.png')}").json()["status"] == "uploading"


def _process_in_server(server: Client) -> Sweep:
    """Upload an original to a server whose thread for uploads is not started, and process it by a sweep."""
    event = function_url_event("/_api/uploads/a.png", method="PUT", headers=TOKEN, body=pictures.png())
    assert answered(server.invoke(event)).status == 201
    sweep = _sweep_of(server)
    assert sweep.run(Deadline.after(60), timedelta(0)) == 1
    return sweep


def _sweep_of(server: Client) -> Sweep:
    uploads = server.application.uploads
    assert uploads is not None
    return uploads().sweep


def test_an_original_of_a_website_is_not_deleted(client: Client) -> None:
    from handler.records.record import ImageRecord

    now = datetime.now(UTC)
    record = ImageRecord(
        id=record_id("web", "a.png"), source="web", key="a.png", status="ready", created_at=now, updated_at=now
    )
    records = client.application.records
    assert records is not None
    assert records().write(record, replaces=None)
    refused = _delete(client, f"records/{record.id}")
    assert refused.status == 409
    assert "read only" in refused.json()["message"]


def test_an_unknown_record(client: Client) -> None:
    for answer in (
        _get(client, "records/0123"),
        _delete(client, "records/0123"),
        client.post("/_api/records/0123/reprocess", b"", **TOKEN),
    ):
        assert (answer.status, answer.json()["code"]) == (404, "NoSuchRecord")
    assert _get(client, "records/0123/other").status == 404
    assert client.post("/_api/records", b"", **TOKEN).status == 405


def test_an_upload_begins_a_record(client: Client) -> None:
    granted = _post(client, "uploads", {"key": "new.png", "name": "Mia", "expires": "1h"}).json()
    record = _get(client, f"records/{granted['id']}").json()
    assert (record["status"], record["name"], record["key"]) == ("uploading", "Mia", "new.png")
    records = client.application.records
    assert records is not None
    stored = records().get(granted["id"])
    assert stored is not None
    assert stored.expires_at is not None
    assert stored.expires_at - datetime.now(UTC) > timedelta(hours=24)


def test_a_record_that_is_ready_stays_so_while_a_new_version_is_uploaded(
    client: Client, moto: Moto, bucket: str
) -> None:
    _put_in_folder(client)
    _post(client, "uploads", {"key": "a.png", "overwrite": True})
    assert _get(client, f"records/{record_id('folder', 'a.png')}").json()["status"] == "ready"


def test_only_the_operator_sees_records_and_sends_events(client: Client, environment: dict[str, str]) -> None:
    for page in ("records", "records/0123", "records/0123/variants/0"):
        assert client.get(f"/_api/{page}").status == 401
    for page in ("records/0123/reprocess", "events"):
        assert client.post(f"/_api/{page}", b"{}").status == 401
    del environment["OUTPUT_BUCKET"], environment["UPLOAD_PRESETS"]
    other = Client(environment)  # the function of a stack that answers requests: another one processes
    assert _get(other, "records").status == 200
    assert _post(other, "events", {"Records": []}).status == 404
    del environment["RECORDS"]
    assert _get(Client(environment), "records").status == 404


def test_what_another_function_processes_is_not_processed_here(
    client: Client, environment: dict[str, str], moto: Moto, bucket: str
) -> None:
    _upload(client, moto, bucket, "a.png")
    page = f"records/{record_id(bucket, 'a.png')}"
    del environment["OUTPUT_BUCKET"], environment["UPLOAD_PRESETS"]
    other = Client(environment)
    refused = other.post(f"/_api/{page}/reprocess", b"", **TOKEN)
    assert (refused.status, refused.json()["code"]) == (501, "Configuration")
    assert _get(other, page).json()["variants"]
    assert _delete(other, page).status == 202  # the bucket reports it to the other function
    assert moto.s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


# --- events


def test_a_deletion_removes_the_variants(client: Client, moto: Moto, bucket: str, tmp_path: Path) -> None:
    _upload(client, moto, bucket, "a.png")
    moto.s3.delete_object(Bucket=bucket, Key="a.png")
    removed = _record(bucket, "a.png", "s3:ObjectRemoved:Delete", sequencer="11")
    assert _post(client, "events", {"Records": [removed]}).status == 200
    assert _get(client, f"records/{record_id(bucket, 'a.png')}").json()["status"] == "deleted"
    assert [path for path in (tmp_path / "output" / "thumb").rglob("*") if path.is_file()] == []


def test_a_batch_is_accepted_as_a_whole_or_sent_again(client: Client, moto: Moto, bucket: str) -> None:
    moto.s3.put_object(Bucket=bucket, Key="a.png", Body=pictures.png())
    foreign = _post(client, "events", {"Records": [_record("foreign", "b.png"), _record(bucket, "a.png")]})
    assert (foreign.status, "foreign" in foreign.json()["message"]) == (403, True)
    assert _get(client, f"records/{record_id(bucket, 'a.png')}").json()["status"] == "ready"
    batch = [{"Records": [_record(bucket, "a.png")]}, {"Records": [_record(bucket, "folder/")]}]
    answer = _post(client, "events", batch)
    assert (answer.status, len(answer.json()["accepted"])) == (200, 1)


@pytest.mark.parametrize("key", ["a\0.png", "ü" * 600 + ".png"], ids=["NUL", "too long"])
def test_an_event_that_no_database_can_store_is_refused_for_good(
    client: Client, moto: Moto, bucket: str, key: str
) -> None:
    moto.s3.put_object(Bucket=bucket, Key="a.png", Body=pictures.png())
    answer = _post(client, "events", {"Records": [_record(bucket, quote_plus(key)), _record(bucket, "a.png")]})
    assert answer.status == 200
    assert [each["key"] for each in answer.json()["accepted"]] == ["a.png"]
    [refused] = answer.json()["refused"]
    assert (refused["source"], refused["key"], refused["code"]) == (bucket, key, "BadRequest")
    assert refused["message"].startswith("key must ")


def test_an_event_that_cannot_be_processed_is_answered_with_503(
    environment: dict[str, str], moto: Moto, bucket: str
) -> None:
    client = Client(environment | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    refused = _post(client, "events", {"Records": [_record(bucket, "a.png")]})
    assert (refused.status, refused.json()["code"]) == (503, "EventsNotProcessed")
    assert int(refused.headers["Retry-After"]) > 0
    record = _get(client, f"records/{record_id(bucket, 'a.png')}").json()
    assert (record["status"], record["attempts"]) == ("processing", 1)


@pytest.mark.parametrize(
    ("action", "kind"),
    [("PutObject", "created"), ("CopyObject", "created"), ("CompleteMultipartUpload", "created"),
     ("DeleteObject", "deleted"), ("LifecycleDeletion", "deleted")],
)  # fmt: skip
def test_events_of_r2(action: str, kind: str) -> None:
    event = {
        "account": "3f4b7e3dcab231cbfdaa90a6a28bd548", "action": action, "bucket": "my-bucket",
        "object": {"key": "cats/a+1 ü.png", "size": 65536, "eTag": "c846ff7a18f28c2e262116d6e8719ef0"},
        "eventTime": "2024-05-24T19:36:44.379Z",
    }  # fmt: skip
    changes = [change for each in parse_events(json.dumps(event).encode()) for change in changes_in(each)]
    assert [(change.bucket, change.key, change.kind) for change in changes] == [("my-bucket", "cats/a+1 ü.png", kind)]
    moment = datetime(2024, 5, 24, 19, 36, 44, 379_000, tzinfo=UTC)
    assert int(changes[0].sequencer, 16) == int(moment.timestamp() * 1000) * 1_000_000
    assert parse_events(json.dumps({**event, "action": "GetObject"}).encode()) == []


@pytest.mark.parametrize("name", ["minio-put.json", "s3-put.json", "s3-test-event.json"])
def test_events_of_other_stores(name: str) -> None:
    event = json.loads((EVENTS / name).read_text("utf-8"))
    parsed = parse_events(json.dumps(event).encode())
    assert [each["Records"][0] for each in parsed] == event.get("Records", [])


def test_times_order_the_events_of_stores_without_sequencers() -> None:
    sequencers = []
    for time in ("2026-08-01T10:00:00.250Z", "2026-08-01T10:00:00.251Z", "2026-08-01T12:00:01+02:00"):
        record = _record("b", "a.png")
        del record["s3"]["object"]["sequencer"]
        event = parse_events(json.dumps({"Records": [record | {"eventTime": time}]}).encode())[0]
        sequencers.append(changes_in(event)[0].sequencer)
    assert sequencers == sorted(sequencers)
    assert len({*sequencers}) == 3


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]x", b"7", b"null", b"{}", b'{"Records": 7}', b'{"Records": [7]}', b'{"Records": [{"s3": 1}]}',
        b'{"action": "PutObject"}', b'{"Records": [{"s3": {"object": {"key": "a"}}, "eventTime": "soon"}]}',
        json.dumps({"Records": [_record("b", "a")] * 1001}).encode(), b"[" * 100_000,
    ],
)  # fmt: skip
def test_other_bodies_are_refused(client: Client, body: bytes) -> None:
    answer = client.post("/_api/events", body, **TOKEN)
    assert answer.status == 400
    assert "the body must" in answer.json()["message"]


@pytest.mark.parametrize("sequencer", [7, ["1"], "g", "F" * 65], ids=["number", "list", "other digits", "too long"])
def test_an_invalid_sequencer_is_refused(client: Client, bucket: str, sequencer: object) -> None:
    answer = _post(client, "events", {"Records": [_record(bucket, "a.png", sequencer=sequencer)]})
    assert (answer.status, answer.json()["code"]) == (400, "BadRequest")
    assert _get(client, "records").json()["records"] == []


@pytest.mark.parametrize(("found", "key"), [(5, "a.png"), ([], "a.png"), (None, ""), ("", "a.png")])
def test_an_event_without_bucket_or_key_is_refused(client: Client, bucket: str, found: object, key: str) -> None:
    record = _record(bucket, key)
    if found is not None:
        record["s3"]["bucket"]["name"] = found
    assert _post(client, "events", {"Records": [record]}).status == 400


WORDS = ("PutObject", "ObjectCreated:Put", "minio:s3", TIME)
NAMES = ("Records", "s3", "object", "bucket", "key", "name", "eventName", "eventSource", "eventTime", "action")
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_parsed_or_refused(content: object) -> None:
    try:
        events = parse_events(json.dumps(content).encode())
        for event in events:
            changes_in(event)
    except BadRequest as error:
        assert error.message  # noqa: PT017 - the error is one of two outcomes that are allowed

"""Uploads through `/_api/uploads` and `/_upload`, by events of the real entry point."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests import pictures
from tests.client import Answered, Client, answered, function_url_event
from tests.forms import encode_form
from tests.stand_ins.moto import Moto

from handler.config import SettingsError
from handler.entrypoints.uploads import forms

TOKEN = {"authorization": "Bearer op-token"}
PNG = pictures.png()
DIGEST = hashlib.sha256(PNG).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "originals").mkdir()
    return tmp_path / "originals"


@pytest.fixture
def environment(folder: Path, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "token").write_text("op-token")
    return {
        "SOURCE_BUCKETS": f"originals={folder.as_uri()}",
        "UPLOAD_SOURCE": "originals",
        "OPERATOR_TOKEN_FILE": str(tmp_path / "token"),
    }


@pytest.fixture
def client(environment: dict[str, str]) -> Client:
    return Client(environment)


def _post(client: Client, page: str, fields: object) -> Answered:
    return client.post(f"/_api/{page}", json.dumps(fields).encode(), **TOKEN)


def _put(client: Client, address: str, body: bytes, **headers: str) -> Answered:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answered(client.invoke(function_url_event(address, method="PUT", headers=named, body=body)))


def _send_form(client: Client, granted: dict[str, Any], file: bytes, **changed: str) -> Answered:
    body, content_type = encode_form({**granted["fields"], **changed}, file)
    return client.post(granted["url"], body, content_type=content_type)


def test_a_form_stores_a_file_that_is_served_then(client: Client, folder: Path) -> None:
    granted = _post(client, "uploads", {"name": "My cat.PNG", "bytes": len(PNG)})
    assert granted.status == 201
    fields = granted.json()
    assert (fields["method"], fields["source"], fields["maxBytes"]) == ("POST", "originals", len(PNG))
    assert fields["key"].startswith(f"{datetime.now(UTC):%Y-}")
    assert fields["key"].endswith(".png")
    stored = _send_form(client, fields, PNG)
    assert (stored.status, stored.json()["key"], stored.json()["bytes"]) == (201, fields["key"], len(PNG))
    assert stored.json()["id"] == fields["id"]
    assert (folder / fields["key"]).read_bytes() == PNG
    assert client.get(f"/{fields['key']}?width=10").status == 200


def test_the_client_can_choose_the_key_or_the_prefix(client: Client) -> None:
    assert _post(client, "uploads", {"key": "cats/é 1.png"}).json()["key"] == "cats/é 1.png"
    made = _post(client, "uploads", {"prefix": "visitor/", "contentType": "image/webp"}).json()["key"]
    assert made.startswith("visitor/")
    assert made.endswith(".webp")


def test_keys_follow_the_template(environment: dict[str, str]) -> None:
    client = Client(environment | {"UPLOAD_KEY": "in/{year}/{month}/{day}/{name}-{uuid}{ext}"})
    key = _post(client, "uploads", {"name": "../My Cat (1).JPG"}).json()["key"]
    assert key.startswith(f"in/{datetime.now(UTC):%Y/%m/}")
    assert "/My-Cat-1-" in key
    assert key.endswith(".jpg")


def test_a_key_that_is_taken_needs_overwrite(client: Client, folder: Path) -> None:
    (folder / "a.png").write_bytes(b"first")
    refused = _post(client, "uploads", {"key": "a.png"})
    assert (refused.status, refused.json()["code"]) == (409, "KeyExists")
    assert "overwrite" in refused.json()["message"]
    assert _put(client, "/_api/uploads/a.png", PNG, **TOKEN).status == 409
    assert (folder / "a.png").read_bytes() == b"first"
    assert _put(client, "/_api/uploads/a.png?overwrite=true", PNG, **TOKEN).status == 201
    granted = _post(client, "uploads", {"key": "a.png", "overwrite": True}).json()
    assert _send_form(client, granted, b"third").status == 201
    assert (folder / "a.png").read_bytes() == b"third"


def test_a_key_that_is_taken_after_the_form_was_made(client: Client, folder: Path) -> None:
    granted = _post(client, "uploads", {"key": "a.png"}).json()
    (folder / "a.png").write_bytes(b"first")
    assert _send_form(client, granted, PNG).status == 409
    assert (folder / "a.png").read_bytes() == b"first"


def test_the_same_file_is_not_sent_again(client: Client, folder: Path) -> None:
    (folder / "a.png").write_bytes(PNG)
    for more in ({}, {"multipart": True}):
        same = _post(client, "uploads", {"key": "a.png", "sha256": DIGEST, "bytes": len(PNG), **more})
        assert (same.status, same.json()["isNew"], same.json()["bytes"]) == (200, False, len(PNG))
    assert _put(client, f"/_api/uploads/a.png?sha256={DIGEST}", PNG, **TOKEN).status == 200
    assert _post(client, "uploads", {"key": "a.png", "sha256": "0" * 64}).status == 409


def test_bytes_are_put(client: Client, folder: Path) -> None:
    stored = _put(client, "/_api/uploads/cats/%C3%A9%201.png?name=Mia", PNG, content_type="image/png", **TOKEN)
    assert (stored.status, stored.json()["key"]) == (201, "cats/é 1.png")
    assert (folder / "cats/é 1.png").read_bytes() == PNG
    assert _put(client, "/_api/uploads/parts", PNG, **TOKEN).json()["key"] == "parts"


def test_parts_are_sent_and_joined(client: Client, folder: Path) -> None:
    begun = _post(client, "uploads", {"key": "a.png", "bytes": 20_000_000, "multipart": True})
    assert begun.status == 201
    fields = begun.json()
    assert [part["number"] for part in fields["parts"]] == [1, 2, 3]
    assert fields["partBytes"] == 8 * 1024 * 1024
    bodies = {1: b"a" * 1000, 2: b"b" * 10}
    etags = {
        part["number"]: _put(client, part["url"], bodies[part["number"]]).headers["ETag"]
        for part in fields["parts"][:2]
    }
    again = _post(client, "uploads/parts", {"key": "a.png", "upload": fields["upload"], "numbers": [3]}).json()
    etags[3] = _put(client, again["parts"][0]["url"], b"c").headers["ETag"]
    parts = [{"number": number, "etag": etag} for number, etag in etags.items()]
    done = _post(client, "uploads/complete", {"key": "a.png", "upload": fields["upload"], "parts": parts})
    assert (done.status, done.json()["bytes"]) == (201, 1011)
    assert (folder / "a.png").read_bytes() == b"a" * 1000 + b"b" * 10 + b"c"


def test_parts_can_be_given_up(client: Client, folder: Path) -> None:
    begun = _post(client, "uploads", {"key": "a.png", "bytes": 9, "multipart": True}).json()
    assert _put(client, begun["parts"][0]["url"], b"123456789").status == 200
    given_up = {"key": "a.png", "upload": begun["upload"]}
    assert [_post(client, "uploads/abort", given_up).status for _ in range(2)] == [204, 204]
    assert _put(client, begun["parts"][0]["url"], b"x").status == 404
    assert [path for path in folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"key": ""}, None),
        ({"key": "../a.png"}, "key"),
        ({"key": "a//b.png"}, "key"),
        ({"key": 7}, "key"),
        ({"key": "a\n.png"}, "key"),
        ({"key": "a.png", "prefix": "b/"}, "prefix"),
        ({"prefix": "../b/"}, "prefix"),
        ({"name": "x" * 300}, "name"),
        ({"contentType": "text/html"}, "contentType"),
        ({"bytes": 0}, "bytes"),
        ({"bytes": True}, "bytes"),
        ({"sha256": "abc"}, "sha256"),
        ({"overwrite": 1}, "overwrite"),
        ({"expires": "8d"}, "expires"),
        ({"expires": "soon"}, "expires"),
        ({"expires": 60}, "expires"),
        ({"metadata": {"A b": "c"}}, "metadata"),
        ({"metadata": {"a": "é"}}, "metadata"),
        ({"metadata": {"a": "x" * 3000}}, "metadata"),
        ({"metadata": ["a"]}, "metadata"),
        ({"multipart": True}, "bytes"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_invalid_fields_are_named(client: Client, fields: dict[str, object], name: str | None) -> None:
    answer = _post(client, "uploads", fields)
    assert answer.status == (400 if name else 201)
    if name:
        assert f"`{name}`" in answer.json()["message"]


@pytest.mark.parametrize(
    ("page", "fields", "name"),
    [
        ("parts", {"key": "a.png", "upload": "x", "numbers": []}, "numbers"),
        ("parts", {"key": "a.png", "upload": "x", "numbers": [0]}, "numbers"),
        ("parts", {"key": "a.png", "upload": "x", "numbers": "1"}, "numbers"),
        ("complete", {"key": "a.png", "upload": "x", "parts": []}, "parts"),
        ("complete", {"key": "a.png", "upload": "x", "parts": [{"number": 1}]}, "parts"),
        ("complete", {"key": "a.png", "upload": "x", "parts": [{"number": 1, "etag": "x"}] * 2}, "parts"),
        ("complete", {"key": "a.png", "parts": []}, "upload"),
        ("abort", {"upload": "x"}, "key"),
    ],
)
def test_invalid_fields_of_parts_are_named(client: Client, page: str, fields: dict[str, object], name: str) -> None:
    answer = _post(client, f"uploads/{page}", fields)
    assert answer.status == 400
    assert f"`{name}`" in answer.json()["message"]


def test_a_form_is_bound_to_what_was_granted(client: Client, folder: Path) -> None:
    asked = {"key": "a.png", "bytes": len(PNG), "metadata": {"title": "cat"}, "name": "Mia"}
    granted = _post(client, "uploads", asked).json()
    changes = {
        "key": "b.png", "Content-Type": "image/gif", "x-overwrite": "true", "x-name": "Leo", "x-amz-meta-title": "dog",
        "more": "x", "x-signature": "0" * 64,
    }  # fmt: skip
    for changed in ({name: value} for name, value in (*changes.items(), ("x-signature", ""))):
        refused = _send_form(client, granted, PNG, **changed)
        assert (refused.status, refused.json()["code"]) == (403, "SignatureDoesNotMatch"), changed
    policy = json.loads(b64decode(granted["fields"]["policy"]))
    policy["expiration"] = "2099-01-01T00:00:00Z"
    forged = b64encode(json.dumps(policy).encode()).decode()
    assert _send_form(client, granted, PNG, policy=forged).status == 403
    missing = {**granted, "fields": {name: value for name, value in granted["fields"].items() if name != "x-name"}}
    assert _send_form(client, missing, PNG).status == 403
    assert _send_form(client, granted, PNG[:-1]).json()["code"] == "EntityTooSmall"
    assert _send_form(client, granted, PNG + b"x").json()["code"] == "EntityTooLarge"
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert _send_form(client, granted, PNG).status == 201


def test_forms_and_parts_expire(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    granted = _post(client, "uploads", {"key": "a.png", "expires": "1m"}).json()
    begun = _post(client, "uploads", {"key": "b.png", "expires": "1m", "bytes": 3, "multipart": True}).json()

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]  # a datetime, not a Later
            return datetime.now(tz) + timedelta(seconds=61)

    monkeypatch.setattr(forms, "datetime", Later)
    refused = _send_form(client, granted, PNG)
    assert (refused.status, refused.json()["code"]) == (403, "Expired")
    assert _put(client, begun["parts"][0]["url"], b"abc").json()["code"] == "Expired"


def test_the_url_of_a_part_is_bound_to_what_was_granted(client: Client) -> None:
    begun = _post(client, "uploads", {"key": "a.png", "bytes": 3, "multipart": True}).json()
    url = begun["parts"][0]["url"]
    for old, new in (("part=1", "part=2"), ("a.png", "b.png"), ("bytes=", "bytes=9"), ("signature=", "signature=0")):
        assert old in url
        assert _put(client, url.replace(old, new), b"abc").status == 403
    assert _put(client, url.partition("&signature")[0], b"abc").status == 403
    assert _put(client, url, b"x" * (8 * 1024 * 1024 + 1)).status == 413
    assert client.get(url).status == 405


def test_a_form_outlives_a_rotation_of_the_token(client: Client, tmp_path: Path) -> None:
    granted = _post(client, "uploads", {"key": "a.png"}).json()
    (tmp_path / "token").write_text("new-token\nop-token\n")
    environment = {"SOURCE_BUCKETS": f"originals={(tmp_path / 'originals').as_uri()}", "UPLOAD_SOURCE": "originals"}
    other = Client(environment | {"OPERATOR_TOKEN_FILE": str(tmp_path / "token")})
    assert _send_form(other, granted, PNG).status == 201


def test_only_the_operator_uploads(client: Client, environment: dict[str, str]) -> None:
    for page in ("uploads", "uploads/parts", "uploads/complete", "uploads/abort"):
        assert client.post(f"/_api/{page}", b"{}").status == 401
    assert _put(client, "/_api/uploads/a.png", PNG).status == 401
    without = {name: value for name, value in environment.items() if name != "UPLOAD_SOURCE"}
    off = Client(without)
    assert _post(off, "uploads", {}).status == 404
    assert _put(off, "/_api/uploads/a.png", PNG, **TOKEN).status == 404
    assert off.post("/_upload", b"").status == 404


def test_too_large_files_are_refused_before_they_are_sent(environment: dict[str, str]) -> None:
    client = Client(environment | {"MAX_SOURCE_BYTES": "1000"})
    refused = _post(client, "uploads", {"bytes": 1001})
    assert (refused.status, refused.json()["code"]) == (413, "EntityTooLarge")
    assert _put(client, "/_api/uploads/a.png", b"x" * 1001, **TOKEN).status == 413


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"UPLOAD_SOURCE": "others"}, "UPLOAD_SOURCE must name a source in S3 or in a folder"),
        ({"UPLOAD_KEY": "{date}/{name}"}, "UPLOAD_KEY must be a key with {uuid} in it"),
        ({"UPLOAD_KEY": "{uuid}/{planet}"}, "UPLOAD_KEY must be"),
        ({"UPLOAD_KEY": "../{uuid}"}, "UPLOAD_KEY must be"),
        ({"UPLOAD_URLS": "nowhere"}, "UPLOAD_URLS must be one of store, server"),
    ],
)
def test_invalid_settings(environment: dict[str, str], changed: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Client(environment | changed)
    assert message in str(refused.value)


# --- a source in S3


@pytest.fixture
def bucket(moto: Moto) -> str:
    return moto.bucket()


def _at_s3(environment: dict[str, str], moto: Moto, bucket: str, **more: str) -> Client:
    aws = {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": moto.url, "AWS_ACCESS_KEY_ID": "AKID"}
    return Client(
        environment
        | aws
        | {"SOURCE_BUCKETS": bucket, "UPLOAD_SOURCE": bucket}
        | {"AWS_SECRET_ACCESS_KEY": "secret"}
        | more
    )


def test_clients_write_to_s3_directly(environment: dict[str, str], moto: Moto, bucket: str) -> None:
    client = _at_s3(environment, moto, bucket)
    granted = _post(client, "uploads", {"key": "a.png", "bytes": 9, "metadata": {"title": "cat"}}).json()
    assert granted["url"] == f"{moto.url}/{bucket}"
    policy = json.loads(b64decode(granted["fields"]["policy"]))
    assert ["content-length-range", 9, 9] in policy["conditions"]
    for condition in ({"bucket": bucket}, {"key": "a.png"}, {"Content-Type": "image/png"}, {"x-amz-meta-title": "cat"}):
        assert condition in policy["conditions"]
    begun = _post(client, "uploads", {"key": "b.png", "bytes": 9, "multipart": True}).json()
    assert begun["parts"][0]["url"].startswith(f"{moto.url}/{bucket}/b.png?")
    assert _put(client, "/_api/uploads/c.png", PNG, **TOKEN).status == 201
    assert moto.s3.get_object(Bucket=bucket, Key="c.png")["Body"].read() == PNG


def test_the_service_can_take_uploads_to_s3_itself(environment: dict[str, str], moto: Moto, bucket: str) -> None:
    client = _at_s3(environment, moto, bucket, UPLOAD_URLS="server")
    granted = _post(client, "uploads", {"key": "a.png", "sha256": DIGEST}).json()
    assert granted["url"] == "/_upload"
    assert _send_form(client, granted, PNG).status == 201
    assert moto.s3.get_object(Bucket=bucket, Key="a.png")["Body"].read() == PNG
    assert _post(client, "uploads", {"key": "a.png", "sha256": DIGEST}).json()["isNew"] is False
    begun = _post(client, "uploads", {"key": "b.png", "bytes": 9, "multipart": True}).json()
    etag = _put(client, begun["parts"][0]["url"], b"123456789").headers["ETag"]
    parts = {"key": "b.png", "upload": begun["upload"], "parts": [{"number": 1, "etag": etag}]}
    assert _post(client, "uploads/complete", parts).status == 201
    assert moto.s3.get_object(Bucket=bucket, Key="b.png")["Body"].read() == b"123456789"

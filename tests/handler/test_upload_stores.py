"""Stores of uploads: a folder, S3 by moto, and a server that verifies signatures, by rclone."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.forms import encode_form
from tests.stand_ins.moto import Moto
from tests.stand_ins.rclone import KEYS, rclone_server
from tests.stand_ins.scripted_http import ParsedRequest, Reply, ScriptedServer, scripted_server

from handler.aws import AwsAccess, Credentials
from handler.core.errors import BadRequest, HandlerError, NotFound, UpstreamError
from handler.storage.sources import open_sources
from handler.storage.sources.locations import read_location
from handler.storage.upload_stores import PART_BYTES, UploadAttributes, UploadStore, open_upload_store
from imaging import ObjectRef

PNG = UploadAttributes("image/png", {"sha256": "ab" * 32, "title": "a title"})
KEY = "2026/a folder/é+1.png"
MEGABYTE = bytes(1_000_000)


@pytest.fixture(params=["folder", "moto", "rclone"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[UploadStore]:
    if request.param == "folder":
        yield open_upload_store(read_location(f"originals={tmp_path.as_uri()}"), AwsAccess())
    elif request.param == "moto":
        moto: Moto = request.getfixturevalue("moto")
        yield open_upload_store(read_location(f"originals=s3://{moto.bucket()}/below"), moto.access)
    else:
        (tmp_path / "bucket").mkdir()
        with rclone_server(tmp_path) as access:
            yield open_upload_store(read_location("originals=s3://bucket/below"), access)


def test_an_object_is_written_once_and_replaced_only_on_request(store: UploadStore) -> None:
    written = store.write(KEY, [b"one", b" two"], PNG, overwrite=False)
    assert written is not None
    assert (written.ref, written.size) == (ObjectRef("originals", KEY), 7)
    assert store.write(KEY, [b"other"], PNG, overwrite=False) is None
    assert store.head(KEY) == written
    replaced = store.write(KEY, [b"other"], PNG, overwrite=True)
    assert replaced is not None
    assert (replaced.size, replaced.etag != written.etag) == (5, True)
    store.delete(KEY)
    store.delete(KEY)
    assert store.head(KEY) is None


def test_an_object_of_several_parts_is_written_from_small_blocks(store: UploadStore) -> None:
    count = 2 * PART_BYTES // len(MEGABYTE) + 1
    written = store.write("large.png", (MEGABYTE for _ in range(count)), PNG, overwrite=False)
    assert written is not None
    assert written.size == count * len(MEGABYTE)
    assert store.write("large.png", (MEGABYTE for _ in range(count)), PNG, overwrite=False) is None


@pytest.mark.parametrize("count", [1, 20])
def test_a_body_that_breaks_off_leaves_nothing(store: UploadStore, tmp_path: Path, count: int) -> None:
    def broken() -> Iterator[bytes]:
        for _ in range(count):
            yield MEGABYTE
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.write("broken.png", broken(), PNG, overwrite=False)
    assert store.head("broken.png") is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_parts_are_joined_in_their_order(store: UploadStore) -> None:
    upload = store.begin(KEY, PNG)
    bodies = {1: b"a" * PART_BYTES, 2: b"b" * 10}
    etags = {number: store.write_part(KEY, upload, number, [bodies[number]]) for number in (2, 1)}
    assert store.head(KEY) is None
    written = store.complete(KEY, upload, sorted(etags.items()), overwrite=False)
    assert written is not None
    assert written.size == PART_BYTES + 10


@pytest.mark.parametrize("store", ["folder", "moto"], indirect=True)  # rclone takes each part once
def test_a_part_can_be_sent_again(store: UploadStore) -> None:
    upload = store.begin(KEY, PNG)
    store.write_part(KEY, upload, 1, [b"wrong"])
    etag = store.write_part(KEY, upload, 1, [b"right one"])
    written = store.complete(KEY, upload, [(1, etag)], overwrite=False)
    assert written is not None
    assert written.size == 9


def test_parts_do_not_replace_an_object_unless_asked_to(store: UploadStore) -> None:
    store.write(KEY, [b"first"], PNG, overwrite=False)
    upload = store.begin(KEY, PNG)
    parts = [(1, store.write_part(KEY, upload, 1, [b"second one"]))]
    assert store.complete(KEY, upload, parts, overwrite=False) is None
    replaced = store.complete(KEY, upload, parts, overwrite=True)
    assert replaced is not None
    assert replaced.size == 10


def test_parts_that_are_not_there_cannot_be_joined(store: UploadStore) -> None:
    upload = store.begin(KEY, PNG)
    store.write_part(KEY, upload, 1, [b"a part"])
    with pytest.raises(HandlerError):
        store.complete(KEY, upload, [(1, "0" * 32), (2, "1" * 32)], overwrite=False)
    store.abort(KEY, upload)
    store.abort(KEY, upload)
    assert store.head(KEY) is None


@pytest.mark.parametrize("key", ["", "../a.png", "a/./b.png", "x" * 1025, "\ud800.png"])
def test_invalid_keys_are_refused(store: UploadStore, key: str) -> None:
    with pytest.raises(BadRequest):
        store.write(key, [b"x"], PNG, overwrite=False)


# --- S3


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


def _s3_at(server: ScriptedServer) -> UploadStore:
    access = AwsAccess(region="us-east-1", endpoint_url_s3=server.url, credentials=Credentials("AKID", "secret"))
    return open_upload_store(read_location("originals=s3://bucket"), access)


def test_s3_itself_checks_that_nothing_is_replaced(moto: Moto) -> None:
    """Between the request for what is there and the write, another client may have written."""
    name = moto.bucket()
    store = open_upload_store(read_location(f"originals=s3://{name}"), moto.access)

    def late() -> Iterator[bytes]:
        moto.s3.put_object(Bucket=name, Key="a.png", Body=b"another client's")
        yield b"ours"

    assert store.write("a.png", late(), PNG, overwrite=False) is None
    assert moto.s3.get_object(Bucket=name, Key="a.png")["Body"].read() == b"another client's"


def test_s3_stores_media_type_and_metadata(moto: Moto) -> None:
    name = moto.bucket()
    store = open_upload_store(read_location(f"originals=s3://{name}"), moto.access)
    store.write("a.png", [b"x"], PNG, overwrite=False)
    stored = moto.s3.head_object(Bucket=name, Key="a.png")
    assert (stored["ContentType"], stored["Metadata"]) == ("image/png", dict(PNG.metadata))
    assert store.sha256("a.png") == PNG.metadata["sha256"]
    assert store.sha256("b.png") == ""


def test_a_presigned_form_writes_to_s3(moto: Moto) -> None:
    name = moto.bucket()
    store = open_upload_store(read_location(f"originals=s3://{name}/below"), moto.access)
    now = datetime.now(UTC)
    post = store.presigned_post("a é.png", PNG, (1, 100), now, now + timedelta(minutes=5))
    assert post is not None
    body, content_type = encode_form(post.fields, b"the bytes")
    url = urlsplit(post.url)
    connection = http.client.HTTPConnection(url.netloc, timeout=30)
    connection.request("POST", url.path, body, {"Content-Type": content_type})
    assert connection.getresponse().status == 201
    connection.close()
    stored = moto.s3.get_object(Bucket=name, Key="below/a é.png")
    assert (stored["Body"].read(), stored["Metadata"]["title"]) == (b"the bytes", "a title")


def test_presigned_parts_are_accepted_by_a_server_that_verifies_signatures(tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    with rclone_server(tmp_path) as access:
        store = open_upload_store(read_location("originals=s3://bucket"), access)
        upload = store.begin(KEY, PNG)
        statuses, etags = [], []
        for secret in ("wrong", KEYS.secret_access_key):
            keys = AwsAccess(access.region, "", access.endpoint_url_s3, credentials=Credentials("rclone-key", secret))
            signer = open_upload_store(read_location("originals=s3://bucket"), keys)
            url = urlsplit(signer.part_url(KEY, upload, 1, datetime.now(UTC), 60) or "")
            connection = http.client.HTTPConnection(url.netloc, timeout=30)
            connection.request("PUT", f"{url.path}?{url.query}", b"a part")
            response = connection.getresponse()
            statuses.append(response.status)
            etags.append(response.headers["ETag"])
            connection.close()
        assert statuses == [403, 200]
        assert store.complete(KEY, upload, [(1, etags[1].strip('"'))], overwrite=False) is not None
    assert (tmp_path / "bucket" / KEY).read_bytes() == b"a part"


def test_an_error_behind_status_200_is_an_error(scripted: ScriptedServer) -> None:
    def script(asked: ParsedRequest) -> Reply:
        return Reply(404) if asked.method == "HEAD" else Reply(200, b"<Error><Code>InternalError</Code></Error>")

    scripted.script = script
    with pytest.raises(UpstreamError):
        _s3_at(scripted).complete(KEY, "id", [(1, "etag")], overwrite=False)
    with pytest.raises(UpstreamError):
        _s3_at(scripted).begin(KEY, PNG)


@pytest.mark.parametrize(("status", "expected"), [(403, 403), (404, 404), (500, 502), (503, 503)])
def test_errors_of_s3(scripted: ScriptedServer, status: int, expected: int) -> None:
    scripted.script = lambda asked: Reply(404) if asked.method == "HEAD" else Reply(status)
    with pytest.raises(HandlerError) as refused:
        _s3_at(scripted).write(KEY, [b"x"], PNG, overwrite=False)
    assert refused.value.status == expected


def test_a_part_that_s3_throttles_is_sent_again(scripted: ScriptedServer) -> None:
    replies = [Reply(503), Reply(500), Reply(200, b"", {"ETag": '"e1"'})]
    scripted.script = lambda _: replies.pop(0)
    assert _s3_at(scripted).write_part(KEY, "id", 1, [b"x"]) == "e1"


def test_other_kinds_of_sources_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="UPLOAD_SOURCE must name a source in S3 or in a folder"):
        open_upload_store(read_location("originals=https://example.com"), AwsAccess())


# --- folders


def _folder(path: Path) -> UploadStore:
    return open_upload_store(read_location(f"originals={path.as_uri()}"), AwsAccess())


def test_two_writers_of_one_key_in_a_folder(tmp_path: Path) -> None:
    store = _folder(tmp_path)

    def late() -> Iterator[bytes]:
        store.write("a.png", [b"another client's"], PNG, overwrite=False)
        yield b"ours"

    assert store.write("a.png", late(), PNG, overwrite=False) is None
    assert (tmp_path / "a.png").read_bytes() == b"another client's"


def test_the_sha256_of_a_file_is_computed(tmp_path: Path) -> None:
    store = _folder(tmp_path)
    store.write("a.png", [b"some ", b"bytes"], PNG, overwrite=False)
    assert store.sha256("a.png") == hashlib.sha256(b"some bytes").hexdigest()
    assert store.sha256("b.png") == ""


@pytest.mark.parametrize(
    "key", [".uploads/x.draft", ".UPLOADS/x", ".uploads", "out/a.png", "a//b.png", "a/", "n" * 300]
)
def test_keys_that_a_folder_cannot_have(tmp_path: Path, key: str) -> None:
    (tmp_path / "originals").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "originals" / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadRequest):
        _folder(tmp_path / "originals").write(key, [b"x"], PNG, overwrite=True)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_key_cannot_be_a_folder_of_another_one(tmp_path: Path, overwrite: bool) -> None:
    store = _folder(tmp_path)
    store.write("a/b.png", [b"x"], PNG, overwrite=False)
    for key in ("a", "a/b.png/c.png"):
        with pytest.raises(BadRequest):
            store.write(key, [b"x"], PNG, overwrite=overwrite)


def test_drafts_are_no_part_of_the_source(tmp_path: Path) -> None:
    store = _folder(tmp_path)
    upload = store.begin("a.png", PNG)
    store.write_part("a.png", upload, 1, [b"part"])
    sources = open_sources(f"originals={tmp_path.as_uri()}", limit=100)
    assert list(sources.list("originals", "")) == []
    assert sources.page("originals", "", "", 10).prefixes == ()
    assert sources.page("originals", ".uploads/", "", 10).prefixes == ()
    for key in (f".uploads/{upload}/key.json", f".UPLOADS/{upload}/key.json"):
        with pytest.raises(NotFound):
            sources.get(ObjectRef("", key))


def test_an_upload_in_parts_belongs_to_its_key(tmp_path: Path) -> None:
    store = _folder(tmp_path)
    upload = store.begin("a.png", PNG)
    for key, identifier in (("b.png", upload), ("a.png", "0" * 32), ("a.png", f"../{upload}")):
        with pytest.raises(NotFound) as refused:
            store.write_part(key, identifier, 1, [b"x"])
        assert refused.value.code == "NoSuchUpload"


def test_what_killed_processes_left_is_deleted_at_the_next_start(tmp_path: Path) -> None:
    store = _folder(tmp_path)
    unfinished = store.begin("a.png", PNG)
    abandoned = store.begin("b.png", PNG)
    long_ago = time.time() - 8 * 86_400
    os.utime(tmp_path / ".uploads" / abandoned, (long_ago, long_ago))
    (tmp_path / ".uploads" / "left.draft").write_bytes(b"x")
    in_use = (tmp_path / ".uploads" / "used.draft").open("xb")
    with in_use:
        fcntl.flock(in_use, fcntl.LOCK_EX)
        _folder(tmp_path)
        assert {path.name for path in (tmp_path / ".uploads").iterdir()} == {unfinished, "used.draft"}


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    store = _folder(tmp_path)
    (tmp_path / ".uploads").write_bytes(b"not a folder")
    with pytest.raises(HandlerError):
        store.write("a.png", [b"x"], PNG, overwrite=False)
    with suppress(FileNotFoundError):
        (tmp_path / ".uploads").unlink()
    assert store.write("a.png", [b"x"], PNG, overwrite=False) is not None

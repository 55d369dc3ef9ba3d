"""Limits of the gallery, and what is left when an upload ends in the middle."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests import pictures
from tests.forms import BOUNDARY
from tests.gallery.conftest import gallery_settings
from tests.gallery.visiting import API, Browser, encode_picture, over_http
from tests.local_server import Server, running
from tests.stand_ins.postgres import Postgres
from tests.tools import require_tool

from handler.aws import AwsAccess
from handler.gallery.uploads import UPLOAD_LIFE
from handler.records import open_records
from handler.records.record import record_id

PNG = pictures.png(pictures.scene(60, 40))


@contextmanager
def serving_gallery(folder: Path, **settings: str) -> Iterator[Server]:
    program = require_tool("image-handler", "make setup")
    with running(program, "serve", "--port", "0", environment=gallery_settings(folder, **settings)) as server:
        yield server


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_no_number_of_tabs_and_servers_passes_the_limit(
    request: pytest.FixtureRequest, tmp_path: Path, database: str
) -> None:
    more = {"USER_LIMIT": "3"}
    if database == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        more["RECORDS"] = postgres.create_database()
    with ExitStack() as opened:
        servers = [opened.enter_context(serving_gallery(tmp_path, **more)) for _ in range(2)]
        first = Browser(over_http(servers[0]))
        first.ask("GET", "/session")
        tabs = [Browser(over_http(servers[number % 2]), first.cookie) for number in range(10)]
        with ThreadPoolExecutor(10) as pool:
            images = [pictures.png(pictures.scene(20 + number, 20)) for number in range(10)]
            replies = [*pool.map(Browser.upload, tabs, images)]
        refused = [each for each in replies if each.status != 201]
        assert [(each.status, each.code) for each in refused] == [(409, "gallery_full")] * 7
        assert "USER_LIMIT" not in refused[0].json()["message"]
        assert len(first.pictures()) == 3
        assert first.ask("DELETE", f"/pictures/{first.pictures()[0]['id']}").status == 204
        assert first.upload(PNG).status == 201


def begin_upload(server: Server, browser: Browser, image: bytes) -> socket.socket:
    """Send half of an upload, and return the connection when the server has begun to store it."""
    body = encode_picture({"name": "Half.png"}, image)
    head = (
        f"POST {API}/pictures HTTP/1.1\r\nHost: localhost:{server.port}\r\nCookie: {browser.cookie}\r\nX-Gallery: 1\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    connection.sendall(head.encode() + body[: len(body) // 2])
    until = time.monotonic() + 60
    while not browser.pictures():
        assert time.monotonic() < until
        time.sleep(0.05)
    return connection


def files_in(folder: Path) -> list[str]:
    return [path.name for path in (folder / "gallery").rglob("*") if path.is_file()]


def test_a_killed_server_leaves_nothing_half_written_and_no_place_taken(tmp_path: Path) -> None:
    with serving_gallery(tmp_path, USER_LIMIT="1") as server:
        browser = Browser(over_http(server))
        browser.ask("GET", "/session")
        with begin_upload(server, browser, b"x" * 300_000):
            assert server.stop(signal.SIGKILL) == -signal.SIGKILL
    with serving_gallery(tmp_path, USER_LIMIT="1") as server:
        browser.send = over_http(server)
        assert files_in(tmp_path) == []
        [picture] = browser.pictures()
        assert (picture["status"], picture["name"]) == ("uploading", "Half.png")
        expect_expiry(tmp_path, picture["id"])
        # Its owner need not wait for that.
        assert browser.ask("DELETE", f"/pictures/{picture['id']}").status == 204
        assert browser.keep(PNG)["status"] == "ready"


def expect_expiry(folder: Path, identifier: str) -> None:
    """Check that a record takes no place in the limit any more once the time for an upload has passed."""
    records = open_records(f"sqlite:///{folder}/records.db", AwsAccess())
    try:
        record = records.get(identifier)
        assert record is not None
        assert record.expires_at == record.created_at + UPLOAD_LIFE
        key = f"{record.owner}/{'0' * 32}.png"
        later = replace(record, id=record_id(record.source, key), key=key, updated_at=datetime.now(UTC) + UPLOAD_LIFE)
        assert records.add_within(replace(later, updated_at=record.created_at), owner_limit=1) == "full"
        assert records.add_within(later, owner_limit=1) == "added"
        assert records.remove(later.id, revision=1)
    finally:
        records.close()


def test_a_client_that_disconnects_takes_no_place(tmp_path: Path) -> None:
    with serving_gallery(tmp_path, USER_LIMIT="1") as server:
        browser = Browser(over_http(server))
        browser.ask("GET", "/session")
        begin_upload(server, browser, b"x" * 300_000).close()
        until = time.monotonic() + 60
        while browser.pictures():
            assert time.monotonic() < until
            time.sleep(0.05)
        assert browser.keep(PNG)["status"] == "ready"
        assert len(files_in(tmp_path)) == 1


@pytest.mark.parametrize(
    ("image", "status", "code"),
    [(b"", 400, "EntityTooSmall"), (b"x" * 200_001, 413, "EntityTooLarge")],
)
def test_a_file_of_a_wrong_size_takes_no_place(tmp_path: Path, image: bytes, status: int, code: str) -> None:
    with serving_gallery(tmp_path, USER_LIMIT="1", MAX_SOURCE_BYTES="200000") as server:
        browser = Browser(over_http(server))
        refused = browser.upload(image)
        assert (refused.status, refused.code) == (status, code)
        granted = browser.post("/pictures", name="Large.png", bytes=200_001)
        assert (granted.status, granted.code) == (413, "EntityTooLarge")
        assert (browser.pictures(), files_in(tmp_path)) == ([], [])


def test_a_file_that_is_no_image_is_rejected_in_words(browser: Browser) -> None:
    stored = browser.upload(b"This is not a picture.", "Letter.png")
    assert stored.status == 201
    picture = browser.wait(stored.json()["id"])
    assert (picture["status"], picture["original"]) == ("rejected", None)
    assert picture["error"]["code"]
    refused = browser.post(f"/pictures/{picture['id']}/results", recipe="smaller")
    assert (refused.status, refused.code) == (409, "not_ready")
    assert browser.post(f"/pictures/{picture['id']}/retry").code == "not_failed"

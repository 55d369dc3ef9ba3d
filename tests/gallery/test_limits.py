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
def serving_gallery(folder: Path, *options: str, **settings: str) -> Iterator[Server]:
    program = require_tool("image-handler", "make setup")
    environment = gallery_settings(folder, **settings)
    with running(program, "serve", "--port", "0", *options, environment=environment) as server:
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


def test_an_announced_size_above_the_limit_is_refused_first(tmp_path: Path) -> None:
    with serving_gallery(tmp_path, GALLERY_UPLOADS_PER_HOUR="1", MAX_SOURCE_BYTES="1000000") as server:
        browser = Browser(over_http(server))
        announced = {"name": "a.png", "type": "image/png"}
        for size in (1_000_001, 10**12):  # the second one is also more than the whole gallery may hold
            refused = browser.post("/pictures", **announced, bytes=size)
            assert (refused.status, refused.code) == (413, "EntityTooLarge")
        assert browser.post("/pictures", **announced, bytes=1_000_000).status == 201, "nothing was counted"


def test_a_file_that_is_no_image_is_rejected_in_words(browser: Browser) -> None:
    stored = browser.upload(b"This is not a picture.", "Letter.png")
    assert stored.status == 201
    picture = browser.wait(stored.json()["id"])
    assert (picture["status"], picture["original"]) == ("rejected", None)
    assert picture["error"]["code"]
    refused = browser.post(f"/pictures/{picture['id']}/results", recipe="smaller")
    assert (refused.status, refused.code) == (409, "not_ready")
    assert browser.post(f"/pictures/{picture['id']}/retry").code == "not_failed"


def test_uploads_are_limited_by_the_hour_for_visitors_and_addresses(tmp_path: Path) -> None:
    with serving_gallery(tmp_path, GALLERY_UPLOADS_PER_HOUR="3") as server:
        browser = Browser(over_http(server))
        browser.ask("GET", "/session")
        images = [pictures.png(pictures.scene(20 + number, 20)) for number in range(4)]
        assert [browser.upload(image).status for image in images] == [201, 201, 201, 429]
        refused = browser.upload(images[3])
        assert refused.code == "too_many_uploads"
        assert 0 < int(refused.headers["retry-after"]) <= 3601
        stranger = Browser(over_http(server))
        assert stranger.upload(images[3]).code == "too_many_uploads", "the same address"
        assert (len(browser.pictures()), stranger.pictures()) == (3, [])


@pytest.mark.parametrize("forged", ["", "198.51.100.9, ", "unknown, "])
def test_a_trusted_proxy_names_the_address_that_is_limited(tmp_path: Path, forged: str) -> None:
    with serving_gallery(tmp_path, "--behind-proxy", GALLERY_UPLOADS_PER_HOUR="1") as server:

        def upload(address: str) -> int:
            headers = {"X-Gallery": "1", "X-Forwarded-For": forged + address, "X-Forwarded-Proto": "https"}
            return Browser(over_http(server), headers=headers).upload(PNG).status

        assert [upload(each) for each in ("192.0.2.1", "192.0.2.2", "192.0.2.1, 127.0.0.2")] == [201, 201, 429]
        assert [upload(each) for each in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")] == [201, 429, 201]


def test_any_other_proxy_names_nothing(tmp_path: Path) -> None:
    with serving_gallery(tmp_path, GALLERY_UPLOADS_PER_HOUR="1") as server:
        headers = [{"X-Gallery": "1", "X-Forwarded-For": f"192.0.2.{number}"} for number in range(2)]
        assert [Browser(over_http(server), headers=each).upload(PNG).status for each in headers] == [201, 429]


def test_all_pictures_together_are_limited(tmp_path: Path) -> None:
    with serving_gallery(tmp_path, GALLERY_MAX_BYTES=str(3 * len(PNG))) as server:
        browsers = [Browser(over_http(server)) for _ in range(4)]
        assert [browser.upload(PNG).status for browser in browsers] == [201, 201, 507, 507]
        assert browsers[2].upload(PNG).code == "storage_full"
        granted = browsers[2].post("/pictures", name="Large.png", bytes=2 * len(PNG))
        assert (granted.status, granted.code) == (507, "storage_full")
        picture = browsers[0].wait(browsers[0].pictures()[0]["id"])
        assert browsers[0].ask("DELETE", f"/pictures/{picture['id']}").status == 204
        assert browsers[2].upload(PNG).status == 201


def test_a_password_admits_visitors_and_is_not_guessed(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("open sesame\n")
    with serving_gallery(tmp_path, GALLERY_PASSWORD_FILE=str(password)) as server:
        browser = Browser(over_http(server))
        session = browser.ask("GET", "/session").json()
        assert (session["passwordNeeded"], session["visitor"]) == (True, None)
        for reply in (browser.ask("GET", "/pictures"), browser.upload(PNG), browser.ask("DELETE", "/pictures")):
            assert (reply.status, reply.code) == (401, "password_needed")
        admitted = browser.post("/session", password="open sesame")
        assert (admitted.status, admitted.json()["passwordNeeded"]) == (200, False)
        picture = browser.keep(PNG)
        wrong = [Browser(over_http(server)).post("/session", password=f"open {number}") for number in range(12)]
        assert [each.code for each in wrong] == ["wrong_password"] * 10 + ["too_many_attempts"] * 2
        assert wrong[10].status == 429
        assert "retry-after" in wrong[10].headers
    password.write_text("another one\n")
    with serving_gallery(tmp_path, GALLERY_PASSWORD_FILE=str(password)) as server:
        again = Browser(over_http(server), browser.cookie)
        assert again.ask("GET", "/pictures").code == "password_needed"
        # The attempts of this address are used up for this hour, as the database knows.
        assert again.post("/session", password="another one").code == "too_many_attempts"
        assert server.ask(picture["original"]["url"]).status == 200

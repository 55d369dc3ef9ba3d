"""With CORS, a script of another site may read every answer that it could read as a 200: errors, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests import pictures
from tests.client import Client, answered, function_url_event
from tests.local_server import serving

from handler.entrypoints.server.bodies import SMALL_BODY

SITE = "https://site.example"
CORS = {"CORS_ENABLED": "Yes", "CORS_ORIGIN": SITE}
ALLOWED = "Access-Control-Allow-Origin"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cors")
    (folder / "cat.jpg").write_bytes(pictures.jpeg())
    (folder / "text.jpg").write_text("no image")
    (folder / "secret").write_text("x" * 40)
    return folder


def client(folder: Path, **more: str) -> Client:
    return Client({"SOURCE_BUCKETS": f"p=file://{folder}", **CORS, **more})


@pytest.mark.parametrize(
    ("address", "method", "status"),
    [
        ("/cat.jpg", "GET", 200),
        ("/cat.jpg?widht=3", "GET", 400),
        ("/cat.jpg?a=1&a=2", "GET", 400),
        ("/%zz", "GET", 400),
        ("/cat.jpg?removeBackground=true", "GET", 403),
        ("/nosuch.jpg", "GET", 404),
        ("/_nosuch", "GET", 404),
        ("/_api/nosuch", "GET", 404),
        ("/cat.jpg", "DELETE", 405),
        ("/" + "a" * 9000, "GET", 414),
        ("/text.jpg?width=3", "GET", 415),
    ],
)
def test_every_error_has_the_headers_of_the_200(folder: Path, address: str, method: str, status: int) -> None:
    answer = client(folder).get(address, method=method)
    assert (answer.status, answer.headers.get(ALLOWED)) == (status, SITE)
    assert ALLOWED not in Client({"SOURCE_BUCKETS": f"p=file://{folder}"}).get(address, method=method).headers


def test_so_have_a_missing_signature_and_a_request_that_has_not_come_through_the_cdn(folder: Path) -> None:
    secret = str(folder / "secret")
    signed = client(folder, ENABLE_SIGNATURE="Yes", SIGNATURE_SECRET_FILE=secret).get("/cat.jpg")
    direct = client(folder, ORIGIN_SECRET_FILE=secret).get("/cat.jpg")
    assert (signed.status, signed.headers.get(ALLOWED)) == (400, SITE)
    assert (direct.status, direct.headers.get(ALLOWED)) == (403, SITE)


def test_so_has_an_unexpected_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    served = client(folder)
    monkeypatch.setattr("handler.entrypoints.http.render", broken)
    answer = served.get("/cat.jpg")
    assert (answer.status, answer.headers.get(ALLOWED)) == (500, SITE)


def test_so_has_an_event_that_cannot_be_read(folder: Path) -> None:
    event: dict[str, Any] = function_url_event("/cat.jpg")
    del event["requestContext"]
    answer = answered(client(folder).invoke(event))
    assert (answer.status, answer.headers.get(ALLOWED)) == (400, SITE)


def test_what_is_closed_to_other_sites_stays_closed_in_its_errors(folder: Path) -> None:
    local = Client({"SOURCE_BUCKETS": f"p=file://{folder}", **CORS}, operator_open=True)
    for address in ("/_api/images", "/_api/nosuch", "/%5Fapi/nosuch"):
        assert ALLOWED not in local.get(address).headers


def test_the_stage_before_a_path_opens_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    served = client(folder)
    monkeypatch.setattr("handler.entrypoints.http.HttpEntrypoint._answer", broken)
    for path, origin in (("/cat.jpg", SITE), ("/_api/gallery/pictures", None)):
        event: dict[str, Any] = function_url_event(f"/prod{path}")
        event["requestContext"] |= {"stage": "prod"}
        answer = answered(served.invoke(event))
        assert (answer.status, answer.headers.get(ALLOWED)) == (500, origin)


def test_so_have_the_errors_of_the_server_itself(folder: Path, tmp_path: Path) -> None:
    results = {"STORE_RESULTS": "Yes", "RESULTS_BUCKET": f"results={tmp_path.as_uri()}"}
    with serving(folder, **CORS, **results) as server:
        assert server.ask("/cat.jpg").headers[ALLOWED.lower()] == SITE
        answers = {
            413: server.ask("/cat.jpg", "POST", bytes(SMALL_BODY + 1)),
            403: server.ask("/cat.jpg", Host="elsewhere.example"),
        }
        assert {status: answer.status for status, answer in answers.items()} == {status: status for status in answers}
        assert {status: answer.headers.get(ALLOWED.lower()) for status, answer in answers.items()} == dict.fromkeys(
            answers, SITE
        )
        closed = server.ask("/_api/images", Host="elsewhere.example")
        assert (closed.status, closed.headers.get(ALLOWED.lower())) == (403, None)

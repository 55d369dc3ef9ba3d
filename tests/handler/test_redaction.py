"""Logs hold no secret of an address, however it is nested or encoded, and everything else as it was."""

from __future__ import annotations

import json
import time
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client import Client

from handler.observability.redaction import redact_address, redact_text

SECRET = "s3cr3t-Value_0"
NAMES = ["signature", "proof", "token", "access_token", "apiKey", "api-key", "X-Amz-Signature", "sig",
         "X-Amz-Security-Token", "password", "X-Amz-Credential", "client_secret", "SIGNATURE",
         "s%69gnature", "%2574oken"]  # fmt: skip
PATH_SIGNATURE = "AbCdEfGhIjKlMnOpQrStUvWxY-_="
INNER = st.sampled_from(
    [f"/cat.jpg?{name}={SECRET}" for name in NAMES]
    + [f"/cat.jpg?width=3&{name}={SECRET}&height=2" for name in NAMES]
    + [f"https://images.example/cat.jpg?{name}={SECRET}#x" for name in NAMES]
    + [f"https://user:{SECRET}@images.example/cat.jpg", f"/cat.jpg#access_token={SECRET}"]
    + [f"{origin}/{PATH_SIGNATURE}/30x0/cat.jpg" for origin in ("", "https://images.example", "//images.example")]
    + [f"/{quote(PATH_SIGNATURE)}/cat.jpg", f"/{PATH_SIGNATURE}%2F30x0/cat.jpg", f"/%41{PATH_SIGNATURE[1:]}/cat.jpg"]
)
SAFE = st.sampled_from(["", "/", "/:?=", "/:?=&"])


def redacted(address: str) -> str:
    path, _, query = address.partition("?")
    return redact_address(path, query)


@given(INNER, st.lists(st.tuples(st.sampled_from(["url", "next", "a.b"]), SAFE), max_size=8))
def test_a_secret_is_found_wherever_it_is(address: str, levels: list[tuple[str, str]]) -> None:
    for name, safe in levels:
        address = f"/_api/explain?{name}={quote(address, safe=safe)}&to=json"
    shown = redacted(address)
    for _ in range(12):
        assert SECRET not in shown
        assert PATH_SIGNATURE[1:] not in shown
        shown = unquote(shown)


@pytest.mark.parametrize(
    "address",
    [
        "/cat.jpg",
        "/photos/a%20b+c.jpg?width=300&format=webp&rotate.background=%23ff0000",
        "/eyJrZXkiOiJjYXQuanBnIn0=?v=50%25=1/2&download=a+b%2Bc.jpg",
        "/unsafe/30x20/filters:watermark(a.png,0,0,10)/https://h.example/cat.jpg?expires=20991231T235959Z",
        "/_api/explain?url=%2Fcat.jpg%3Fwidth%3D3",
        "/x?signature=&flip&key=a/b.png&watermark.key=logo.png&watermark.opacity=3",
        f"/{PATH_SIGNATURE}",
        "/x?y=%zz%",
    ],
)
def test_everything_else_stays_as_it_was(address: str) -> None:
    assert redacted(address) == address


def test_what_is_around_a_secret_stays_readable() -> None:
    shown = redacted(f"/_api/explain?url=%2Fcat.jpg%3Fwidth%3D3%26signature%3D{SECRET}&to=json")
    assert shown == "/_api/explain?url=/cat.jpg%3Fwidth%3D3%26signature%3D…&to=json"
    assert redacted(f"/x?{quote(f'a=1&token={SECRET}')}&b=2") == "/x?a%3D1%26token%3D…&b=2"
    assert redact_text(f"got '/cat.jpg?proof={SECRET}'") == "got '/cat.jpg?proof=…'"


@pytest.mark.parametrize(
    "address",
    [
        "/x?a=" + "%25" * 2700,
        "/x?" + "a%2525" * 1300,
        "/x?" + "a=" * 4000,
        "/x?" + "?a=" * 2600,
        "/" + "%2525" * 1600 + "=",
        "/" + "/a%3Db" * 1300,
        "/x?url=" + "https://a:b@" * 600,
    ],
)
def test_long_addresses_take_no_long_time(address: str) -> None:
    started = time.thread_time()
    redacted(address)
    assert time.thread_time() - started < 0.5


def test_the_line_of_a_request_holds_no_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client = Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}"})
    for address in (
        f"/cat.jpg%3Fsignature={SECRET}",
        f"/_api/explain?url=cat.jpg%3Ftoken={SECRET}",
        f"/{PATH_SIGNATURE}%2Fcat.jpg",
    ):
        client.get(address)
    logged = capsys.readouterr().out
    assert len([json.loads(line) for line in logged.splitlines()]) == 3
    assert SECRET not in logged
    assert PATH_SIGNATURE not in logged

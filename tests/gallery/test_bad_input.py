"""Whatever a client sends to the gallery's API, the answer is no fault of the server and no other visitor's picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import pictures
from tests.client import Client
from tests.forms import BOUNDARY
from tests.gallery.conftest import gallery_settings
from tests.gallery.visiting import API, Browser, encode_picture, over_events

PNG = pictures.png(pictures.scene(20, 10))
NAMES = (
    "name",
    "image",
    "bytes",
    "type",
    "sha256",
    "duplicate",
    "recipe",
    "edits",
    "side",
    "seconds",
    "result",
    "code",
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
ROUTES = ("session", "devices", "pictures", "uploads", "pictures/{id}", *(
    f"pictures/{{id}}/{action}" for action in ("results", "results/x", "preview", "share", "retry")
))  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    folder = tmp_path_factory.mktemp("gallery")
    more = {"GALLERY_UPLOADS_PER_HOUR": "1000000", "USER_LIMIT": "100000", "AWS_LAMBDA_FUNCTION_NAME": "images"}
    client = Client(gallery_settings(folder, **more))
    yield Browser(over_events(client))
    assert client.application.records is not None
    client.application.records().close()


@pytest.fixture(scope="module")
def picture(browser: Browser) -> str:
    return str(browser.upload(PNG).json()["id"])


def expect_answer(status: int, body: bytes) -> None:
    """Check that an answer is a result, or a refusal with a code and a message."""
    assert status in (200, 201, 202, 204) or 400 <= status < 500, (status, body)
    if status >= 400:
        assert set(json.loads(body)) >= {"status", "code", "message"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    route=st.sampled_from(ROUTES),
    method=st.sampled_from(["POST", "PUT", "PATCH"]),
    fields=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4),
)
def test_any_json_is_answered(browser: Browser, picture: str, route: str, method: str, fields: dict[str, Any]) -> None:
    body = json.dumps(fields).encode()
    reply = browser.ask(method, "/" + route.replace("{id}", picture), body, Content_Type="application/json")
    expect_answer(reply.status, reply.body)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(route=st.sampled_from(ROUTES), body=st.binary(max_size=60), kind=st.sampled_from(["form", "json", ""]))
def test_any_bytes_are_answered(browser: Browser, picture: str, route: str, body: bytes, kind: str) -> None:
    kinds = {"form": f"multipart/form-data; boundary={BOUNDARY}", "json": "application/json", "": ""}
    reply = browser.ask("POST", "/" + route.replace("{id}", picture), body, Content_Type=kinds[kind])
    expect_answer(reply.status, reply.body)


@given(at=st.integers(0, 400), inserted=st.binary(max_size=6))
def test_any_damaged_form_is_answered(browser: Browser, at: int, inserted: bytes) -> None:
    body = encode_picture({"name": "Cat.png", "duplicate": "allow"}, PNG)
    damaged = body[: at % len(body)] + inserted + body[at % len(body) + len(inserted) :]
    reply = browser.ask("POST", "/pictures", damaged, Content_Type=f"multipart/form-data; boundary={BOUNDARY}")
    expect_answer(reply.status, reply.body)


@given(st.text(max_size=60))
def test_any_cookie_is_answered(browser: Browser, text: str) -> None:
    header = text.encode(errors="replace").decode("latin-1")
    reply = browser.send("GET", f"{API}/pictures", {"Cookie": f"__Host-gallery={header}; other"}, b"")
    assert (reply.status, json.loads(reply.body)["pictures"]) == (200, [])


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_origin_and_site_is_answered(browser: Browser, origin: str, site: str) -> None:
    reply = browser.ask("POST", "/devices", Origin=origin, Sec_Fetch_Site=site)
    expect_answer(reply.status, reply.body)

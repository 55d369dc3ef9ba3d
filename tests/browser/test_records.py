"""The page of records: what the operator sees of uploads, and does about them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from tests import pictures
from tests.browser.conftest import Open
from tests.browser.pages import DESKTOP, PHONE, SECONDS, Demo
from tests.browser.test_first_view import violations
from tests.local_server import Server, serving

TOKEN = "the operator's own token"
PAGE = "/_demo/records.html"
KEYS = {"photos/cat.jpg": pictures.jpeg(), "photos/dog.png": pictures.png(), "notes.png": b"this is text"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records")
    (folder / "images").mkdir()
    (folder / "token").write_text(TOKEN, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def uploads(folder: Path) -> Iterator[Server]:
    """A server with a token and three uploads, one of which is no image."""
    options = ("--uploads", str(folder / "state"))
    with serving(folder / "images", *options, OPERATOR_TOKEN_FILE=str(folder / "token")) as server:
        authorization = f"Bearer {TOKEN}"
        for key, body in KEYS.items():
            assert server.ask(f"/_api/uploads/{key}", "PUT", body, Authorization=authorization).status == 201
        until = time.monotonic() + 120
        while True:
            listed = json.loads(server.ask("/_api/records", Authorization=authorization).body)["records"]
            if all(record["status"] in ("ready", "rejected") for record in listed):
                break
            assert time.monotonic() < until, listed
            time.sleep(0.1)
        yield server


def _enter(demo: Demo, token: str = TOKEN) -> None:
    dialog = demo.page.get_by_role("dialog")
    dialog.get_by_label("Token", exact=True).fill(token)
    dialog.get_by_role("button", name="Continue").click()


def _open(demo: Demo, state: str = "") -> None:
    demo.page.goto(f"{demo.origin}{PAGE}{state}")
    _enter(demo)
    expect(demo.locate("#table")).to_have_attribute("aria-busy", "false", timeout=SECONDS)
    expect(demo.locate("#fault")).to_be_hidden()


def _row(demo: Demo, key: str) -> Locator:
    return demo.page.get_by_role("row").filter(has=demo.page.get_by_role("rowheader", name=key))


def test_only_the_operator_sees_records(visit: Open, uploads: Server) -> None:
    with visit(uploads, wants="401") as demo:
        demo.page.goto(f"{demo.origin}{PAGE}")
        expect(demo.page.get_by_role("dialog")).to_contain_text("Records are for the operator")
        _enter(demo, "a guess")
        expect(demo.page.get_by_role("dialog")).to_contain_text("not accepted")
        _enter(demo)
        expect(_row(demo, "photos/cat.jpg")).to_be_visible()
        demo.page.reload()
        expect(_row(demo, "photos/cat.jpg")).to_be_visible()
        for kept in (demo.page.content(), demo.page.url, demo.page.evaluate("JSON.stringify({...localStorage})")):
            assert TOKEN not in kept
    with visit(uploads, wants="401") as demo:
        demo.page.goto(f"{demo.origin}{PAGE}")
        demo.page.get_by_role("dialog").get_by_role("button", name="Not now").click()
        expect(demo.locate("#fault")).to_contain_text("Without the token")


def test_a_row_shows_state_facts_and_variants(visit: Open, uploads: Server) -> None:
    with visit(uploads, wants="401") as demo:
        _open(demo)
        cat, notes = _row(demo, "photos/cat.jpg"), _row(demo, "notes.png")
        expect(cat.locator(".badge")).to_have_text("Ready")
        expect(cat).to_contain_text(f"{pictures.WIDTH} × {pictures.HEIGHT}")
        image = cat.get_by_role("img", name="thumbnail of photos/cat.jpg")
        expect(image).to_be_visible()
        assert image.evaluate("image => image.naturalWidth") > 0
        expect(notes.locator(".badge")).to_have_text("Rejected")
        expect(notes.locator(".reason")).to_contain_text("UnsupportedMediaType")
        expect(notes.get_by_role("button", name="Retry notes.png")).to_be_visible()


def test_filters_are_kept_in_the_url(visit: Open, uploads: Server) -> None:
    with visit(uploads, wants="401") as demo:
        _open(demo)
        demo.page.get_by_role("radio", name="Rejected").check()
        expect(_row(demo, "photos/cat.jpg")).to_have_count(0)
        expect(_row(demo, "notes.png")).to_be_visible()
        assert demo.page.url.endswith("#status=rejected")
        demo.page.get_by_role("radio", name="All").check()
        demo.page.get_by_label("Key begins with").fill("photos/")
        expect(_row(demo, "notes.png")).to_have_count(0)
        expect(demo.locate("#source")).to_have_value("uploads")
        expect(demo.locate("#note")).to_have_text("2 records")
        demo.page.get_by_label("Key begins with").fill("nothing/")
        expect(demo.locate("#empty")).to_be_visible()
        demo.page.goto(f"{demo.origin}{PAGE}#source=uploads&prefix=photos%2Fd")
        expect(_row(demo, "photos/dog.png")).to_be_visible()
        expect(demo.locate("#note")).to_have_text("1 record")


def test_a_rejected_original_is_retried_after_it_was_mended(visit: Open, uploads: Server, folder: Path) -> None:
    with visit(uploads, wants="401") as demo:
        _open(demo)
        (folder / "state" / "originals" / "notes.png").write_bytes(pictures.png())
        _row(demo, "notes.png").get_by_role("button", name="Retry notes.png").press("Enter")
        expect(demo.locate("#note")).to_contain_text("notes.png is processed again")
        expect(_row(demo, "notes.png").locator(".badge")).to_have_text("Ready", timeout=SECONDS)
        expect(_row(demo, "notes.png").get_by_role("img")).to_be_visible()


def test_an_original_is_deleted_after_a_question(visit: Open, uploads: Server, folder: Path) -> None:
    with visit(uploads, wants="401") as demo:
        _open(demo)
        original = folder / "state" / "originals" / "photos" / "dog.png"
        _row(demo, "photos/dog.png").get_by_role("button", name="Delete").click()
        dialog = demo.page.get_by_role("dialog")
        expect(dialog).to_contain_text("photos/dog.png and its variant will be deleted")
        dialog.get_by_role("button", name="Keep it").click()
        assert original.exists()
        _row(demo, "photos/dog.png").get_by_role("button", name="Delete").click()
        demo.page.keyboard.press("Escape")
        assert original.exists()
        _row(demo, "photos/dog.png").get_by_role("button", name="Delete").click()
        dialog.get_by_role("button", name="Delete", exact=True).click()
        expect(_row(demo, "photos/dog.png").locator(".badge")).to_have_text("Deleted", timeout=SECONDS)
        assert not original.exists()


def test_a_long_list_has_pages(visit: Open, uploads: Server) -> None:
    with visit(uploads, wants="401") as demo:
        demo.page.route(
            "**/_api/records?*", lambda route: route.continue_(url=route.request.url.replace("limit=50", "limit=1"))
        )
        _open(demo)
        expect(demo.locate("#note")).to_have_text("1 record so far")
        demo.page.get_by_role("button", name="Show more").click()
        expect(demo.locate("#note")).to_contain_text("2 records")


def test_an_error_is_told_in_words(visit: Open, uploads: Server) -> None:
    with visit(uploads, wants="40[01]|503") as demo:
        _open(demo)
        fault = {"status": 503, "code": "TooManyRequests", "message": "every worker is taken"}
        demo.page.route("**/reprocess", lambda route: route.fulfill(status=503, json=fault))
        _row(demo, "photos/cat.jpg").get_by_role("button", name="Reprocess").click()
        expect(demo.locate("#fault")).to_have_text("The service is busy. every worker is taken")


def test_a_service_without_records_says_so(visit: Open, server: Server) -> None:
    with visit(server, wants="404") as demo:
        demo.page.goto(f"{demo.origin}{PAGE}")
        expect(demo.locate("#fault")).to_contain_text("RECORDS")
        box = demo.locate("#fault").bounding_box()
        filters = demo.locate("#filters").bounding_box()
        assert box
        assert filters
        assert box["x"] >= 0
        assert box["y"] >= filters["y"] + filters["height"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_for_everybody(visit: Open, uploads: Server, size: tuple[int, int], scheme: str) -> None:
    """axe-core finds nothing, and nothing is wider than the screen."""
    with visit(uploads, size, scheme=scheme, wants="401") as demo:
        _open(demo)
        expect(_row(demo, "photos/cat.jpg").get_by_role("img")).to_be_visible()
        found = {"a list": violations(demo)}
        assert demo.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        _row(demo, "photos/cat.jpg").get_by_role("button", name="Delete").click()
        found["the question"] = violations(demo)
        demo.page.keyboard.press("Escape")
        demo.page.goto(f"{demo.origin}{PAGE}#prefix=nothing")
        expect(demo.locate("#empty")).to_be_visible()
        found["an empty list"] = violations(demo)
    assert {state: wrong for state, wrong in found.items() if wrong} == {}

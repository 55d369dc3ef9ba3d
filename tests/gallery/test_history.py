"""The history of a visitor: lists, search, polling, results and links."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sqlalchemy import Engine, event
from tests import pictures
from tests.client import Client, size
from tests.gallery.conftest import gallery_settings
from tests.gallery.visiting import Browser, over_events
from tests.handler.test_reference import DOCUMENT

PNG = pictures.png(pictures.scene(60, 40))


def image(number: int) -> bytes:
    return pictures.png(pictures.scene(20 + number, 20))


def test_the_latest_upload_comes_first_whatever_changes_later(browser: Browser) -> None:
    names = [f"Picture {number}.png" for number in range(5)]
    kept = [browser.keep(image(number), name)["id"] for number, name in enumerate(names)]
    browser.post(f"/pictures/{kept[0]}", "PATCH", name="Renamed")
    assert [each["id"] for each in browser.pictures()] == kept[::-1]


def test_pages_follow_one_another_while_pictures_come_and_go(browser: Browser) -> None:
    kept = [browser.keep(image(number))["id"] for number in range(5)]
    first = browser.ask("GET", "/pictures?limit=2").json()
    assert ([each["id"] for each in first["pictures"]], first["used"], first["limit"]) == (kept[:2:-1], 5, 50)
    browser.keep(image(9))
    browser.ask("DELETE", f"/pictures/{first['pictures'][1]['id']}")
    second = browser.ask("GET", f"/pictures?limit=2&cursor={first['cursor']}").json()
    assert [each["id"] for each in second["pictures"]] == [kept[2], kept[1]]
    last = browser.ask("GET", f"/pictures?limit=2&cursor={second['cursor']}").json()
    assert ([each["id"] for each in last["pictures"]], last["cursor"]) == ([kept[0]], None)
    for query in ("limit=0", "limit=201", "cursor=x", "cursor=" + "A" * 32, "page=2", "limit=1&limit=2"):
        assert browser.ask("GET", f"/pictures?{query}").status == 400, query


def test_a_search_finds_parts_of_names_in_any_case(browser: Browser) -> None:
    for number, name in enumerate(("Straße.png", "Garden.png", "gardener.png")):
        browser.keep(image(number), name)
    found = browser.ask("GET", "/pictures?search=GARDEN").json()
    assert ([each["name"] for each in found["pictures"]], found["used"]) == (["gardener.png", "Garden.png"], 3)
    assert [each["name"] for each in browser.ask("GET", "/pictures?search=STRASSE").json()["pictures"]] == [
        "Straße.png"
    ]


def test_polling_is_answered_without_a_body_until_something_changes(browser: Browser) -> None:
    picture = browser.keep(PNG)
    first = browser.ask("GET", "/pictures")
    assert (first.headers["cache-control"], first.headers["vary"]) == ("private, no-cache", "Cookie")
    for sent in (first.headers["etag"], f'"x", W/{first.headers["etag"]}'):
        unchanged = browser.ask("GET", "/pictures", If_None_Match=sent)
        assert (unchanged.status, unchanged.body) == (304, b"")
    browser.post(f"/pictures/{picture['id']}", "PATCH", name="Other")
    assert browser.ask("GET", "/pictures", If_None_Match=first.headers["etag"]).status == 200


def test_answers_are_as_openapi_says(browser: Browser) -> None:
    picture = browser.keep(PNG)
    made = browser.post(f"/pictures/{picture['id']}/results", recipe="smaller").json()
    composed = browser.post(f"/pictures/{picture['id']}/results", edits={"flip": True}).json()
    rejected = browser.wait(browser.upload(b"no image at all", "Letter.png").json()["id"])
    granted = browser.post("/pictures", name="Soon.png", bytes=10).json()
    for name, value in (
        ("GallerySession", browser.ask("GET", "/session").json()),
        ("GalleryPicture", browser.ask("GET", f"/pictures/{picture['id']}").json()),
        ("GalleryPicture", rejected),
        ("GalleryPicture", granted),
        ("GalleryResult", made),
        ("GalleryResult", composed),
    ):
        schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
        jsonschema.validate(value, schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("kind", ["heic", "svg", "gif", "avif", "tiff"])
def test_everything_that_the_handler_reads_can_be_kept_and_seen(browser: Browser, kind: str) -> None:
    picture = browser.keep(getattr(pictures, kind)(), f"Picture.{kind}")
    for name in ("view", "thumbnail"):
        shown = browser.fetch(picture["original"][name])
        assert (shown.status, shown.headers["content-type"]) == (200, "image/webp")


def elements(text: str) -> list[tuple[str, dict[str, str]]]:
    """Return each element with its attributes."""
    found = re.findall(r'<(\w+)((?: \w+="[^"<>]*")*)>', text)
    assert re.sub(r'</?\w+(?: \w+="[^"<>]*")*>', "", text) == ""
    return [
        (tag, {name: unescape(value) for name, value in re.findall(r'(\w+)="([^"]*)"', attributes)})
        for tag, attributes in found
    ]


def test_a_shared_link_expires_and_shows_one_result(browser: Browser) -> None:
    name = 'A "quoted" <name>.png'
    picture = browser.keep(PNG, name)
    result = browser.post(f"/pictures/{picture['id']}/results", recipe="smart-square").json()
    shared = browser.post(f"/pictures/{picture['id']}/share", result=result["id"], seconds=3600).json()
    left = datetime.fromisoformat(shared["expires"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    assert size(browser.fetch(shared["url"]).body) == (1080, 1080)
    [(tag, attributes)] = elements(shared["html"]["img"])
    assert (tag, attributes["src"], attributes["alt"]) == ("img", shared["url"], name)
    assert [tag for tag, _ in elements(shared["html"]["picture"])] == ["picture", "source", "img"]
    longest = browser.post(f"/pictures/{picture['id']}/share", seconds=30 * 86_400).json()
    assert longest["expires"] == picture["expires"]  # the picture itself is kept no longer
    original = browser.post(f"/pictures/{picture['id']}/share", seconds=60).json()
    assert size(browser.fetch(original["url"]).body) == (60, 40)
    for seconds in (59, 30 * 86_400 + 1, "60", None, 60.5):
        assert browser.post(f"/pictures/{picture['id']}/share", seconds=seconds).status == 400, seconds
    assert browser.post(f"/pictures/{picture['id']}/share", result="nothing", seconds=60).code == "no_such_result"
    tampered = shared["url"].replace("expires=2", "expires=3")
    assert (browser.fetch(tampered).status, tampered != shared["url"]) == (403, True)


def test_a_picture_has_a_limited_number_of_results(browser: Browser) -> None:
    picture = browser.keep(PNG)
    path = f"/pictures/{picture['id']}/results"
    assert {browser.post(path, edits={"resize": {"width": 1 + number}}).status for number in range(20)} == {201}
    refused = browser.post(path, recipe="smaller")
    assert (refused.status, refused.code) == (409, "too_many_results")
    assert browser.post(path, edits={"resize": {"width": 1}}).status == 200


@pytest.mark.parametrize("fields", [{}, {"recipe": "smaller", "edits": {"flip": True}}, {"recipe": "x"}, {"recipe": 1}])
def test_a_result_needs_a_recipe_or_edits(browser: Browser, fields: dict[str, Any]) -> None:
    picture = browser.keep(PNG)
    assert browser.post(f"/pictures/{picture['id']}/results", **fields).status == 400


@pytest.mark.parametrize(
    "name",
    ["", " ", "x" * 201, "line\nbreak", "\u200d", "a\u2028b", "a\u202egpj.exe", "\x7f", 5, None, ["a"]],
)
def test_a_name_is_one_line_of_text(browser: Browser, name: object) -> None:
    picture = browser.keep(PNG)
    refused = browser.post(f"/pictures/{picture['id']}", "PATCH", name=name)
    assert (refused.status, "`name`" in refused.json()["message"]) == (400, True)


@pytest.mark.parametrize(
    "name",
    [
        "Screenshot 2026-01-01 at 3.04.05\u202fPM.png",
        "👨\u200d👩\u200d👧.jpg",
        "A\u00a0B.jpg",
        "नमस्\u200cते.png",
        "x" * 200,
    ],
)
def test_a_name_has_what_names_of_files_have(browser: Browser, name: str) -> None:
    assert browser.upload(PNG, name).json()["name"] == name
    granted = browser.post("/pictures", name=name, bytes=len(PNG), type="image/png")
    assert (granted.status, granted.json()["name"]) == (201, name)
    path = f"/pictures/{granted.json()['id']}"
    assert browser.post(path, "PATCH", name=f"b{name[1:]}").json()["name"] == f"b{name[1:]}"


def test_all_pictures_are_deleted_with_the_visitor(browser: Browser) -> None:
    kept = [browser.keep(image(number)) for number in range(3)]
    urls = [each["original"]["url"] for each in kept]
    before = browser.cookie
    deleted = browser.ask("DELETE", "/pictures")
    assert (deleted.status, "Max-Age=0" in deleted.headers["set-cookie"]) == (204, True)
    again = Browser(browser.send, before)
    assert again.pictures() == []
    until = time.monotonic() + 60
    while any(browser.fetch(url).status != 404 for url in urls):
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    client = Client({**gallery_settings(tmp_path), "AWS_LAMBDA_FUNCTION_NAME": "images"})
    yield client
    assert client.application.records is not None
    client.application.records().close()


@contextmanager
def statements() -> Iterator[list[str]]:
    """Return the statements that databases receive in the block."""
    found: list[str] = []

    def add(_: Any, __: Any, statement: str, *___: Any) -> None:
        found.append(statement)

    event.listen(Engine, "before_cursor_execute", add)
    yield found
    event.remove(Engine, "before_cursor_execute", add)


def test_a_list_reads_the_database_once_and_no_store(client: Client, tmp_path: Path) -> None:
    browser = Browser(over_events(client))
    for number in range(3):
        assert browser.upload(image(number)).status == 201
    for path in [path for path in (tmp_path / "gallery").rglob("*") if path.is_file()]:
        path.unlink()
    with statements() as found:
        assert len(browser.pictures()) == 3
    assert [each.partition(" ")[0] for each in found if each != "BEGIN"] == ["SELECT"], found
    with statements() as found:
        assert Browser(browser.send).pictures() == []
    assert found == [], "a new visitor has no pictures"


def test_a_page_of_long_edits_fits_into_an_answer_of_a_function(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser(over_events(client))
    kept = [browser.upload(image(number)).json()["id"] for number in range(5)]
    monkeypatch.setattr("handler.entrypoints.gallery.pictures._MAX_PAGE_BYTES", 1000)
    found: list[str] = []
    cursor: str | None = ""
    pages = 0
    while cursor is not None:
        page = browser.ask("GET", f"/pictures?cursor={cursor}").json()
        assert (len(page["pictures"]) in (1, 2, 3), page["used"]) == (True, 5)
        found += [each["id"] for each in page["pictures"]]
        cursor, pages = page["cursor"], pages + 1
    assert (found, pages > 1) == (kept[::-1], True)

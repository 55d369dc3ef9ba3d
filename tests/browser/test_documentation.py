"""The documentation and the API reference in a browser: search, contents, filter, and URLs to try."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Open
from tests.browser.pages import DESKTOP, PHONE, Demo
from tests.browser.test_first_view import violations
from tests.local_server import Server


def _open(demo: Demo, path: str) -> Demo:
    demo.page.goto(f"{demo.origin}{path}")
    expect(demo.page.locator("html[data-ready=true]")).to_be_attached()
    return demo


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_the_pages_are_accessible_and_fit(visit: Open, server: Server, size: tuple[int, int], scheme: str) -> None:
    """axe-core finds nothing, and nothing is wider than the screen."""
    with visit(server, size, scheme=scheme) as demo:
        for path in ("/_docs/", "/_docs/signing", "/_api/docs"):
            _open(demo, path)
            assert demo.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            if path == "/_api/docs":
                # Every section is made in the same way, and axe-core takes long for all of them.
                demo.locate("#query").fill("extend" if size == DESKTOP else "translate")
                expect(demo.locate(".matches")).to_contain_text("match")
            assert violations(demo) == [], path
        _open(demo, "/_docs/signing").page.keyboard.press("/")
        demo.page.keyboard.type("quality")
        expect(demo.locate("#hits a").first).to_be_visible()
        assert violations(demo) == []
        if size == PHONE:
            demo.page.keyboard.press("Escape")
            demo.page.get_by_role("button", name="Contents").click()
            expect(demo.locate("#sidebar")).to_be_visible()
            assert violations(demo) == []
            demo.locate("#sidebar").get_by_role("link", name="Glossary").click()
            expect(demo.page.get_by_role("heading", level=1)).to_have_text(re.compile("Glossary"))


def test_a_section_is_found_by_what_it_describes(demo: Demo) -> None:
    _open(demo, "/_docs/").page.keyboard.press("/")
    demo.page.keyboard.type("CORS_ORIGIN")
    expect(demo.locate("#hits a").first).to_be_visible()
    demo.page.keyboard.press("ArrowDown")
    demo.page.keyboard.press("Enter")
    expect(demo.page).to_have_url(re.compile("/_docs/configuration"))
    for asked, found in (("custom domain", "/_docs/custom-domain"), ("how do I delete it", "delete-the-stack")):
        demo.locate("#query").fill(asked)
        expect(demo.locate("#hits a").first).to_have_attribute("href", re.compile(found))
    demo.locate("#query").fill("no such words")
    expect(demo.locate("#found-note")).to_have_text("Nothing found. Try another word.")


def test_a_code_block_is_copied(demo: Demo) -> None:
    _open(demo, "/_docs/")
    block = demo.locate(".listing").first
    block.hover()
    block.get_by_role("button", name="Copy").click()
    assert demo.page.evaluate("navigator.clipboard.readText()") == block.locator("code").text_content()


def test_the_contents_of_a_page_follow_the_reader(demo: Demo) -> None:
    _open(demo, "/_docs/signing")
    last = demo.locate("#sections a").last
    last.click()
    expect(last).to_have_attribute("aria-current", "true")
    expect(demo.locate("#sections [aria-current]")).to_have_count(1)


def test_the_reference_shows_what_matches(demo: Demo) -> None:
    _open(demo, "/_api/docs")
    every = demo.locate(".part:visible").count()
    demo.locate("#query").fill("watermark")
    expect(demo.locate(".matches")).to_have_text("1 section matches.")
    expect(demo.locate("#watermark")).to_be_visible()
    expect(demo.locate("#sidebar a:visible")).to_have_text(["watermark"])
    demo.locate("#query").fill("")
    expect(demo.locate(".part:visible")).to_have_count(every)


def test_a_url_of_the_reference_is_tried(visit: Open, server: Server) -> None:
    with visit(server, wants="400") as demo:
        _open(demo, "/_api/docs#rotate")
        section = demo.locate("#rotate")
        field, image = section.locator("textarea"), section.locator("figure img")
        field.fill("/photos/cat.jpg?width=90&rotate=90")
        section.get_by_role("button", name="Try it").click()
        expect(section.locator(".note")).to_contain_text("200 · image/jpeg")
        expect(image).to_have_attribute("src", re.compile("^blob:"))
        assert image.evaluate("image => image.decode().then(() => image.naturalHeight)") == 90
        field.fill("/photos/cat.jpg?rotate=much")
        field.press("Enter")
        expect(section.locator(".note.wrong")).to_contain_text("rotate.angle")
        report = demo.locate("#info")
        report.get_by_role("button", name="Try it").click()
        expect(report.locator("pre")).to_contain_text('"width"')

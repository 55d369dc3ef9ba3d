"""The gallery's page at every size, in both schemes, by keyboard, in two languages: small, and for everybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.browser import gallery_page as gallery
from tests.browser.conftest import Open
from tests.browser.pages import DESKTOP, PHONE, SECONDS, Demo
from tests.browser.test_first_view import violations
from tests.local_server import Server

TABLET = (820, 1180)
MAX_BYTES = 150_000


def test_the_first_view_is_small(visit: Open, served: Server) -> None:
    """Bytes as they go over the wire, and nothing of them is fetched in vain."""
    with visit(served) as demo:
        session = demo.page.context.new_cdp_session(demo.page)
        session.send("Network.enable")
        sizes: list[float] = []
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        gallery.open_gallery(demo)
    assert len(sizes) > 15
    assert sum(sizes) < MAX_BYTES


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_for_everybody(visit: Open, served: Server, size: tuple[int, int], scheme: str, tmp_path: Path) -> None:
    """axe-core finds nothing, in any of the page's main states."""
    (tmp_path / "notes.png").write_bytes(b"this is text")
    with visit(served, size, scheme=scheme) as demo:
        gallery.open_gallery(demo)
        found = {"first visit": violations(demo)}
        gallery.choose(demo, "cat.jpg")
        expect(demo.locate("#share")).to_be_visible(timeout=SECONDS)
        gallery.apply(demo, "Smaller file")
        expect(demo.locate('[data-tile="fewer-colours"] img')).to_be_visible(timeout=SECONDS)
        found["a result"] = violations(demo)
        demo.locate("#share").click()
        expect(demo.locate("#share-text")).not_to_have_value("")
        found["share"] = violations(demo)
        demo.page.get_by_role("dialog").get_by_role("button", name="Close").click()
        gallery.back(demo)
        gallery.choose(demo, "cat.jpg", tmp_path / "notes.png")
        expect(demo.locate("#queue")).to_contain_text("You have this picture already")
        expect(gallery.shot(demo, "notes.png").locator(".reason")).to_be_visible(timeout=SECONDS)
        demo.page.get_by_role("button", name="Select all").click()
        found["history, queue and selection"] = violations(demo)
        gallery.shot(demo, "notes.png").get_by_role("button", name="Delete notes.png").click()
        demo.page.get_by_role("button", name="Delete all of mine").click()
        found["a notice and a question"] = violations(demo)
    assert {state: wrong for state, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("size", [DESKTOP, TABLET, PHONE], ids=["desktop", "tablet", "phone"])
def test_nothing_sticks_out(visit: Open, served: Server, size: tuple[int, int]) -> None:
    with visit(served, size) as demo:
        gallery.open_gallery(demo)
        assert _overflow(demo) == 0
        gallery.keep(demo, "cat.jpg", "coffee.jpg")
        demo.page.get_by_role("button", name="Select all").click()
        assert _overflow(demo) == 0
        demo.page.get_by_role("button", name="Select none").click()
        gallery.shot(demo, "cat.jpg").locator(".shot-image").click()
        gallery.apply(demo, "Smaller file")
        assert _overflow(demo) == 0
        for name in ("stage", "download", "share", "picture-name"):
            box = demo.locate(f"#{name}").bounding_box()
            assert box, name
            assert box["x"] >= 0, name
            assert box["x"] + box["width"] <= size[0], name
            assert name != "download" or box["y"] + box["height"] <= size[1], "the primary button is in sight"


def _overflow(demo: Demo) -> int:
    return int(demo.page.evaluate("Math.max(0, document.documentElement.scrollWidth - innerWidth)"))


def test_at_twice_the_size_everything_is_reached(visit: Open, served: Server) -> None:
    """200 % of a window of 1280 pixels has the room of 640."""
    with visit(served, (640, 400)) as demo:
        gallery.open_gallery(demo)
        gallery.keep(demo, "cat.jpg")
        gallery.shot(demo, "cat.jpg").locator(".shot-image").click()
        gallery.apply(demo, "Smaller file")
        assert _overflow(demo) == 0
        demo.locate("#share").click()
        expect(demo.page.get_by_role("dialog").get_by_role("button", name="Copy")).to_be_in_viewport()


def test_the_keyboard_does_everything(visit: Open, served: Server) -> None:
    with visit(served) as demo:
        gallery.open_gallery(demo)
        gallery.keep(demo, "cat.jpg", "coffee.jpg")
        press, page = demo.page.keyboard.press, demo.page
        page.locator("body").focus()
        press("/")
        expect(demo.locate("#search")).to_be_focused()
        press("Tab")
        expect(gallery.shot(demo, gallery.names(demo)[0]).locator(".shot-image")).to_be_focused()
        press("Enter")
        expect(demo.locate("#picture")).to_be_visible()
        gallery.tile(demo, "Smaller file").focus()
        press("Enter")
        expect(demo.locate("#download")).to_be_visible(timeout=SECONDS)
        gallery.settle(demo)
        expect(gallery.tile(demo, "Smaller file")).to_be_focused()
        expect(demo.locate("#announcement")).to_contain_text("Smaller file is done.")
        demo.locate("#split").focus()
        press("ArrowLeft")
        expect(demo.locate("#split")).to_have_attribute("aria-valuenow", "48")
        press("Escape")
        expect(demo.locate("#home")).to_be_visible()
        opened = page.locator(".shot-image:focus")
        expect(opened).to_have_count(1)
        press("Delete")
        expect(demo.locate(".shot")).to_have_count(1)
        expect(page.locator(".shot-image:focus")).to_have_count(1)
        page.get_by_role("button", name="Undo").focus()
        press("Enter")
        expect(demo.locate(".shot")).to_have_count(2)


def test_german_is_spoken_to_germans_and_the_choice_is_kept(browser: Browser, served: Server) -> None:
    context = browser.new_context(locale="de-AT")
    demo = Demo(context.new_page(), served)
    gallery.open_gallery(demo)
    expect(demo.locate("html")).to_have_attribute("lang", "de")
    expect(demo.page).to_have_title("Galerie")
    expect(demo.locate("#welcome-title")).to_contain_text("Bilder hierher ziehen")
    expect(demo.locate("#promise")).to_contain_text("nach 30 Tagen gelöscht")
    body = '{"status": 502, "code": "UpstreamError", "message": "the records cannot be read"}'
    refuse = {"status": 502, "content_type": "application/json", "body": body}
    demo.page.route("**/_api/gallery/devices", lambda route: route.fulfill(**refuse))
    demo.page.get_by_role("button", name="Anderes Gerät").click()
    expect(demo.page.get_by_role("alert")).to_contain_text("Ein Speicher oder ein anderer Dienst hat versagt.")
    expect(demo.page.get_by_role("alert").locator("[lang=en]")).to_have_text("the records cannot be read")
    demo.page.get_by_label("Sprache").select_option("en")
    expect(demo.locate("#welcome-title")).to_contain_text("Drop pictures here")
    gallery.open_gallery(demo)
    expect(demo.locate("html")).to_have_attribute("lang", "en")
    context.close()


def test_another_language_is_one_more_file(visit: Open, served: Server) -> None:
    """The page lists the files that there are; a text that a file lacks is no error."""
    with visit(served) as demo:
        shown = demo.page.request.get(f"{demo.origin}{gallery.HOME}").text()
        assert '<meta name="languages" content="de en">' in shown
        french = shown.replace('content="de en"', 'content="de en fr"')
        demo.page.route(f"**{gallery.HOME}", lambda route: route.fulfill(body=french, content_type="text/html"))
        texts = '{"gallery.title": "Galerie à moi"}'
        demo.page.route("**/messages/fr.json", lambda route: route.fulfill(body=texts, content_type="application/json"))
        gallery.open_gallery(demo)
        demo.page.get_by_label("Language").select_option("fr")
        expect(demo.page).to_have_title("Galerie à moi")


def test_with_forced_colours_the_choice_is_visible(visit: Open, served: Server) -> None:
    with visit(served) as demo:
        gallery.open_gallery(demo)
        gallery.choose(demo, "cat.jpg")
        expect(demo.locate("#share")).to_be_visible(timeout=SECONDS)
        gallery.apply(demo, "Smaller file")
        demo.page.emulate_media(forced_colors="active")
        style = "element => getComputedStyle(element).outlineStyle"
        assert gallery.tile(demo, "Smaller file").evaluate(style) == "solid"
        assert gallery.tile(demo, "Smart square").evaluate(style) == "none"

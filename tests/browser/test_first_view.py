"""What a visitor gets before he has done anything: small, by itself, usable at every size and for everybody."""

from __future__ import annotations

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect
from tests.browser.conftest import Open
from tests.browser.pages import DESKTOP, HOME, PHONE, SECONDS, Demo, tab
from tests.local_server import Server

TABLET = (1024, 768)
MOST_BYTES = 170_000


def test_a_picture_its_original_and_its_figures(demo: Demo) -> None:
    demo.open()
    assert demo.path == "/photos/astronaut.jpg?format=auto"
    assert demo.size() == (512, 512)
    expect(demo.locate("#before")).to_be_visible()
    assert demo.result == "512 × 512 · 17.1 kB · AVIF"
    assert demo.locate("#fact-original").inner_text() == "512 × 512 · 56.3 kB · JPEG"
    assert demo.locate("#saving").inner_text() == "−70 %"
    assert re.fullmatch(r"[\d.]+ m?s · cache: miss", demo.locate("#fact-time").inner_text())


def test_the_images_column_shows_pictures_and_nothing_else(demo: Demo) -> None:
    demo.open()
    names = demo.locate(".thumb span").all_inner_texts()
    assert names[0] == "astronaut.jpg"
    assert {"cat.jpg", "launch.webp", "logo.png", "logo.svg"} < set(names)
    assert "CREDITS.md" not in names
    expect(demo.locate('.thumb[aria-current="true"]')).to_have_text("astronaut.jpg")
    demo.page.get_by_role("button", name="cat.jpg").click()
    demo.settled()
    assert demo.path == "/photos/cat.jpg?format=auto"
    assert demo.size() == (451, 300)


@pytest.mark.parametrize(("locale", "texts"), [("en-US", "en"), ("de-AT", "de")])
def test_it_is_small(browser: Browser, server: Server, locale: str, texts: str) -> None:
    """Bytes as they go over the wire; how long it takes is measured by bench/demo_page.py."""
    with tab(browser, server, locale=locale) as demo:
        session = demo.page.context.new_cdp_session(demo.page)
        session.send("Network.enable")
        sizes: dict[str, float] = {}
        kinds: dict[str, str] = {}
        session.on("Network.responseReceived", lambda said: kinds.update({said["requestId"]: said["response"]["url"]}))
        session.on("Network.loadingFinished", lambda said: sizes.update({said["requestId"]: said["encodedDataLength"]}))
        demo.open()
    own = {url: sizes.get(request, 0) for request, url in kinds.items() if HOME in url or "/_api/" in url}
    assert len(own) > 10
    names = {url.rpartition("/")[2] for url in own if url.endswith(".json")}
    catalogue = "features.json" if texts == "en" else f"features.{texts}.json"
    assert {name for name in names if name.startswith(("features", "de", "en"))} == {f"{texts}.json", catalogue}
    assert sum(own.values()) < MOST_BYTES


@pytest.mark.parametrize("size", [DESKTOP, TABLET, PHONE], ids=["desktop", "tablet", "phone"])
def test_nothing_sticks_out(visit: Open, server: Server, size: tuple[int, int]) -> None:
    with visit(server, size) as demo:
        demo.open()
        assert demo.page.evaluate("document.documentElement.scrollWidth") <= size[0]
        for name in ("stage", "copy", "key", "panel-search"):
            box = demo.locate(f"#{name}").bounding_box()
            assert box
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= size[0]


def test_on_a_phone_the_picture_stays_in_sight(visit: Open, server: Server) -> None:
    with visit(server, PHONE) as demo:
        demo.open("/photos/coffee.jpg?width=300")
        demo.card("grayscale").scroll_into_view_if_needed()
        demo.card("grayscale").get_by_role("switch").tap()
        demo.settled()
        assert demo.path == "/photos/coffee.jpg?width=300&grayscale=true"
        stage = demo.locate("#stage").bounding_box()
        assert stage
        assert stage["y"] == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_for_everybody(visit: Open, server: Server, size: tuple[int, int], scheme: str) -> None:
    """axe-core finds nothing, in any of the page's main states."""
    with visit(server, size, scheme=scheme, wants="400") as demo:
        demo.open("/photos/coffee.jpg?width=300&height=300&blur=5&format=webp")
        found = {"open": violations(demo)}
        demo.page.evaluate(OPEN_EACH_KIND)
        assert demo.page.evaluate(KINDS) > 12
        found["each kind of control"] = violations(demo, "#controls")
        demo.open("/photos/coffee.jpg?blur=0.1")
        expect(demo.locate("#fault")).to_be_visible()
        found["an error"] = violations(demo)
        demo.open("/photos/coffee.jpg?info=true")
        found["a report"] = violations(demo, "#stage")
        demo.open("side/photos/coffee.jpg?crop.left=10p&crop.top=10p&crop.width=50p&crop.height=50p")
        demo.opened("crop").get_by_role("button", name="Draw the box").click()
        expect(demo.locate(".box")).to_be_focused(timeout=SECONDS)
        found["a box"] = violations(demo, "#stage")
        demo.page.get_by_role("button", name="Done").click()
        demo.page.get_by_role("button", name="All examples").click()
        expect(demo.locate("#examples .thumb img.there").first).to_be_visible()
        found["examples"] = violations(demo, "#examples")
        for dialog in ("chooser", "shortcuts", "naming", "ask"):
            demo.page.evaluate("name => document.getElementById(name).showModal()", dialog)
            found[dialog] = violations(demo, f"#{dialog}")
    assert {state: wrong for state, wrong in found.items() if wrong} == {}


KINDS = (
    """new Set([...document.querySelectorAll(".card-body:not([hidden]) .row")].map((row) => row.dataset.kind)).size"""
)
OPEN_EACH_KIND = """() => {
  // The fewest cards with a control of each kind: all controls of a kind are made by one function.
  document.querySelectorAll(".opener[aria-expanded=true]").forEach((each) => each.click());
  const opened = new Set();
  for (const card of document.querySelectorAll(".card")) {
    card.querySelector(".opener").click();
    card.querySelectorAll('.card-body button.quiet[aria-expanded="false"]').forEach((each) => each.click());
    const kinds = [...card.querySelectorAll(".row")].map((row) => row.dataset.kind);
    if (kinds.every((kind) => opened.has(kind))) card.querySelector(".opener").click();
    kinds.forEach((kind) => opened.add(kind));
  }
}"""


def violations(demo: Demo, part: str = "") -> list[str]:
    """Return what axe-core finds wrong with the page, or with a part of it."""
    answer = Axe().run(demo.page, context=part or None)
    assert len(answer.response["passes"]) > 10
    return [
        f"{each['id']}: {node['html'][:160]} {node['failureSummary']}"
        for each in answer.response["violations"]
        for node in each["nodes"][:3]
    ]


def test_the_colour_scheme_follows_the_system_until_somebody_chooses(visit: Open, server: Server) -> None:
    def brightness(demo: Demo) -> float:
        said = demo.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", said)[:3])) / 3

    with visit(server, scheme="dark") as demo:
        demo.open()
        assert brightness(demo) < 40
        demo.locate("#theme").click()
        assert brightness(demo) > 200
        demo.page.reload()
        assert brightness(demo) > 200
        expect(demo.locate("#theme")).to_have_attribute("aria-label", "Colour scheme: light")


def test_a_new_feature_appears_by_itself(demo: Demo) -> None:
    how_much = {"name": "howMuch", "help": "In stars", "control": "integer", "usual": [1, 9], "default": 3}
    said = json.dumps({"name": "sparkle", "help": "Sparkle.", "group": "wonder", "parameters": [how_much]})
    text = demo.server.ask(f"{HOME}features.json").body.decode().replace('"features": [', f'"features": [{said},')
    demo.page.route("**/features.json", lambda route: route.fulfill(body=text, content_type="application/json"))
    demo.open()
    expect(demo.page.get_by_role("heading", name="Wonder")).to_be_visible()
    row = demo.row("sparkle", "How much")
    expect(row).to_contain_text("In stars")
    expect(row.get_by_role("spinbutton")).to_have_value("3")

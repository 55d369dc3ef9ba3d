"""The demo page in German, and in a language of which every text is marked: none is left outside of messages/."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from tests.browser.pages import SECONDS, Demo
from tests.browser.test_first_view import violations
from tests.local_server import ROOT, Server

MESSAGES = ROOT / "demo-ui" / "messages"
UNMARKED = """() => {
  const marked = /⟦[^⟦⟧]*⟧/g;
  const stripped = (text, rest = text.replace(marked, "")) => (rest === text ? text : stripped(rest));
  const bare = (text) => /[a-z]{2}/i.test(stripped(text).replace(/\\b(kB|MB|ms|px)\\b/g, ""));
  // Code, values of parameters, names of files, formats and languages: the same in every language.
  const same = `script, noscript, svg, code, kbd, option[lang], .thumb span, .tabs, #frameworks option, .facts dd,
    .row option, .row .segmented, .row .pad, .chip, .unit, .formats span, .widths span, #buckets, datalist,
    .links a[href$=".json"]`;
  const names = (name) => (name === "title" ? ".thumb, option, .pad, .segmented" : ".thumb, option, .pad, .chip");
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (bare(data) && !parentElement.closest(same)) found.push(data);
  }
  for (const name of ["aria-label", "title", "placeholder", "alt"]) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      const text = element.getAttribute(name);
      const isExample = name === "placeholder" && element.closest(".row, #prefix");
      if (bare(text) && !isExample && !element.closest(names(name))) found.push(`${name}: ${text}`);
    }
  }
  return [...new Set(found)];
}"""


@pytest.fixture
def german(browser: Browser, server: Server) -> Iterator[Demo]:
    context = browser.new_context(locale="de-AT", viewport={"width": 1440, "height": 900})
    demo = Demo(context.new_page(), server)
    demo.page.set_default_timeout(SECONDS)
    yield demo
    context.close()


def test_errors_have_german_words_and_the_message_of_the_service_in_english(german: Demo) -> None:
    german.open("/photos/coffee.jpg?blur=0.1")
    expect(german.locate("#fault p")).to_have_attribute("lang", "en")
    expect(german.locate(".row.bad .wrong")).to_have_attribute("lang", "en")
    german.open("/photos/coffee.jpg?rotate.angle=abc")
    expect(german.locate("#fault strong")).not_to_have_attribute("lang", "en")
    german.open("/photos/none.jpg?width=300")
    expect(german.locate("#fault strong")).to_have_text("Bild nicht gefunden.")
    expect(german.locate('#fault p[lang="en"]')).to_contain_text("photos/none.jpg")
    german.page.get_by_role("tab", name="Thumbor").click()
    expect(german.locate("#code")).to_contain_text("none.jpg")
    refuse = {"status": 504, "content_type": "application/json"}
    body = json.dumps({"status": 504, "code": "TimeExceeded", "message": "it takes more than 20 s"})
    german.page.route("**/_api/translate?*", lambda route: route.fulfill(**refuse, body=body))
    german.page.get_by_role("tab", name="Base64 JSON").click()
    expect(german.locate("#code-note")).to_have_text("Die Anfrage hat zu lange gedauert. it takes more than 20 s")
    expect(german.locate("#code-note [lang=en]")).to_have_text("it takes more than 20 s")


def test_german_is_shown_to_germans_and_the_choice_is_kept(german: Demo) -> None:
    german.open("/photos/coffee.jpg?width=300&format=webp")
    expect(german.locate("html")).to_have_attribute("lang", "de")
    expect(german.locate("#panel-title")).to_have_text("Bearbeiten")
    expect(german.locate("#fact-original")).to_contain_text("56,1 kB")
    width = german.row("resize", "Breite")
    expect(width.get_by_role("spinbutton")).to_have_value("300")
    german.page.get_by_role("searchbox").first.fill("kreis")
    expect(german.locate(".card:visible").first).to_have_attribute("data-feature", re.compile("roundCrop|shape|redact"))
    found = violations(german)
    german.page.get_by_role("button", name="Alle Beispiele").click()
    expect(german.page.get_by_role("heading", name="Farbe")).to_be_visible()
    assert [*found, *violations(german)] == []
    german.page.get_by_role("button", name="Schließen").click()
    german.page.get_by_label("Sprache", exact=True).select_option("en")
    expect(german.locate("#panel-title")).to_have_text("Edits")
    german.open("/photos/coffee.jpg?width=300&format=webp")
    expect(german.locate("html")).to_have_attribute("lang", "en")


def _mark(text: Any) -> Any:
    """Return a text in brackets, without the backticks that would divide it."""
    if isinstance(text, str):
        return f"⟦{text.replace('`', '')}⟧"
    return {form: _mark(each) for form, each in text.items()}


def _mark_catalogue(part: Any) -> Any:
    """Return a part of the catalogue with its helps and titles in brackets."""
    if isinstance(part, list):
        return [_mark_catalogue(each) for each in part]
    if isinstance(part, dict):
        return {
            name: _mark(each) if name in ("help", "title") else _mark_catalogue(each) for name, each in part.items()
        }
    return part


def _marked(page: Page) -> None:
    """Answer German texts with marks around each."""

    def texts(route: Route) -> None:
        found = json.loads((MESSAGES / "de.json").read_text(encoding="utf-8"))
        route.fulfill(json={key: _mark(text) for key, text in found.items()})

    def catalogue(route: Route) -> None:
        found = json.loads((ROOT / "demo-ui" / "features.de.json").read_text(encoding="utf-8"))
        labels = [[name, _mark(label)] for name, label in found["labels"]]
        parts = {name: _mark_catalogue(found[name]) for name in ("features", "output", "recipes", "examples")}
        route.fulfill(json={**found, **parts, "labels": labels, "synonyms": []})

    page.route("**/messages/de.json", texts)
    page.route("**/features.de.json", catalogue)


def test_no_text_of_the_page_is_outside_of_its_file(german: Demo) -> None:
    page = german.page
    _marked(page)
    german.open("/photos/coffee.jpg?width=200&watermark=logo.png&format=webp")
    closed = '.opener[aria-expanded="false"], .card-body button.quiet[aria-expanded="false"]'
    page.locator(closed).evaluate_all("all => all.forEach(each => each.click())")
    page.locator("#compare-formats").click()
    found = {"page": page.evaluate(UNMARKED)}
    page.locator(".recipes .more").click()
    for dialog in ("chooser", "shortcuts", "naming", "ask"):
        page.evaluate("name => document.getElementById(name).showModal()", dialog)
    found["dialogs"] = page.evaluate(UNMARKED)
    page.reload()
    expect(page.locator("html[data-ready=true]")).to_be_attached(timeout=SECONDS)
    german.settled()
    page.locator("#key").fill("https://elsewhere.example/x.jpg")
    page.locator("#key").press("Enter")
    page.locator('.card[data-feature="watermark"] .later > .wide').click()
    expect(page.locator(".cross")).to_be_focused()
    found["a message and a point"] = page.evaluate(UNMARKED)
    page.goto(f"{german.origin}/_demo/records.html")
    expect(page.locator("#fault")).to_be_visible()
    found["records"] = page.evaluate(UNMARKED)
    assert [text for texts in found.values() for text in texts] == []


def test_long_words_leave_the_tools_of_the_stage_on_one_line(german: Demo) -> None:
    german.open("/photos/coffee.jpg?smartCropping.width=200&smartCropping.height=200&format=webp")
    expect(german.locate("#detections")).to_be_visible()
    tools = german.locate("#tools").bounding_box()
    assert tools
    for name in ("modes", "detections", "download"):
        box = german.locate(f"#{name}").bounding_box()
        assert box, name
        assert tools["y"] <= box["y"], name
        assert box["y"] + box["height"] <= tools["y"] + tools["height"], name


def test_a_language_from_right_to_left_mirrors_the_page(german: Demo) -> None:
    """Any language with a file: here English texts under the code of Arabic."""
    page = german.page
    shown = page.request.get(f"{german.origin}/_demo/").text().replace('content="de en"', 'content="ar de en"')
    page.route("**/_demo/", lambda route: route.fulfill(body=shown, content_type="text/html"))
    english = (MESSAGES / "en.json").read_text(encoding="utf-8")
    page.route("**/messages/ar.json", lambda route: route.fulfill(body=english, content_type="application/json"))
    features = (ROOT / "demo-ui" / "features.json").read_text(encoding="utf-8")
    page.route("**/features.ar.json", lambda route: route.fulfill(body=features, content_type="application/json"))
    page.add_init_script("localStorage.setItem('language', 'ar')")
    german.open("/photos/coffee.jpg?width=300&format=webp")
    expect(german.locate("html")).to_have_attribute("dir", "rtl")
    panel, images = german.locate(".panel").bounding_box(), german.locate(".images").bounding_box()
    assert panel
    assert images
    assert panel["x"] < images["x"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440
    # The picture itself, its divider and its points are not mirrored.
    german.locate("#split").focus()
    page.keyboard.press("End")
    handle, view = german.locate("#split span").bounding_box(), german.locate("#view").bounding_box()
    assert handle
    assert view
    assert handle["x"] > view["x"] + view["width"] / 2
    expect(german.locate("#fact-original")).to_have_text(re.compile(r"600 × 400 · 56[.,٫]"))

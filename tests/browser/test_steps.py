"""Edits in an order of the visitor's own: `steps` in the URL, as a list in the panel."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Browser, expect
from tests.browser.pages import Demo, tab
from tests.client import size
from tests.local_server import Server

COFFEE = "/photos/coffee.jpg"
STEPS = [{"rotate": 90}, {"resize": {"width": 90, "height": 60}}, {"blur": 3}]


@pytest.fixture(scope="module")
def panel(browser: Browser, server: Server) -> Iterator[Demo]:
    with tab(browser, server, wants="400") as demo:
        yield demo


def steps(demo: Demo) -> object:
    return json.loads(parse_qs(urlsplit(demo.path).query).get("steps", ["null"])[0])


def test_steps_of_a_url_are_shown_and_can_be_moved_and_removed(panel: Demo) -> None:
    panel.open(f"{COFFEE}?steps={quote(json.dumps(STEPS))}&format=webp")
    assert panel.size() == (90, 60)
    expect(panel.locate("#steps-list li strong")).to_have_text(["Rotate", "Resize", "Blur"])
    panel.page.get_by_role("button", name="Move Resize up").click()
    panel.settled(recorded=True)
    assert panel.size() == (60, 90)
    assert steps(panel) == [STEPS[1], STEPS[0], STEPS[2]]
    expect(panel.page.get_by_role("button", name="Move Resize down")).to_be_focused()
    panel.page.get_by_role("button", name="Remove Rotate").click()
    panel.settled(recorded=True)
    assert panel.size() == (90, 60)
    panel.page.get_by_role("button", name="Undo").click()
    panel.settled(recorded=True)
    assert panel.size() == (60, 90)


def test_edits_of_the_panel_become_steps(panel: Demo) -> None:
    query = "width=300&height=200&crop.left=10p&crop.width=50p&rotate=90&negate=true&curve.red=0,0,255,200&text=Hello"
    panel.open(f"{COFFEE}?{query}&format=webp")
    before = panel.size()
    panel.page.get_by_role("button", name="Choose the order").click()
    panel.settled(recorded=True)
    assert (panel.fault, panel.size()) == ("", before)
    found = steps(panel)
    assert isinstance(found, list)
    assert {"crop": {"left": "10p", "width": "50p"}} in found
    assert {"negate": True} in found
    assert urlsplit(panel.path).query.startswith("format=webp&steps=")
    expect(panel.locate("#active")).to_contain_text("Output")
    expect(panel.locate("#into-steps")).to_be_hidden()


def test_the_step_that_is_wrong_is_marked(panel: Demo) -> None:
    panel.open(f"{COFFEE}?steps={quote(json.dumps([{'flip': True}, {'blur': 0.1}]))}")
    assert "steps[1].blur.sigma" in panel.fault
    expect(panel.locate("#steps-list .bad")).to_have_text("Blur0.1")
    panel.page.get_by_role("button", name="Remove Blur").click()
    panel.settled()
    assert panel.fault == ""


def test_widths_of_markup_are_those_behind_the_steps(panel: Demo) -> None:
    ordered = quote(json.dumps([{"rotate": 90}, {"resize": {"width": 700}}]))
    panel.open(f"{COFFEE}?width=300&steps={ordered}&format=webp")
    panel.page.get_by_role("tab", name="<picture>", exact=True).click()
    expect(panel.locate("#code")).to_contain_text("image/webp")
    [entries] = re.findall(r'image/webp" sizes="100vw"\s+srcset="([^"]+)"', panel.code)
    pairs = [entry.strip().split() for entry in html.unescape(entries).split(",\n")]
    found = {width: size(panel.server.ask(address.removeprefix(panel.origin)).body)[0] for address, width in pairs}
    assert found == {"320w": 320, "640w": 640, "700w": 700}
    panel.locate("#frameworks").select_option("next")
    expect(panel.locate("#code")).to_contain_text("[...steps, { resize: { width } }]")

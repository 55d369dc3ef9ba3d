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


def test_units_convert_in_a_step_by_the_image_that_it_gets(panel: Demo) -> None:
    """The photograph has 600 × 400 pixels, and 400 × 600 after the first step."""
    crop = {"left": "25p", "top": "10p", "width": "50p", "height": "50p"}
    panel.open(f"{COFFEE}?steps={quote(json.dumps([{'rotate': 90}, {'crop': crop}]))}&format=webp")
    before = panel.size()
    panel.page.get_by_role("button", name="Crop left: 25p").click()
    controls = panel.page.get_by_role("group", name="Crop", exact=True)
    for name, pixels, percent in (("left", "100", "25p"), ("top", "60", "10p")):
        row = controls.locator(".row").filter(has=panel.page.get_by_text(name.title(), exact=True))
        for unit, value in (("px", pixels), ("%", percent)):
            row.get_by_role("combobox").select_option(unit)
            expect(row.get_by_role("spinbutton")).to_have_value(value.removesuffix("p"))
            panel.settled(recorded=True)
            assert steps(panel) == [{"rotate": 90}, {"crop": {**crop, name: value}}]
            assert (panel.fault, panel.size()) == ("", before)


def test_a_step_is_edited_at_its_place(panel: Demo) -> None:
    panel.open(f"{COFFEE}?steps={quote(json.dumps(STEPS))}&format=webp")
    resize = panel.page.get_by_role("button", name="Resize width: 90, height: 60")
    expect(resize).to_have_attribute("aria-expanded", "false")
    resize.press("Enter")
    controls = panel.page.get_by_role("group", name="Resize", exact=True)
    controls.get_by_role("spinbutton", name="Width", exact=True).fill("120")
    panel.settled(recorded=True)
    assert panel.size() == (120, 60)
    assert steps(panel) == [STEPS[0], {"resize": {"width": 120, "height": 60}}, STEPS[2]]
    expect(controls.get_by_role("spinbutton", name="Width", exact=True)).to_be_focused()
    panel.page.keyboard.press("Escape")
    expect(controls).to_be_hidden()
    resize = panel.page.get_by_role("button", name="Resize width: 120, height: 60")
    expect(resize).to_be_focused()
    expect(resize).to_have_attribute("aria-expanded", "false")
    resize.press("Enter")
    panel.page.get_by_role("button", name="Move Resize down").press("Enter")
    panel.settled(recorded=True)
    expect(controls.get_by_role("spinbutton", name="Width", exact=True)).to_have_value("120")
    controls.get_by_role("button", name="Reset Height").click()
    controls.get_by_role("button", name="Done").click()
    expect(panel.page.get_by_role("button", name="Resize width: 120", exact=True)).to_be_focused()
    panel.settled(recorded=True)
    assert steps(panel) == [STEPS[0], STEPS[2], {"resize": {"width": 120}}]


def test_a_step_is_shown_however_it_is_written(panel: Demo) -> None:
    written: list[object] = [{"blur": 3, "flip": True}, {"curve": {"red": [0, 0, 255, 200]}}, {"modulate": {"hue": 90}}]
    panel.open(f"{COFFEE}?width=90&steps={quote(json.dumps(written))}&format=webp")
    panel.page.get_by_role("button", name="Blur + Flip 3").click()
    sigma = panel.page.get_by_role("group", name="Blur + Flip").get_by_role("spinbutton", name="Sigma", exact=True)
    expect(sigma).to_have_value("3")
    sigma.fill("0.1")
    panel.settled(recorded=True)
    assert "steps[0].blur.sigma" in panel.fault
    expect(sigma).to_have_attribute("aria-invalid", "true")
    sigma.press("Escape")
    panel.page.get_by_role("button", name="Go to Sigma").click()
    expect(sigma).to_be_focused()
    sigma.fill("4")
    panel.page.get_by_role("button", name=re.compile("^Curve red")).click()
    expect(sigma).to_be_hidden()
    red = panel.page.get_by_role("group", name="Curve").get_by_role("textbox", name="Red")
    expect(red).to_have_value("0,0,255,200")
    red.fill("0,0,255,100")
    panel.settled(recorded=True)
    assert (panel.fault, panel.size()) == ("", (90, 60))
    assert steps(panel) == [{"blur": {"sigma": 4}, "flip": True}, {"curve": {"red": "0,0,255,100"}}, written[2]]


def test_a_point_is_selected_on_the_image_as_the_step_gets_it(panel: Demo) -> None:
    ordered = [{"rotate": 90}, {"resize": {"width": 90, "height": 200, "focalPoint": "0.5,0.5"}}]
    panel.open(f"{COFFEE}?steps={quote(json.dumps(ordered))}&format=webp")
    panel.page.get_by_role("button", name=re.compile("^Resize width")).click()
    panel.page.get_by_role("group", name="Resize", exact=True).get_by_role("button", name="Select on image").click()
    expect(panel.locate(".cross")).to_be_focused()
    assert panel.locate(".area img").evaluate("image => [image.naturalWidth, image.naturalHeight]") == [400, 600]
    panel.page.keyboard.press("ArrowRight")
    panel.page.get_by_role("button", name="Done").last.click()
    panel.settled(recorded=True)
    assert steps(panel) == [ordered[0], {"resize": {"width": 90, "height": 200, "focalPoint": "0.51,0.5"}}]


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

"""Several overlays of one kind: `watermark.0.key` and so on in the URL, a list in the card of the feature."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Locator, expect
from tests.browser.pages import Demo, tab
from tests.local_server import Server

CAT = "/photos/cat.jpg"
TWO = "watermark.0.key=logo.png&watermark.0.width=20&watermark.1.key=logo.svg&watermark.1.opacity=50"


@pytest.fixture(scope="module")
def panel(browser: Browser, server: Server) -> Iterator[Demo]:
    with tab(browser, server, wants="400") as demo:
        yield demo


def entries(demo: Demo) -> Locator:
    return demo.opened("watermark").get_by_role("list", name="Watermark").locator("> li > .what")


def test_an_overlay_is_added_changed_moved_and_removed(panel: Demo) -> None:
    panel.open(f"{CAT}?watermark.key=logo.png&watermark.width=20&format=webp")
    card = panel.opened("watermark")
    expect(card.get_by_role("list", name="Watermark")).to_be_hidden()
    card.get_by_role("button", name="Add another").press("Enter")
    panel.settled(recorded=True)
    assert panel.path == (
        f"{CAT}?watermark.0.key=logo.png&watermark.0.width=20&watermark.1.key=logo.png"
        "&watermark.1.position=bottom-right&watermark.1.width=25&watermark.1.opacity=80&format=webp"
    )
    second = card.get_by_role("button", name="Watermark 2 logo.png")
    expect(second).to_be_focused()
    expect(second).to_have_attribute("aria-expanded", "true")
    controls = card.get_by_role("group", name="Watermark 2")
    controls.get_by_role("combobox", name="Key").fill("logo.svg")
    controls.get_by_role("radio", name="top-left").check()
    panel.settled(recorded=True)
    card.get_by_role("button", name="Move Watermark 2 up").press("Enter")
    panel.settled(recorded=True)
    expect(entries(panel)).to_have_text(
        ["Watermark 1logo.svg, position: top-left, width: 25, opacity: 80", "Watermark 2logo.png, width: 20"]
    )
    expect(card.get_by_role("group", name="Watermark 1").get_by_role("combobox", name="Key")).to_have_value("logo.svg")
    card.get_by_role("group", name="Watermark 1").get_by_role("combobox", name="Key").press("Escape")
    expect(card.get_by_role("button", name="Watermark 1 logo.svg")).to_be_focused()
    card.get_by_role("button", name="Remove Watermark 1").press("Enter")
    expect(card.get_by_role("button", name="Add another")).to_be_focused()
    panel.settled(recorded=True)
    assert panel.path == f"{CAT}?watermark.key=logo.png&watermark.width=20&format=webp"
    assert panel.fault == ""
    panel.page.get_by_role("button", name="Undo").click()
    panel.settled(recorded=True)
    expect(entries(panel)).to_have_count(2)


def test_a_list_of_a_url_stays_as_it_is_and_its_mistake_is_marked(panel: Demo) -> None:
    panel.open(f"{CAT}?{TWO}&format=webp")
    assert (panel.fault, panel.path) == ("", f"{CAT}?{TWO}&format=webp")
    panel.open(f"{CAT}?{TWO.replace('=50', '=200')}&format=webp")
    assert "watermark.1.opacity" in panel.fault
    panel.page.get_by_role("button", name="Go to Opacity").click()
    opacity = (
        panel.card("watermark")
        .get_by_role("group", name="Watermark 2")
        .get_by_role("spinbutton", name="Opacity", exact=True)
    )
    expect(opacity).to_be_focused()
    expect(opacity).to_have_attribute("aria-invalid", "true")
    opacity.fill("40")
    panel.settled()
    assert (panel.fault, panel.path) == ("", f"{CAT}?{TWO.replace('=50', '=40')}&format=webp")


def test_a_list_with_a_gap_is_left_to_the_service(panel: Demo) -> None:
    panel.open(f"{CAT}?watermark.0.key=logo.png&watermark.2.key=logo.svg")
    assert "watermark.1 must be given" in panel.fault
    assert panel.path == f"{CAT}?watermark.0.key=logo.png&watermark.2.key=logo.svg"


def test_a_list_is_split_into_steps_of_its_own(panel: Demo) -> None:
    panel.open(f"{CAT}?{TWO}&format=webp")
    panel.page.get_by_role("button", name="Choose the order").click()
    panel.settled()
    first = '{"watermark":{"key":"logo.png","width":20}}'
    assert panel.path == (
        f"{CAT}?format=webp&steps=" + quote(f'[{first},{{"watermark":{{"key":"logo.svg","opacity":50}}}}]', safe=",:")
    )
    assert panel.fault == ""

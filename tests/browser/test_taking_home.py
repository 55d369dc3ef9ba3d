"""The result can be taken home, dropped files stay, and edits can be undone and named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Open
from tests.browser.pages import DESKTOP, PHONE, Demo
from tests.client import size
from tests.local_server import SAMPLES, Server

COFFEE = "/photos/coffee.jpg"
CAT, ROCKET = SAMPLES / "photos" / "cat.jpg", SAMPLES / "photos" / "rocket.jpg"


@pytest.mark.parametrize("pixels", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_result_is_downloaded_under_its_name(visit: Open, server: Server, pixels: tuple[int, int]) -> None:
    with visit(server, pixels) as demo:
        demo.open(f"{COFFEE}?width=240&format=webp")
        with demo.page.expect_download() as download:
            demo.page.get_by_role("link", name="Download").click()
        assert download.value.suggested_filename == "coffee.webp"
        assert size(Path(download.value.path()).read_bytes()) == (240, 160)


def test_the_result_is_copied_as_an_image(demo: Demo) -> None:
    demo.open(f"{COFFEE}?width=120&format=avif")
    demo.page.get_by_role("button", name="Copy image").click()
    expect(demo.page.get_by_role("button", name="Copied")).to_be_visible()
    copied = demo.page.evaluate(
        """async () => {
          const [item] = await navigator.clipboard.read();
          const image = await createImageBitmap(await item.getType("image/png"));
          return [image.width, image.height];
        }"""
    )
    assert copied == [120, 80]


def test_the_result_takes_a_right_click_and_a_drag(demo: Demo) -> None:
    demo.open(f"{COFFEE}?width=240&format=webp")
    box = demo.locate("#view").bounding_box()
    assert box
    at = "([x, y]) => document.elementFromPoint(x, y).id"
    assert demo.page.evaluate(at, [box["x"] + box["width"] / 2 + 60, box["y"] + box["height"] / 2]) == "after"
    expect(demo.locate("#after")).to_have_js_property("draggable", True)
    dragged = demo.locate("#after").evaluate(
        """(image) => {
          const dataTransfer = new DataTransfer();
          image.dispatchEvent(new DragEvent("dragstart", { dataTransfer, bubbles: true }));
          return dataTransfer.getData("DownloadURL");
        }"""
    )
    assert re.fullmatch(r"image/webp:coffee\.webp:blob:http.*", dragged)


def test_several_dropped_files_are_a_strip_that_survives_a_reload(demo: Demo) -> None:
    demo.open(f"{COFFEE}?width=200&format=webp")
    demo.locate("#file").set_input_files([CAT, ROCKET])
    demo.settled()
    strip = demo.page.get_by_role("list", name="Your files")
    expect(strip.get_by_role("listitem")).to_have_count(2)
    expect(strip.locator("[aria-current]")).to_have_text("cat.jpg")
    expect(demo.locate("#download")).to_have_class(re.compile("primary"))
    assert demo.size() == (200, 133)
    demo.page.get_by_role("button", name="coffee.jpg").click()
    demo.settled()
    strip.get_by_role("button", name="rocket.jpg", exact=True).click()
    demo.settled()
    demo.page.reload()
    expect(demo.page.locator("html[data-ready=true]")).to_be_attached()
    demo.settled()
    expect(strip.locator("[aria-current]")).to_have_text("rocket.jpg")
    assert demo.locate("#fact-original").inner_text().startswith("640 × 427")
    strip.get_by_role("button", name="Remove rocket.jpg").click()
    demo.settled()
    expect(strip.get_by_role("listitem")).to_have_count(1)
    expect(strip.locator("[aria-current]")).to_have_text("cat.jpg")
    gone = demo.page.url.replace("@", "@0")
    demo.page.goto("about:blank")
    demo.page.goto(gone)
    expect(demo.locate("#fault")).to_contain_text("not kept in this browser")


def test_edits_are_undone_and_redone(demo: Demo) -> None:
    demo.open(f"{COFFEE}?width=240")
    width = demo.row("resize", "Width").get_by_role("slider")
    # Within one turn of the page, as a dragged slider does: presses of a key may be far apart on a busy machine.
    width.evaluate(
        "slider => { for (let step = 0; step < 5; step += 1) {"
        " slider.stepUp(); slider.dispatchEvent(new Event('input', { bubbles: true })); } }"
    )
    demo.settled(recorded=True)
    widened = demo.path
    demo.page.get_by_role("button", name="Reset all").click()
    demo.settled(recorded=True)
    assert demo.path == COFFEE
    demo.page.keyboard.press("Control+z")
    demo.settled(recorded=True)
    assert demo.path == widened
    demo.page.get_by_role("button", name="Undo").click()
    demo.settled(recorded=True)
    assert demo.path == f"{COFFEE}?width=240"
    expect(demo.page.get_by_role("button", name="Undo")).to_be_disabled()
    demo.page.keyboard.press("Control+Shift+Z")
    demo.page.keyboard.press("Control+y")
    demo.settled(recorded=True)
    assert demo.path == COFFEE
    expect(demo.page.get_by_role("button", name="Redo")).to_be_disabled()
    demo.recipe("Eight colours")
    demo.settled(recorded=True)
    demo.page.keyboard.press("Control+z")
    demo.settled(recorded=True)
    assert demo.path == COFFEE


def test_a_recipe_is_named_and_kept(demo: Demo) -> None:
    demo.open(f"{COFFEE}?width=150&grayscale=true&format=webp")
    demo.page.get_by_role("button", name="Save as recipe").click()
    dialog = demo.page.get_by_role("dialog")
    expect(dialog).to_contain_text("width=150&grayscale=true&format=webp")
    dialog.get_by_label("Name").fill("Grey thumb")
    dialog.get_by_role("button", name="Save", exact=True).click()
    demo.page.get_by_role("button", name="cat.jpg").click()
    demo.page.get_by_role("button", name="Reset all").click()
    demo.page.reload()
    demo.settled()
    demo.recipe("Grey thumb")
    demo.settled()
    assert demo.path == "/photos/cat.jpg?width=150&grayscale=true&format=webp"

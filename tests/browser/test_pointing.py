"""What is chosen by its picture, placed on the image, taken from it or drawn, instead of typed."""

from __future__ import annotations

import re
from pathlib import Path

import pyvips
from playwright.sync_api import expect
from tests.browser.conftest import Open
from tests.browser.pages import Demo
from tests.browser.test_first_view import violations
from tests.local_server import Server

COFFEE = "/photos/coffee.jpg"


def test_an_overlay_is_chosen_by_its_picture_and_placed_on_the_image(demo: Demo) -> None:
    demo.open(f"{COFFEE}?watermark.key=logo.svg&watermark.position=bottom-right&watermark.width=25&format=webp")
    demo.row("watermark", "Key").get_by_role("button", name="Choose Key from the images").click()
    dialog = demo.page.get_by_role("dialog", name="Choose an image")
    dialog.get_by_role("searchbox").fill("LOGO")
    expect(dialog.get_by_role("listitem").filter(visible=True)).to_have_count(2)
    assert violations(demo) == []
    dialog.get_by_role("button", name="logo.png").click()
    demo.settled()
    assert demo.path.startswith(f"{COFFEE}?watermark.key=logo.png&")
    place = demo.card("watermark").get_by_role("button", name="Place it on the image")
    place.click()
    expect(demo.locate(".cross")).to_be_focused()
    area = demo.locate(".area").bounding_box()
    assert area
    demo.page.mouse.click(area["x"] + area["width"] * 0.25, area["y"] + area["height"] * 0.5)
    demo.settled()
    assert demo.locate(".area img").get_attribute("src") == demo.locate("#after").get_attribute("src")
    demo.page.keyboard.press("Escape")
    expect(place).to_be_focused()
    demo.settled()
    left, top = re.findall(r"watermark\.(?:left|top)=([\d.]+)p", demo.path)
    assert (abs(float(left) - 25), abs(float(top) - 50)) < (1, 1)
    assert "position" not in demo.path


def test_a_colour_is_taken_from_the_image(demo: Demo) -> None:
    demo.open(f"{COFFEE}?tint=sienna&format=webp")
    demo.row("tint", "Color").get_by_role("button", name="Take the colour of Color").click()
    expect(demo.locate(".cross")).to_be_focused()
    box = demo.locate(".area").bounding_box()
    assert box
    demo.page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.25)
    demo.page.get_by_role("button", name="Done").click()
    demo.settled()
    taken = re.search(r"tint=([0-9a-f]{6})\b", demo.path)
    assert taken
    image = pyvips.Image.new_from_buffer(demo.server.ask(f"{COFFEE}?format=png").body, "")
    there = image.getpoint(image.width // 2, image.height // 4)
    assert max(abs(one - other) for one, other in zip(bytes.fromhex(taken[1]), there, strict=True)) < 25


def test_a_curve_is_drawn(demo: Demo) -> None:
    demo.open(f"{COFFEE}?curve=0,0,128,128,255,255&format=webp")
    row = demo.row("curve", "All")
    knots = row.locator(".knot")
    expect(knots).to_have_count(3)
    middle = row.get_by_role("button", name="Point of the curve at 128, 128")
    middle.press("Shift+ArrowUp")
    middle = row.get_by_role("button", name="Point of the curve at 128, 138")
    middle.press("ArrowLeft")
    demo.settled()
    assert demo.path == f"{COFFEE}?curve=0,0,127,138,255,255&format=webp"
    box = row.locator(".curve").bounding_box()
    assert box
    demo.page.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] * 0.9)
    expect(knots).to_have_count(4)
    demo.page.keyboard.press("Delete")
    expect(knots).to_have_count(3)
    demo.settled()
    assert demo.path == f"{COFFEE}?curve=0,0,127,138,255,255&format=webp"
    assert violations(demo) == []


def test_a_matrix_is_a_grid(demo: Demo) -> None:
    demo.open(f"{COFFEE}?recomb=1,0,0,0,1,0,0,0,1&format=webp")
    row = demo.row("recomb", "Matrix")
    expect(row.get_by_role("spinbutton")).to_have_count(9)
    row.get_by_role("spinbutton", name="Matrix, row 2, column 3").fill("0.5")
    demo.settled()
    assert demo.path == f"{COFFEE}?recomb=1,0,0,0,1,0.5,0,0,1&format=webp"
    row.get_by_role("textbox").fill("1,2,3")
    expect(row.locator(".matrix")).to_be_hidden()


def test_the_shortcuts_are_listed(demo: Demo) -> None:
    demo.open(f"{COFFEE}?width=200&format=webp")
    demo.page.keyboard.press("?")
    dialog = demo.page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_contain_text("Search the edits")
    assert violations(demo) == []
    demo.page.keyboard.press("/")
    demo.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    demo.page.get_by_role("button", name="Keyboard shortcuts").click()
    expect(dialog).to_be_visible()


def test_a_file_that_this_browser_has_reduced_is_not_shown_as_the_original(
    visit: Open, server: Server, tmp_path: Path
) -> None:
    noise = pyvips.Image.gaussnoise(900, 700, mean=128, sigma=60).cast("uchar").copy(interpretation="b-w")
    (tmp_path / "large.png").write_bytes(noise.pngsave_buffer())
    with visit(server) as demo:
        limits = {"limits": {"uploadBytes": 200_000}, "unavailable": [], "publicFeatures": [], "signatures": "optional"}
        demo.page.route("**/_api/capabilities", lambda route: route.fulfill(json=limits))
        demo.open(f"{COFFEE}?width=100&format=webp")
        demo.locate("#file").set_input_files(tmp_path / "large.png")
        demo.settled()
        expect(demo.locate("#fact-original")).to_have_text(re.compile(r"WebP · reduced here from \d{3} kB$"))
        expect(demo.locate("#panel-note")).to_contain_text("Reduced in the browser from")

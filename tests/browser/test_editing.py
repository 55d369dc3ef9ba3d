"""Every kind of control, every feature and every example, up to the pixels that come back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Open
from tests.browser.pages import SECONDS, Demo
from tests.local_server import SAMPLES, Server, serving
from tests.stand_ins.rekognition import rekognition_server

from features import CATALOGUE
from handler.pages import RECIPES

COFFEE = "/photos/coffee.jpg"


@pytest.mark.parametrize("recipe", [each for each in RECIPES if each.anywhere], ids=lambda each: each.title)
def test_each_example_takes_one_click(demo: Demo, recipe: object) -> None:
    title = next(each.title for each in RECIPES if each is recipe)
    demo.open("/photos/astronaut.jpg?width=100")
    demo.recipe(title)
    demo.settled()
    assert demo.fault == ""
    button = demo.page.get_by_role("group", name="Examples").get_by_role("button", name=title, exact=True)
    expect(button).to_have_attribute("aria-pressed", "true")
    expected = {
        "Remove background": r"512 × 512 · .* · WebP",
        "Product square": r"(\d[\d ]*) × \1 · .* · WebP",
        "Blur faces": r"512 × 512 · .* · WebP",
        "Smart square": r"400 × 400 · .* · WebP",
        "AVIF, at most half": r"512 × 512 · (1\d|2[0-8])\.\d kB · AVIF",
        "Eight colours": r"512 × 512 · .* · PNG",
        "Watermark": r"512 × 512 · .* · WebP",
    }
    assert re.fullmatch(expected[title], demo.result)


def test_a_moderation_report(visit: Open) -> None:
    with rekognition_server() as stand_in:
        stand_in.labels = lambda _: {"Weapons": 91.0}
        with serving(SAMPLES, **stand_in.environment) as server, visit(server) as demo:
            demo.open(COFFEE)
            demo.recipe("Moderation report")
            demo.settled()
            report = demo.page.get_by_role("region", name="Report", exact=True)
            expect(report.get_by_role("row", name="Weapons")).to_contain_text("91")
            expect(report.get_by_role("img", name="Image of this report")).to_be_visible()


def test_what_is_not_possible_here_is_told(visit: Open, server: Server) -> None:
    with visit(server, wants="501") as demo:
        demo.open(f"{COFFEE}?contentModeration=report")
        assert "Not available here" in demo.fault
        assert "Rekognition" in demo.fault


@pytest.mark.parametrize("group", sorted({feature.group for feature in CATALOGUE}))
def test_every_feature_shows_something_when_it_is_switched_on(demo: Demo, group: str) -> None:
    demo.open("/photos/cat.jpg?width=200")
    names = [feature.name for feature in CATALOGUE if feature.group == group and feature.name != "contentModeration"]
    wrong = {}
    for name in names:
        if name == "resize":
            continue
        switch = demo.card(name).get_by_role("switch").first
        switch.click()
        demo.settled()
        if demo.fault or name not in demo.path:
            wrong[name] = demo.fault or demo.path
        switch.click()
    demo.settled()
    assert wrong == {}
    assert demo.path == "/photos/cat.jpg?width=200"


def _number(demo: Demo) -> None:
    demo.row("resize", "Width").get_by_role("spinbutton").fill("240")


def _slider(demo: Demo) -> None:
    demo.row("resize", "Width").get_by_role("spinbutton").fill("220")
    demo.row("resize", "Width").get_by_role("slider").press("ArrowRight")


def _word(demo: Demo) -> None:
    word = demo.row("", "Quality").get_by_role("button", name="Quality: auto")
    word.click()
    expect(word).to_have_attribute("aria-pressed", "true")
    demo.settled()
    word.click()
    demo.row("", "Quality").get_by_role("spinbutton").fill("60")
    word.click()


def _switch(demo: Demo) -> None:
    demo.row("quantize", "Dither").get_by_role("switch").check()


def _buttons(demo: Demo) -> None:
    demo.row("quantize", "Criterion").get_by_role("radio", name="silhouette").check()


def _list(demo: Demo) -> None:
    demo.row("", "Format").get_by_role("combobox").select_option("png")


def _places(demo: Demo) -> None:
    for name, value in (("Width", "100"), ("Height", "300")):
        demo.row("resize", name).get_by_role("spinbutton").fill(value)
    demo.row("resize", "Position").get_by_role("radio", name="bottom-right").check()


def _colour(demo: Demo) -> None:
    demo.row("tint", "Color").get_by_role("textbox", name="Color", exact=True).fill("tomato")


def _picker(demo: Demo) -> None:
    demo.row("tint", "Color").locator('input[type="color"]').fill("#336699")


def _length(demo: Demo) -> None:
    row = demo.row("crop", "Left")
    row.get_by_role("spinbutton").fill("25")
    row.get_by_role("combobox").select_option("px")


def _text(demo: Demo) -> None:
    demo.row("watermark", "Key").get_by_role("combobox").fill("logo.svg")


def _ratio(demo: Demo) -> None:
    demo.row("crop", "Aspect ratio").get_by_role("button", name="Aspect ratio 1:1").click()


def _three_ways(demo: Demo) -> None:
    demo.row("", "Animated").get_by_role("radio", name="off").check()


def _point(demo: Demo) -> None:
    for name, value in (("Width", "100"), ("Height", "300")):
        demo.row("resize", name).get_by_role("spinbutton").fill(value)
    demo.row("resize", "Focal point").get_by_role("button", name="Select on image").click()
    area = demo.locate(".area")
    expect(demo.locate(".cross")).to_be_focused()
    box = area.bounding_box()
    assert box
    demo.page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.5)
    demo.page.get_by_role("button", name="Done").click()


def _box(demo: Demo) -> None:
    demo.opened("crop").get_by_role("button", name="Draw the box").click()
    expect(demo.locate(".box")).to_be_focused()
    box = demo.locate(".area").bounding_box()
    assert box
    assert box["width"] / box["height"] == pytest.approx(1.5, abs=0.01)
    demo.page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.1)
    demo.page.mouse.down()
    demo.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6, steps=4)
    demo.page.mouse.up()
    demo.page.get_by_role("button", name="Done").click()


@pytest.mark.parametrize(
    ("use", "query", "size"),
    [
        (_number, r"width=240", (240, 160)),
        (_slider, r"width=240", (240, 160)),
        (_word, r"quality=auto", (600, 400)),
        (_switch, r"quantize\.dither=true", (600, 400)),
        (_buttons, r"quantize\.criterion=silhouette", (600, 400)),
        (_list, r"format=png", (600, 400)),
        (_places, r"width=100&height=300&position=bottom-right", (100, 300)),
        (_colour, r"tint=tomato", (600, 400)),
        (_picker, r"tint=336699", (600, 400)),
        (_length, r"crop\.left=150", (450, 400)),
        (_text, r"watermark=logo\.svg", (600, 400)),
        (_ratio, r"crop\.aspectRatio=1:1", (400, 400)),
        (_three_ways, r"animated=false", (600, 400)),
        (_point, r"width=100&height=300&focalPoint=0\.7[45]\d?,0\.[45]\d*", (100, 300)),
        (_box, r"crop\.left=10p&crop\.top=10p&crop\.width=50p&crop\.height=50p", (300, 200)),
    ],
    ids=lambda each: each.__name__.strip("_") if callable(each) else "",
)
def test_each_kind_of_control(demo: Demo, use: Callable[[Demo], None], query: str, size: tuple[int, int]) -> None:
    demo.open(COFFEE)
    use(demo)
    demo.settled()
    assert demo.fault == ""
    path, _, said = demo.path.partition("?")
    assert path == COFFEE
    assert re.fullmatch(query, said)
    assert demo.size() == size


def test_what_is_set_can_be_taken_back(demo: Demo) -> None:
    demo.open(f"{COFFEE}?width=200&blur=5&format=webp")
    demo.row("blur", "Sigma").get_by_role("button", name="Reset Sigma").click()
    demo.settled()
    assert demo.path == f"{COFFEE}?width=200&blur=true&format=webp"
    demo.card("blur").get_by_role("switch").first.uncheck()
    demo.settled()
    assert demo.path == f"{COFFEE}?width=200&format=webp"
    demo.page.get_by_role("button", name="Reset all").click()
    demo.settled()
    assert demo.path == COFFEE


def test_the_controls_can_be_searched(demo: Demo) -> None:
    demo.open(COFFEE)
    search = demo.page.get_by_role("searchbox")
    search.fill("background")
    assert "removeBackground" in (
        shown := demo.locate(".card:visible").evaluate_all("all => all.map(e => e.dataset.feature)")
    )
    assert "grayscale" not in shown
    search.fill("nothing is called so")
    expect(demo.locate("#panel-note")).to_contain_text("No edit matches")
    search.fill("")
    assert demo.locate(".card:visible").count() == len(CATALOGUE) + 1


@pytest.mark.parametrize(("text", "first"), [("crop", "crop"), ("grey", "grayscale"), ("round cor", "roundCorners")])
def test_what_is_called_so_is_found_first(demo: Demo, text: str, first: str) -> None:
    demo.open(COFFEE)
    natural = demo.locate(".card").evaluate_all("all => all.map(e => e.dataset.feature)")
    assert natural[:2] == ["output", "resize"]
    demo.page.get_by_role("searchbox").fill(text)
    assert demo.locate(".card:visible").first.get_attribute("data-feature") == first
    demo.page.get_by_role("searchbox").fill("")
    assert demo.locate(".card").evaluate_all("all => all.map(e => e.dataset.feature)") == natural


def test_what_is_in_use_stands_at_the_top(demo: Demo) -> None:
    demo.open(f"{COFFEE}?blur=5&width=200&format=webp")
    active = demo.page.get_by_role("list", name="Edits in use")
    expect(active.get_by_role("listitem")).to_have_text(["Resize", "Blur", "Output"])
    active.get_by_role("button", name="Go to Resize").click()
    expect(demo.card("resize").locator(".opener")).to_be_focused()
    expect(demo.row("resize", "Width")).to_be_in_viewport()
    active.get_by_role("button", name="Remove Blur").click()
    expect(active.get_by_role("button", name="Go to Resize")).to_be_focused()
    demo.settled()
    assert demo.path == f"{COFFEE}?width=200&format=webp"
    active.get_by_role("button", name="Remove Output").click()
    demo.settled()
    assert demo.path == f"{COFFEE}?width=200"


def test_an_example_brings_its_controls_into_sight(demo: Demo) -> None:
    demo.open(COFFEE)
    demo.recipe("Watermark")
    expect(demo.card("watermark").locator(".opener")).to_be_in_viewport()


def test_a_mistake_is_told_in_words_at_its_field(visit: Open, server: Server) -> None:
    with visit(server, wants="400") as demo:
        demo.open(COFFEE)
        entry = demo.row("blur", "Sigma").get_by_role("spinbutton")
        entry.fill("0.1")
        demo.settled()
        assert "blur.sigma must be a number from 0.3 to 1000, got '0.1'" in demo.fault
        expect(entry).to_have_attribute("aria-invalid", "true")
        expect(demo.row("blur", "Sigma").locator(".wrong")).to_contain_text("from 0.3 to 1000")
        demo.page.get_by_role("button", name="Go to Sigma").click()
        expect(entry).to_be_focused()
        entry.fill("3")
        demo.settled()
        assert demo.fault == ""
        assert entry.get_attribute("aria-invalid") is None
        assert demo.result.startswith("600 × 400")


def test_a_key_that_is_not_there(visit: Open, server: Server) -> None:
    with visit(server, wants="404") as demo:
        demo.open()
        demo.locate("#key").fill("photos/none.jpg")
        demo.page.get_by_role("button", name="Open", exact=True).click()
        demo.settled()
        assert "Image not found" in demo.fault


def test_what_a_feature_cannot_do_without_is_asked_for(demo: Demo) -> None:
    demo.open(COFFEE)
    demo.card("frame").get_by_role("switch").first.check()
    demo.settled()
    demo.row("frame", "Key").get_by_role("combobox").fill("")
    demo.settled()
    assert "frame.key is required" in demo.fault


def test_one_of_two_parameters_that_a_feature_needs_is_asked_for(visit: Open, server: Server) -> None:
    with visit(server, wants="400") as demo:
        demo.open(COFFEE)
        demo.card("watermark").get_by_role("switch").first.check()
        demo.settled()
        demo.row("watermark", "Key").get_by_role("combobox").fill("")
        demo.settled()
        assert "watermark.key must be given, or watermark.address" in demo.fault
        expect(demo.row("watermark", "Key").get_by_role("combobox")).to_have_attribute("aria-invalid", "true")


def test_a_format_that_browsers_cannot_show_is_shown_all_the_same(visit: Open, server: Server) -> None:
    with visit(server, wants="") as demo:
        demo.open(f"{COFFEE}?width=200&format=tiff")
        assert demo.result.endswith("TIFF")
        assert demo.size() == (200, 133)


def test_an_original_that_browsers_cannot_show(visit: Open, tmp_path: Path) -> None:
    from tests import pictures

    (tmp_path / "scan.tif").write_bytes(pictures.tiff())
    with serving(tmp_path) as server, visit(server) as demo:
        demo.open("/scan.tif?format=webp")
        assert demo.locate("#fact-original").inner_text().endswith("TIFF")
        assert demo.size("before") == demo.size("after")


def test_keys_as_odd_as_they_come(visit: Open, tmp_path: Path) -> None:
    keys = ("a b#1.jpg", "100%.jpg", "unsafe/300x200/x.jpg", "_odd.jpg", "çà+é.jpg", "plain")
    for key in keys:
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes((SAMPLES / "photos" / "cat.jpg").read_bytes())
    with serving(tmp_path) as server, visit(server) as demo:
        demo.open("/plain?width=80")
        for width, key in enumerate(keys, 90):
            demo.locate("#key").fill(key)
            demo.locate("#key").press("Enter")
            demo.settled()
            demo.row("resize", "Width").get_by_role("spinbutton").fill(str(width))
            demo.settled()
            assert demo.fault == "", key
            assert demo.size()[0] == width, key
            assert server.ask(demo.path).status == 200, key
            expect(demo.locate("#key")).to_have_value(key)


def test_busy_with_cancel_and_a_new_change_ends_the_old_request(visit: Open, server: Server) -> None:
    with visit(server) as demo:
        demo.open(COFFEE)
        ended: list[str] = []
        demo.page.on("requestfailed", lambda request: ended.append(request.url))
        demo.page.route(re.compile(r"blur=(11|12)"), lambda _: None)  # never answered
        entry = demo.row("blur", "Sigma").get_by_role("spinbutton")
        entry.fill("11")
        expect(demo.locate("#busy")).to_contain_text("Rendering the image")
        expect(demo.locate("#stage")).to_have_attribute("aria-busy", "true")
        entry.fill("12")
        demo.page.wait_for_timeout(600)
        assert [url.partition("?")[2] for url in ended] == ["blur=11"]
        demo.page.get_by_role("button", name="Cancel").click()
        expect(demo.locate("#fault")).to_contain_text("Cancelled", timeout=SECONDS)
        demo.page.wait_for_timeout(100)
        assert [url.partition("?")[2] for url in ended] == ["blur=11", "blur=12"]
        entry.fill("9")
        demo.settled()
        assert demo.path == f"{COFFEE}?blur=9"
        expect(demo.locate("#fault")).to_be_hidden()


def test_a_box_in_pixels_stands_where_it_is_cut(demo: Demo) -> None:
    """Of what the resize leaves (300 x 200), not of the original."""
    demo.open("/photos/coffee.jpg?width=300&extract.left=150&extract.top=100&extract.width=100&extract.height=50")
    demo.opened("extract").get_by_role("button", name="Draw the box").click()
    expect(demo.locate(".box")).to_be_focused()
    area, box = demo.locate(".area").bounding_box(), demo.locate(".box").bounding_box()
    assert area
    assert box
    assert (box["x"] - area["x"]) / area["width"] == pytest.approx(0.5, abs=0.02)
    assert (box["y"] - area["y"]) / area["height"] == pytest.approx(0.5, abs=0.02)
    assert box["width"] / area["width"] == pytest.approx(1 / 3, abs=0.02)
    assert box["height"] / area["height"] == pytest.approx(1 / 4, abs=0.02)

"""The controls never contradict each other, and what the service cannot do is not offered."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Open
from tests.browser.pages import DESKTOP, PHONE, Demo
from tests.local_server import Server

COFFEE = "/photos/coffee.jpg"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_parameter_takes_the_place_of_what_it_excludes(visit: Open, server: Server, size: tuple[int, int]) -> None:
    with visit(server, size) as demo:
        demo.open(f"{COFFEE}?crop.left=25p&crop.top=10p&crop.width=50p&crop.height=50p")
        demo.row("crop", "Aspect ratio").get_by_role("button", name="Aspect ratio 1:1").click()
        demo.settled()
        assert demo.fault == ""
        assert demo.path == f"{COFFEE}?crop.left=25p&crop.top=10p&crop.width=50p&crop.aspectRatio=1:1"
        expect(demo.locate("#panel-note")).to_have_text("Height switched off: cannot be combined with Aspect ratio.")
        demo.open(f"{COFFEE}?quantize=8&format=png")
        demo.row("quantize", "Criterion").get_by_role("radio", name="silhouette").check()
        demo.settled()
        assert demo.fault == ""
        assert demo.path == f"{COFFEE}?quantize.criterion=silhouette&format=png"


def test_a_box_stays_inside_of_the_image(demo: Demo) -> None:
    demo.open(f"{COFFEE}?crop.left=25p&crop.top=10p&crop.width=50p&crop.height=50p")
    demo.row("crop", "Width").get_by_role("spinbutton").fill("100")
    demo.settled()
    assert demo.fault == ""
    assert demo.path == f"{COFFEE}?crop.left=0p&crop.top=10p&crop.width=100p&crop.height=50p"


def test_units_convert(demo: Demo) -> None:
    demo.open(f"{COFFEE}?crop.left=25p&crop.width=50p")
    unit = demo.row("crop", "Left").get_by_role("combobox")
    unit.select_option("px")
    demo.settled()
    assert "crop.left=150&" in demo.path
    unit.select_option("%")
    demo.settled()
    assert "crop.left=25p&" in demo.path


def test_units_convert_by_the_image_that_the_feature_gets(demo: Demo) -> None:
    demo.open(f"{COFFEE}?rotate=90&extract.left=25p&extract.top=25p&extract.width=50p&extract.height=50p&format=webp")
    for name, pixels in (("Left", "extract.left=100&"), ("Top", "extract.top=150&")):
        demo.row("extract", name).get_by_role("combobox").select_option("px")
        expect(demo.row("extract", name).get_by_role("combobox")).to_have_value("px")
        demo.settled(recorded=True)
        assert pixels in demo.path
    assert demo.fault == ""


def test_what_needs_another_parameter_says_so_and_is_off_until_then(demo: Demo) -> None:
    demo.open(f"{COFFEE}?watermark=logo.png")
    gap = demo.row("watermark", "Gap x")
    expect(gap.get_by_role("spinbutton")).to_be_disabled()
    expect(gap.locator(".why")).to_have_text("Needs Tile")
    demo.row("watermark", "Tile").get_by_role("switch").check()
    demo.settled()
    expect(gap.get_by_role("spinbutton")).to_be_enabled()
    expect(gap.locator(".why")).to_be_hidden()


def test_a_focal_point_without_a_cut_says_that_it_has_no_effect(demo: Demo) -> None:
    demo.open(f"{COFFEE}?width=300&focalPoint=0.2,0.3")
    remark = demo.row("resize", "Focal point").locator(".why")
    expect(remark).to_have_text("Focal point has no effect: it needs Width and Height, and Fit cover.")
    demo.row("resize", "Height").get_by_role("spinbutton").fill("300")
    demo.settled()
    expect(remark).to_be_hidden()


def test_a_length_that_is_not_set_shows_what_it_is(demo: Demo) -> None:
    demo.open(f"{COFFEE}?crop.left=25p")
    expect(demo.row("crop", "Width").get_by_role("slider")).to_have_value("75")
    expect(demo.row("crop", "Height").get_by_role("spinbutton")).to_have_attribute("placeholder", "100")


def test_sliders_that_are_not_set_show_the_effective_value(demo: Demo) -> None:
    demo.open(f"{COFFEE}?width=300&format=webp")
    quality = demo.row("", "Quality")
    expect(quality.get_by_role("spinbutton")).to_have_attribute("placeholder", "80")
    expect(quality.get_by_role("slider")).to_have_value("80")
    quality.get_by_role("slider").press("ArrowLeft")
    demo.settled()
    assert demo.path.endswith("format=webp&quality=79")
    expect(demo.row("resize", "Height").get_by_role("slider")).to_have_value("200")


def test_bytes_have_a_logarithmic_scale_up_to_the_original(demo: Demo) -> None:
    demo.open(f"{COFFEE}?width=300&format=webp")
    slider = demo.row("", "Max bytes").get_by_role("slider")
    expect(slider).to_have_value("200")
    slider.fill("100")
    demo.settled()
    found = re.search(r"maxBytes=(\d+)", demo.path)
    assert found
    assert 6_000 < int(found[1]) < 9_000  # half of the way from 1,000 to the 56,100 bytes of the original


def test_what_the_service_cannot_do_is_off_and_says_how_to_switch_it_on(demo: Demo) -> None:
    demo.open(COFFEE)
    examples = demo.page.get_by_role("group", name="Examples")
    expect(examples.get_by_role("button", name="Remove background")).to_be_visible()
    expect(examples.get_by_role("button", name="Moderation report")).to_have_count(0)
    card = demo.card("contentModeration")
    expect(card.get_by_role("switch").first).to_be_disabled()
    expect(card).to_contain_text("VISION=rekognition")
    model = demo.row("removeBackground", "Model").get_by_role("combobox")
    expect(model.locator('option[value="silueta"]')).to_be_disabled()
    expect(model.locator('option[value="u2netp"]')).to_be_enabled()
    expect(demo.row("smartCropping", "Subject").get_by_role("radio", name="objects")).to_be_disabled()


@pytest.mark.parametrize(
    ("text", "first"),
    [("circle", "roundCrop"), ("black and white", "grayscale"), ("compress", "output"), ("sepia", "recomb"),
     ("logo", "watermark"), ("rotate 90", "rotate"), ("thumbnail", "resize"), ("round cor", "roundCorners")],
)  # fmt: skip
def test_the_search_knows_other_words(demo: Demo, text: str, first: str) -> None:
    demo.open(COFFEE)
    demo.page.get_by_role("searchbox").fill(text)
    assert demo.locate(".card:visible").first.get_attribute("data-feature") == first

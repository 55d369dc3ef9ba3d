"""Formats and widths side by side, and what lies over the whole original."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Open
from tests.browser.pages import DESKTOP, PHONE, SECONDS, Demo
from tests.local_server import Server

COFFEE = "/photos/coffee.jpg"


def _bytes(text: str) -> float:
    amount, unit = text.split()
    return float(amount) * {"kB": 1_000, "MB": 1e6, "bytes": 1}[unit]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_formats_are_compared_and_one_is_taken(visit: Open, server: Server, size: tuple[int, int]) -> None:
    with visit(server, size) as demo:
        demo.open(f"{COFFEE}?width=200&blur=2&format=webp")
        demo.page.get_by_role("button", name="Compare formats").click()
        strip = demo.page.get_by_role("group", name="Formats of this edit")
        names = [re.compile(f"{name}.*(kB|bytes)$") for name in ("JPEG", "WebP", "AVIF", "PNG")]
        expect(strip.get_by_role("button")).to_have_text(names, timeout=SECONDS)
        for name, button in (("jpeg", "JPEG"), ("png", "PNG")):
            body = server.ask(f"{COFFEE}?width=200&blur=2&format={name}").body
            told = strip.get_by_role("button", name=button).locator("strong").inner_text()
            assert _bytes(told) == pytest.approx(len(body), rel=0.01)
        expect(strip.get_by_role("button", name="WebP")).to_have_attribute("aria-pressed", "true")
        strip.get_by_role("button", name="PNG").click()
        demo.settled()
        assert demo.path == f"{COFFEE}?width=200&blur=2&format=png"
        assert demo.result.endswith("PNG")
        assert demo.page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_the_widths_of_a_srcset_are_shown_with_their_bytes(demo: Demo) -> None:
    demo.open(f"{COFFEE}?width=200&format=webp")
    demo.page.get_by_role("tab", name="<picture>").click()
    widths = demo.page.get_by_role("list", name="Widths of the srcset").get_by_role("listitem")
    expect(widths).to_have_text([re.compile(f"{width}w.*(kB|bytes)$") for width in (100, 200, 300, 400)])
    body = demo.server.ask(f"{COFFEE}?width=300&format=webp").body
    assert _bytes(widths.nth(2).locator("small").inner_text()) == pytest.approx(len(body), rel=0.01)
    demo.page.get_by_role("tab", name="URL", exact=True).click()
    expect(demo.locate("#widths")).to_be_hidden()


def test_a_box_keeps_its_ratio_and_is_changed_at_its_edges(demo: Demo) -> None:
    demo.open(f"{COFFEE}?crop.left=10p&crop.top=10p&crop.width=50p&crop.height=50p&format=webp")
    demo.opened("crop").get_by_role("button", name="Draw the box").click()
    expect(demo.locate(".box")).to_be_focused()
    expect(demo.locate(".thirds")).to_be_visible()
    demo.page.get_by_label("Aspect ratio of the box").select_option("1:1")
    expect(demo.locate(".pick-size")).to_have_text("300 × 300 px")
    area, edge = demo.locate(".area").bounding_box(), demo.locate(".box .e").bounding_box()
    assert area
    assert edge
    demo.page.mouse.move(edge["x"] + edge["width"] / 2, edge["y"] + edge["height"] / 2)
    demo.page.mouse.down()
    demo.page.mouse.move(area["x"] + area["width"] * 0.3, area["y"] + area["height"] * 0.3, steps=3)
    demo.page.mouse.up()
    expect(demo.locate(".pick-size")).to_have_text(re.compile(r"^(1[12]\d) × \1 px$"))
    demo.page.get_by_label("Aspect ratio of the box").select_option("")
    edge = demo.locate(".box .s").bounding_box()
    assert edge
    demo.page.mouse.move(edge["x"] + edge["width"] / 2, edge["y"] + edge["height"] / 2)
    demo.page.mouse.down()
    demo.page.mouse.move(area["x"] + area["width"] * 0.9, area["y"] + area["height"] * 0.9, steps=3)
    demo.page.mouse.up()
    expect(demo.locate(".pick-size")).to_have_text(re.compile(r"^1[12]\d × 3[12]\d px$"))
    demo.page.get_by_role("button", name="Done").click()
    demo.settled()
    assert demo.fault == ""


def test_the_region_and_the_point_lie_over_the_whole_original(demo: Demo) -> None:
    demo.open(
        f"side{COFFEE}?crop.left=10p&crop.top=60&crop.width=50p&crop.height=200"
        "&width=100&height=90&resize.focalPoint=0.25,0.5&format=webp"
    )
    original, region = demo.locate("#before").bounding_box(), demo.locate(".region").bounding_box()
    assert original
    assert region
    assert (region["x"] - original["x"]) / original["width"] == pytest.approx(0.1, abs=0.01)
    assert (region["y"] - original["y"]) / original["height"] == pytest.approx(0.15, abs=0.01)
    assert region["height"] / original["height"] == pytest.approx(0.5, abs=0.01)
    expect(demo.locate(".focus")).to_have_count(1)
    demo.page.get_by_role("radio", name="Result").check()
    expect(demo.locate(".region")).to_be_hidden()


def test_detected_faces_and_the_cut_out_are_shown_over_the_original(demo: Demo) -> None:
    demo.open("/photos/astronaut.jpg?redact=faces&format=webp")
    demo.page.get_by_role("button", name="What is found").click()
    expect(demo.locate(".face")).to_have_count(1, timeout=SECONDS)
    original, face = demo.locate("#before").bounding_box(), demo.locate(".face").bounding_box()
    assert original
    assert face
    assert (face["x"] + face["width"] / 2 - original["x"]) / original["width"] == pytest.approx(0.44, abs=0.05)
    demo.open("/photos/astronaut.jpg?removeBackground=true&width=200&format=webp")
    demo.page.get_by_role("button", name="What is found").click()
    expect(demo.locate(".cut-away")).to_have_count(1, timeout=SECONDS)

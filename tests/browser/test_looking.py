"""Slider, zoom and pan; and all of it without a mouse."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect
from tests.browser.pages import Demo


def test_the_slider_follows_hand_and_keys(demo: Demo) -> None:
    demo.open("/photos/coffee.jpg?blur=9")
    slider = demo.page.get_by_role("slider", name="Divider between original and result")
    expect(slider).to_have_attribute("aria-valuenow", "50")
    box, stage = slider.bounding_box(), demo.locate("#view").bounding_box()
    assert box
    assert stage
    demo.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    demo.page.mouse.down()
    demo.page.mouse.move(stage["x"] + stage["width"] * 0.2, stage["y"] + 50, steps=3)
    demo.page.mouse.up()
    expect(slider).to_have_attribute("aria-valuenow", "20")
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuenow", "22")
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuenow", "100")


def test_zoom_and_pan(demo: Demo) -> None:
    demo.open("/photos/coffee.jpg?blur=9")
    level, frame = demo.locate("#zoom-level"), demo.locate(".after .frame")
    expect(level).to_have_text("100 %")
    demo.page.get_by_role("button", name="Zoom in").click()
    expect(level).to_have_text("135 %")
    before = frame.bounding_box()
    stage = demo.locate("#view").bounding_box()
    assert before
    assert stage
    demo.page.mouse.move(stage["x"] + 100, stage["y"] + 100)
    demo.page.mouse.down()
    demo.page.mouse.move(stage["x"] + 130, stage["y"] + 80, steps=3)
    demo.page.mouse.up()
    after = frame.bounding_box()
    assert after
    assert (after["x"] - before["x"], after["y"] - before["y"]) == pytest.approx((30, -20), abs=1)
    level.click()
    expect(level).to_have_text("100 %")
    demo.page.mouse.move(stage["x"] + 100, stage["y"] + 100)
    demo.page.mouse.wheel(0, -300)
    expect(level).to_have_text(re.compile(r"^1[2-9]\d %|^[2-9]\d\d %"))


def test_what_is_cut_is_held_against_the_same_cut(demo: Demo) -> None:
    demo.open("/photos/coffee.jpg?crop.left=10p&crop.top=10p&crop.width=50p&crop.height=50p&blur=4")
    expect(demo.locate("#before-tag")).to_have_text("Original, same crop")
    assert demo.size("before") == demo.size() == (300, 200)
    demo.page.get_by_role("radio", name="Whole original").check()
    expect(demo.locate("#before-tag")).to_have_text("Original")
    demo.settled()
    demo.page.wait_for_timeout(500)
    assert demo.size("before") == (600, 400)
    assert "#slider.original/photos" in demo.page.url


def test_what_comes_late_does_not_take_the_place_of_what_was_asked_after_it(demo: Demo) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    demo.page.route(re.compile(r"crop\..*format=png"), hold)
    demo.page.goto(f"{demo.origin}/_demo/#/photos/coffee.jpg?crop.width=50p&crop.height=50p&blur=4")
    demo.page.get_by_role("radio", name="Whole original").check()
    expect(demo.locate("#before")).to_be_visible()
    assert demo.size("before") == (600, 400)
    with demo.page.expect_response(held[0].request.url):
        held[0].continue_()
    demo.settled()
    assert demo.size("before") == (600, 400)


def test_everything_by_keyboard(demo: Demo) -> None:
    demo.open("/photos/coffee.jpg?width=300")
    keys = demo.page.keyboard
    keys.press("/")
    expect(demo.page.get_by_role("searchbox")).to_be_focused()
    keys.type("grayscale")
    for _ in range(8):
        keys.press("Tab")
        if demo.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Grayscale":
            break
    keys.press("Space")
    demo.settled()
    assert demo.path == "/photos/coffee.jpg?width=300&grayscale=true"
    demo.locate("#view").focus()
    keys.press("+")
    expect(demo.locate("#zoom-level")).to_have_text("135 %")
    keys.press("ArrowLeft")
    keys.press("0")
    expect(demo.locate("#zoom-level")).to_have_text("100 %")
    demo.locate("#tab-url").focus()
    keys.press("ArrowRight")
    expect(demo.locate("#tab-json")).to_be_focused()
    expect(demo.locate("#tab-json")).to_have_attribute("aria-selected", "true")


def test_to_the_controls_without_leaving_the_picture(demo: Demo) -> None:
    demo.open("/photos/coffee.jpg?width=300")
    there = demo.page.url
    demo.page.get_by_role("link", name="Skip to the edits").press("Enter")
    expect(demo.page.get_by_role("searchbox")).to_be_focused()
    assert demo.page.url == there


def test_a_point_and_a_box_by_keyboard(demo: Demo) -> None:
    demo.open("/photos/coffee.jpg?width=100&height=300&resize.focalX=9&resize.focalY=9")
    keys = demo.page.keyboard
    pick = demo.row("resize", "Focal point").get_by_role("button", name="Select on image")
    pick.press("Enter")
    expect(demo.locate(".cross")).to_be_focused()
    keys.press("ArrowRight")
    keys.press("ArrowUp")
    keys.press("Escape")
    expect(pick).to_be_focused()
    demo.settled()
    assert demo.path == "/photos/coffee.jpg?width=100&height=300&focalPoint=0.51,0.49"
    demo.page.get_by_role("button", name="Reset all").press("Enter")
    demo.settled()
    demo.open("/photos/coffee.jpg?crop.aspectRatio=1:1&crop.focalPoint=0.1,0.1")
    demo.opened("crop").get_by_role("button", name="Draw the box").press("Enter")
    expect(demo.locate(".box")).to_be_focused()
    keys.press("ArrowLeft")
    keys.press("Shift+ArrowDown")
    expect(demo.locate(".box")).to_have_attribute("aria-label", re.compile("Box of 50 by 51 percent, 24 percent"))
    keys.press("Escape")
    demo.settled()
    assert demo.path == "/photos/coffee.jpg?crop.left=24p&crop.top=25p&crop.width=50p&crop.height=51p"


def test_what_happens_is_told_to_who_does_not_see_it(demo: Demo) -> None:
    demo.open("/photos/coffee.jpg?width=300")
    expect(demo.locate("#announcement")).to_have_text(re.compile(r"Result: 300 × 200 · [\d.]+ kB, JPEG"))
    unnamed = demo.page.evaluate(
        """[...document.querySelectorAll("button, input, select, a")].filter((each) => each.checkVisibility() && !(
        each.ariaLabel || each.innerText?.trim() || each.labels?.length || each.title)).map((each) => each.outerHTML)"""
    )
    assert unnamed == []


def test_the_address_bar_does_not_follow_every_pixel_of_a_slider(demo: Demo) -> None:
    """A browser takes so many changes of it and then throws: Safari 100 in 10 seconds."""
    demo.open("/photos/coffee.jpg?blur=3")
    demo.page.evaluate(
        """() => {
          window.refused = 0;
          history.replaceState = () => { window.refused += 1; throw new DOMException("too often"); };
        }"""
    )
    slider = demo.row("blur", "Sigma").get_by_role("slider")
    slider.focus()
    for _ in range(10):
        demo.page.keyboard.press("ArrowRight")
    demo.settled(recorded=True)
    assert 1 <= demo.page.evaluate("window.refused") < 10
    assert demo.fault == ""
    assert float(demo.path.rpartition("=")[2]) > 3


def test_a_change_asks_for_one_picture_and_a_known_one_for_none_of_the_server(demo: Demo) -> None:
    demo.open("/photos/coffee.jpg?blur=3")
    expect(demo.locate("#fact-time")).to_have_text(re.compile("cache: miss$"))
    asked: list[str] = []
    demo.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    sigma = demo.row("blur", "Sigma").get_by_role("spinbutton")
    sigma.fill("5")
    demo.settled()
    assert [name for name in asked if name.startswith("coffee.jpg") and "width=160" not in name] == [
        "coffee.jpg?blur=5"
    ]
    sigma.fill("3")
    demo.settled()
    expect(demo.locate("#fact-time")).to_have_text(re.compile("browser cache: hit"))

"""Something is on the stage at once: the thumbnail or the original, then a WebP, then the requested format."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Request, Route, expect
from tests.browser.conftest import Open
from tests.browser.pages import DESKTOP, PHONE, Demo
from tests.local_server import Server

COFFEE = "/photos/coffee.jpg"


def _never_answered(_: Route) -> None:
    """Handle a request of `page.route` without an answer."""


def _asked(demo: Demo) -> list[str]:
    """Return the list that fills with the path and query of each image that is fetched, but for thumbnails."""
    asked: list[str] = []

    def keep(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.path.startswith("/photos/") and "width=160" not in parts.query:
            asked.append(f"{parts.path}?{parts.query}".removesuffix("?"))

    demo.page.on("request", keep)
    return asked


def test_the_original_is_shown_before_there_is_a_result(demo: Demo) -> None:
    demo.page.route(re.compile("format=(auto|webp.*effort=0)"), _never_answered)
    demo.page.goto(f"{demo.origin}/_demo/")
    expect(demo.locate("#before")).to_be_visible()
    assert demo.size("before") == (512, 512)
    expect(demo.locate("#stage")).to_have_attribute("aria-busy", "true")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_change_is_shown_as_webp_before_the_requested_format(
    visit: Open, server: Server, size: tuple[int, int]
) -> None:
    with visit(server, size) as demo:
        demo.open(f"{COFFEE}?width=300&format=avif")
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        demo.page.route(re.compile(r"width=240.*format=avif"), hold)
        asked = _asked(demo)
        demo.row("resize", "Width").get_by_role("spinbutton").fill("240")
        expect(demo.locate("#after")).to_have_js_property("naturalWidth", 240)
        assert asked[:2] == [
            f"{COFFEE}?width=240&format=webp&quality=80&effort=0",
            f"{COFFEE}?width=240&format=avif",
        ]
        expect(demo.locate("#facts")).to_have_class(re.compile(r"\bold\b"))
        assert demo.result.startswith("300 × 200")
        held[0].continue_()
        demo.settled()
        assert re.fullmatch(r"240 × 160 · [\d.]+ kB · AVIF", demo.result)
        expect(demo.locate("#facts")).not_to_have_class(re.compile(r"\bold\b"))


def test_a_format_that_is_quick_to_encode_needs_no_preview(demo: Demo) -> None:
    demo.open(f"{COFFEE}?width=300&format=webp")
    asked = _asked(demo)
    demo.row("resize", "Width").get_by_role("spinbutton").fill("240")
    demo.settled()
    assert asked == [f"{COFFEE}?width=240&format=webp"]


def test_a_model_does_not_run_twice(demo: Demo) -> None:
    demo.open(f"{COFFEE}?width=64&format=avif")
    asked = _asked(demo)
    demo.card("redact").get_by_role("switch").first.check()
    demo.settled()
    assert demo.fault == ""
    assert [address for address in asked if "redact" in address] == [f"{COFFEE}?redact=faces&width=64&format=avif"]


def test_another_image_is_never_a_blank_stage(demo: Demo) -> None:
    demo.open(f"{COFFEE}?width=300")
    expect(demo.locate('.thumb[data-key="photos/cat.jpg"] img.there')).to_be_visible()
    demo.page.route(re.compile(r"photos/cat\.jpg(?!.*width=160)"), _never_answered)
    demo.page.get_by_role("button", name="cat.jpg").click()
    expect(demo.locate("#before")).to_be_visible()
    expect(demo.locate("#before")).to_have_attribute("src", re.compile(r"cat\.jpg.*width=160"))
    expect(demo.locate("#after")).to_be_hidden()
    expect(demo.locate("#fact-result")).to_have_text("…")


def test_a_cancelled_change_can_be_tried_again_and_its_figures_are_dimmed(demo: Demo) -> None:
    demo.open(f"{COFFEE}?width=300")
    demo.page.route(re.compile(r"blur=11"), _never_answered)
    demo.row("blur", "Sigma").get_by_role("spinbutton").fill("11")
    demo.page.get_by_role("button", name="Cancel").click()
    expect(demo.locate("#facts")).to_have_class(re.compile(r"\bold\b"))
    demo.page.unroute(re.compile(r"blur=11"))
    demo.page.get_by_role("button", name="Try again").click()
    demo.settled()
    expect(demo.locate("#fault")).to_be_hidden()
    expect(demo.locate("#facts")).not_to_have_class(re.compile(r"\bold\b"))
    assert demo.path == f"{COFFEE}?width=300&blur=11"


def test_a_failed_change_can_be_tried_again(visit: Open, server: Server) -> None:
    with visit(server, wants="503") as demo:
        demo.open(f"{COFFEE}?width=300")
        demo.page.route(re.compile("width=190"), lambda route: route.fulfill(status=503, body="busy"))
        demo.row("resize", "Width").get_by_role("spinbutton").fill("190")
        demo.settled()
        assert "busy" in demo.fault
        expect(demo.locate("#announcement")).to_be_empty()
        demo.page.unroute(re.compile("width=190"))
        demo.page.get_by_role("button", name="Try again").click()
        demo.settled()
        assert demo.fault == ""
        assert demo.size() == (190, 127)

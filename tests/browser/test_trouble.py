"""What goes wrong is told in words a visitor can act on, and leaves the page usable."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FilePayload, expect
from tests.browser.conftest import Open
from tests.browser.pages import SECONDS, Demo
from tests.local_server import SAMPLES, Server, serving

COFFEE = "/photos/coffee.jpg"


@pytest.mark.parametrize(
    ("state", "status", "told"),
    [
        (f"{COFFEE}?blur=0.1", 400, "blur.sigma must be a number from 0.3 to 1000"),
        (f"{COFFEE}?sparkle=3", 400, "sparkle"),
        (f"{COFFEE}?spar%26kle=3", 400, "spar&kle"),
        (f"{COFFEE}?width=wide", 400, "wide"),
        (f"{COFFEE}?bucket=nobody", 403, "nobody"),
        ("/photos/none.jpg", 404, "photos/none.jpg"),
        ("//elsewhere.example/none.jpg", 404, "/elsewhere.example/none.jpg"),
        (f"{COFFEE}?contentModeration=report", 501, "Rekognition"),
    ],
    ids=[
        "range",
        "unknown parameter",
        "odd name",
        "not a number",
        "unknown bucket",
        "unknown key",
        "another host's",
        "no Rekognition",
    ],
)
def test_a_link_that_asks_for_what_cannot_be(visit: Open, server: Server, state: str, status: int, told: str) -> None:
    with visit(server, wants=str(status)) as demo:
        demo.open(state)
        assert told in demo.fault
        demo.page.get_by_role("button", name="cat.jpg").click()
        if demo.locate("#reset").is_enabled():
            demo.locate("#reset").click()
        demo.settled()
        assert demo.fault == ""
        assert demo.size() == (451, 300)


def test_a_link_without_a_picture_asks_for_one(visit: Open, server: Server) -> None:
    with visit(server) as demo:
        demo.open("/?blur=3")
        assert "No image is selected" in demo.fault
        expect(demo.locate(".thumb img.there").first).to_be_visible()
        demo.page.get_by_role("button", name="cat.jpg").click()
        demo.settled()
        assert demo.fault == ""


def test_too_large_for_the_service(visit: Open) -> None:
    with serving(SAMPLES, MAX_SOURCE_PIXELS="100000") as server, visit(server, wants="413") as demo:
        demo.open(f"{COFFEE}?width=200")
        assert "too large" in demo.fault
        assert re.search(r"\d{6}", demo.fault)


def test_the_original_stays_in_sight_behind_a_mistake(visit: Open, server: Server) -> None:
    with visit(server, wants="400") as demo:
        demo.open(f"{COFFEE}?blur=0.1")
        expect(demo.locate("#before")).to_be_visible()
        expect(demo.locate("#after")).to_be_hidden()
        expect(demo.locate("#fact-original")).to_have_text("600 × 400 · 56.1 kB · JPEG")
        expect(demo.row("blur", "Sigma")).to_be_in_viewport()


def test_a_host_that_has_no_api(visit: Open, server: Server) -> None:
    """Nothing but 404 where the list should be: the samples, and whatever is typed."""
    with visit(server, wants="404") as demo:
        demo.page.route("**/_api/**", lambda route: route.fulfill(status=404, body="<h1>Not here</h1>"))
        demo.open()
        expect(demo.locate("#images-note")).to_contain_text("does not list its images")
        assert demo.size() == (512, 512)
        demo.page.get_by_role("tab", name="Base64 JSON").click()
        expect(demo.locate("#code-note")).to_contain_text("404")
        demo.page.get_by_role("tab", name="URL", exact=True).click()
        expect(demo.locate("#copy")).to_be_enabled()


def test_listing_can_be_off(visit: Open) -> None:
    with serving(SAMPLES, LIST_IMAGES="No") as server, visit(server, wants="40[34]") as demo:
        demo.open()
        expect(demo.locate(".thumb")).not_to_have_count(0)
        expect(demo.locate("#images-note")).not_to_be_empty()
        assert demo.fault == ""


def test_a_server_that_is_gone_and_back(demo: Demo) -> None:
    demo.open(f"{COFFEE}?width=200")
    entry = demo.row("resize", "Width").get_by_role("spinbutton")
    demo.page.route("**/photos/**", lambda route: route.abort())
    entry.fill("190")
    demo.settled()
    assert "cannot be reached" in demo.fault
    demo.page.unroute("**/photos/**")
    demo.locate("#again").click()
    demo.settled()
    assert demo.fault == ""
    assert demo.size()[0] == 190
    demo.faults[:] = [each for each in demo.faults if "ERR_FAILED" not in each]


def test_an_answer_that_is_no_picture(visit: Open, server: Server) -> None:
    with visit(server, wants="50[24]") as demo:
        demo.open(COFFEE)
        demo.page.route(re.compile("width="), lambda route: route.fulfill(status=504, body="<html>gateway</html>"))
        demo.row("resize", "Width").get_by_role("spinbutton").fill("190")
        demo.settled()
        assert "The request took too long" in demo.fault
        assert "504" in demo.fault


def test_a_file_that_is_no_picture(visit: Open, server: Server) -> None:
    with visit(server, wants="4(15|22)") as demo:
        demo.open(COFFEE)
        demo.locate("#file").set_input_files(SAMPLES / "CREDITS.md")
        expect(demo.locate("#fault")).to_contain_text("Not a supported image format", timeout=SECONDS)
        empty = FilePayload(name="nothing.jpg", mimeType="image/jpeg", buffer=b"")
        demo.locate("#file").set_input_files([empty])
        expect(demo.locate("#fault")).to_contain_text("The file nothing.jpg is empty.", timeout=SECONDS)

"""The gallery's page in trouble: no room, no network, a slow one, a server that ends in the middle of an upload."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import pyvips
from playwright.sync_api import CDPSession, Route, expect
from tests.browser import gallery_page as gallery
from tests.browser.conftest import Open
from tests.browser.pages import SECONDS, Demo
from tests.local_server import Server

SLOW = 60_000
"""Bytes per second of a slow network, for files of some hundred kilobytes."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("gallery")
    with gallery.serving_gallery(folder, GALLERY_RECIPES=gallery.CHEAP, USER_LIMIT="3") as server:
        yield server


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """A picture of 400 kB that no encoder makes smaller."""
    image = pyvips.Image.new_from_memory(os.urandom(400 * 333 * 3), 400, 333, 3, "uchar")
    image.pngsave(str(tmp_path / "noise.png"), compression=0)
    return tmp_path / "noise.png"


def _slow_down(demo: Demo) -> CDPSession:
    session = demo.page.context.new_cdp_session(demo.page)
    _set_network(session, upload=SLOW)
    return session


def _set_network(session: CDPSession, *, upload: int) -> None:
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": upload}
    session.send("Network.emulateNetworkConditions", conditions)


def test_two_tabs_cannot_pass_the_limit(visit: Open, served: Server) -> None:
    with visit(served, wants="409") as first:
        gallery.open_gallery(first)
        gallery.keep(first, "cat.jpg", "coffee.jpg")
        second = Demo(first.page.context.new_page(), served)
        gallery.open_gallery(second)
        gallery.choose(first, "rocket.jpg")
        gallery.choose(second, "raccoon.jpg")
        for demo in (first, second):
            expect(demo.locate("#usage-text")).to_have_text("3 of 3 used", timeout=SECONDS)
        told = [demo.locate("#queue").inner_text() for demo in (first, second)]
        assert sorted("Your gallery is full" in text for text in told) == [False, True]
        gallery.open_gallery(first)
        assert len(gallery.names(first)) == 3
        expect(first.locate("#full")).to_contain_text("it keeps 3 pictures. Delete some")


def test_a_deletion_makes_room_at_once(visit: Open, served: Server) -> None:
    with visit(served) as demo:
        gallery.open_gallery(demo)
        gallery.keep(demo, "cat.jpg", "coffee.jpg", "rocket.jpg")
        expect(demo.locate("#full")).to_be_visible()
        gallery.shot(demo, "rocket.jpg").get_by_role("button", name="Delete rocket.jpg").click()
        expect(demo.locate("#full")).to_be_hidden()
        gallery.choose(demo, "raccoon.jpg")  # within the time in which the deletion can be undone
        expect(demo.locate("#share")).to_be_visible(timeout=SECONDS)
        expect(demo.page.get_by_role("button", name="Undo")).to_have_count(0)


def test_an_upload_shows_its_progress_and_can_be_cancelled(visit: Open, served: Server, noise: Path) -> None:
    with visit(served) as demo:
        gallery.open_gallery(demo)
        session = _slow_down(demo)
        gallery.choose(demo, noise)
        expect(demo.locate("#before")).to_be_visible()  # the visitor's own file, long before it is stored
        expect(demo.locate("#busy-text")).to_contain_text("Uploading", timeout=SECONDS)
        demo.locate("#stage").get_by_role("button", name="Cancel").click()
        queue = demo.page.get_by_role("region", name="Uploads")
        expect(queue).to_contain_text("Cancelled")
        _set_network(session, upload=-1)
        queue.get_by_role("button", name="Try again: noise.png").click()
        expect(gallery.shot(demo, "noise.png")).to_have_attribute("data-status", "ready", timeout=SECONDS)
        expect(demo.locate("#usage-text")).to_have_text("1 of 3 used")


def test_uploads_wait_while_the_browser_is_offline(visit: Open, served: Server) -> None:
    with visit(served, wants="ERR_INTERNET_DISCONNECTED") as demo:
        gallery.open_gallery(demo)
        demo.page.context.set_offline(True)
        expect(demo.locate("#banner")).to_have_text("You are offline. Uploads wait and go on by themselves.")
        gallery.choose(demo, "cat.jpg", "coffee.jpg")
        expect(demo.locate("#queue-list")).to_contain_text("Waiting until you are online again", timeout=SECONDS)
        demo.page.context.set_offline(False)
        for name in ("cat.jpg", "coffee.jpg"):
            expect(gallery.shot(demo, name)).to_have_attribute("data-status", "ready", timeout=SECONDS)
        expect(demo.locate("#banner")).to_be_hidden()


def test_a_busy_server_is_asked_again_when_it_says_so(visit: Open, served: Server) -> None:
    refused: list[str] = []

    def refuse_once(route: Route) -> None:
        if refused or route.request.method != "POST":
            return route.continue_()
        refused.append(route.request.url)
        body = '{"status": 503, "code": "Busy", "message": "too many pictures wait"}'
        return route.fulfill(status=503, headers={"Retry-After": "1"}, content_type="application/json", body=body)

    with visit(served, wants="503") as demo:
        gallery.open_gallery(demo)
        demo.page.route("**/_api/gallery/pictures", refuse_once)
        gallery.choose(demo, "cat.jpg", "coffee.jpg")
        expect(demo.locate("#queue-list")).to_contain_text("It is tried again by itself.")
        for name in ("cat.jpg", "coffee.jpg"):
            expect(gallery.shot(demo, name)).to_have_attribute("data-status", "ready", timeout=SECONDS)
    assert len(refused) == 1


def test_a_server_that_is_killed_in_the_middle_gets_the_upload_when_it_is_back(
    visit: Open, tmp_path: Path, noise: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serving = partial(gallery.serving_gallery, tmp_path, port=port, GALLERY_RECIPES="smaller")
    with serving() as server, visit(server, wants="ERR_|Failed") as demo:
        gallery.open_gallery(demo)
        gallery.keep(demo, "cat.jpg")
        session = _slow_down(demo)
        gallery.choose(demo, noise)
        expect(demo.locate("#busy-text")).to_contain_text("Uploading", timeout=SECONDS)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(timeout=20)
        expect(demo.locate("#busy-text")).to_contain_text("cannot be reached", timeout=SECONDS)
        expect(demo.locate("#busy-text")).to_contain_text("It is tried again by itself.")
        _set_network(session, upload=-1)
        with serving():
            expect(demo.locate("#share")).to_be_visible(timeout=60_000)
            gallery.open_gallery(demo)
            assert sorted(gallery.names(demo)) == ["cat.jpg", "noise.png"]
            expect(demo.locate("#usage-text")).to_have_text("2 of 50 used")

"""The gallery's page at every size, in both schemes, by keyboard, in two languages: small, and for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser import gallery_page as gallery
from tests.browser.conftest import Open
from tests.browser.pages import DESKTOP, PHONE
from tests.browser.test_first_view import violations
from tests.local_server import Server

SECONDS = gallery.SECONDS
TABLET = (820, 1180)
MAX_BYTES = 150_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with gallery.serving_gallery(tmp_path_factory.mktemp("gallery"), GALLERY_RECIPES=gallery.CHEAP) as server:
        yield server


def test_the_first_view_is_small(visit: Open, served: Server) -> None:
    """Bytes as they go over the wire, and nothing of them is fetched in vain."""
    with visit(served) as demo:
        session = demo.page.context.new_cdp_session(demo.page)
        session.send("Network.enable")
        sizes: list[float] = []
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        gallery.open_gallery(demo)
    assert len(sizes) > 15
    assert sum(sizes) < MAX_BYTES


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_for_everybody(visit: Open, served: Server, size: tuple[int, int], scheme: str, tmp_path: Path) -> None:
    """axe-core finds nothing, in any of the page's main states."""
    (tmp_path / "notes.png").write_bytes(b"this is text")
    with visit(served, size, scheme=scheme) as demo:
        gallery.open_gallery(demo)
        found = {"first visit": violations(demo)}
        gallery.choose(demo, "cat.jpg")
        expect(demo.locate("#share")).to_be_visible(timeout=SECONDS)
        gallery.apply(demo, "Smaller file")
        expect(demo.locate('[data-tile="fewer-colours"] img')).to_be_visible(timeout=SECONDS)
        found["a result"] = violations(demo)
        demo.locate("#share").click()
        expect(demo.locate("#share-text")).not_to_have_value("")
        found["share"] = violations(demo)
        demo.page.get_by_role("dialog").get_by_role("button", name="Close").click()
        gallery.back(demo)
        gallery.choose(demo, "cat.jpg", tmp_path / "notes.png")
        expect(demo.locate("#queue")).to_contain_text("You have this picture already")
        expect(gallery.shot(demo, "notes.png").locator(".reason")).to_be_visible(timeout=SECONDS)
        demo.page.get_by_role("button", name="Select all").click()
        found["history, queue and selection"] = violations(demo)
        gallery.shot(demo, "notes.png").get_by_role("button", name="Delete notes.png").click()
        demo.page.get_by_role("button", name="Delete all of mine").click()
        found["a notice and a question"] = violations(demo)
    assert {state: wrong for state, wrong in found.items() if wrong} == {}

"""The pictures of the demo page and of the gallery in docs/images, taken anew: `make screenshots`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyvips
from playwright.sync_api import Browser, expect, sync_playwright
from tests.browser import gallery_page as gallery
from tests.browser.pages import DESKTOP, PHONE, SECONDS, Demo, tab
from tests.local_server import ROOT, SAMPLES, Server, serving
from tests.stand_ins.rekognition import rekognition_server

FOLDER = ROOT / "docs" / "images"
OPTIONS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu")
_QUALITY = 86


class Shot(NamedTuple):
    """A state of the page, by the file's name: what the address says, and what a hand does then."""

    name: str
    state: str
    act: Callable[[Demo], object] = Demo.settled
    size: tuple[int, int] = DESKTOP
    scheme: str = "light"
    wants: str = ""
    """What the console may say."""


def _searched(demo: Demo) -> None:
    demo.page.get_by_role("searchbox").fill("crop")


def _addresses(demo: Demo) -> None:
    demo.page.get_by_role("tab", name="<picture>").click()


def _boxed(demo: Demo) -> None:
    demo.opened("crop").get_by_role("button", name="Draw the box").click()
    demo.locate(".box").wait_for()
    demo.card("crop").get_by_role("button", name="Crop", exact=True).scroll_into_view_if_needed()


def _zoomed(demo: Demo) -> None:
    for _ in range(4):
        demo.page.get_by_role("button", name="Zoom in").click()


SHOTS = (
    Shot("demo", "/photos/astronaut.jpg?removeBackground=true&format=webp"),
    Shot("demo-dark", "/photos/cat.jpg?quantize=8&format=png", _zoomed, scheme="dark"),
    Shot("demo-search", "side/photos/coffee.jpg?width=400&height=400&grayscale=true&format=auto", _searched),
    Shot("demo-box", "/photos/coffee.jpg?crop.left=22p&crop.top=8p&crop.width=52p&crop.height=70p", _boxed),
    Shot("demo-report", "/photos/rocket.jpg?contentModeration=report"),
    Shot("demo-error", "/photos/coffee.jpg?blur=0.1&format=webp", scheme="dark", wants="400"),
    Shot("demo-addresses", "/photos/raccoon.jpg?width=600&height=400&format=webp", _addresses),
    Shot("demo-phone", "/photos/astronaut.jpg?removeBackground=true&format=webp", size=PHONE),
    Shot("demo-phone-dark", "/photos/coffee.jpg?width=600&format=auto", size=PHONE, scheme="dark"),
)


def _cut_out(demo: Demo) -> None:
    gallery.choose(demo, "astronaut.jpg")
    expect(demo.locate('[data-tile="blur-faces"] img')).to_be_visible(timeout=SECONDS)
    gallery.apply(demo, "Cut out")


def _history(demo: Demo) -> None:
    _cut_out(demo)
    gallery.apply(demo, "Product square")
    gallery.back(demo)
    gallery.keep(demo, "cat.jpg", "coffee.jpg", "raccoon.jpg", "rocket.jpg")
    for name, recipe in (("cat.jpg", "Fewer colours"), ("raccoon.jpg", "Cut out")):
        gallery.shot(demo, name).locator(".shot-image").click()
        gallery.apply(demo, recipe)
        gallery.back(demo)
    for name in ("cat.jpg", "raccoon.jpg"):
        gallery.shot(demo, name).get_by_role("checkbox").check()


GALLERY_SHOTS = (
    Shot("gallery", "", _cut_out),
    Shot("gallery-history", "", _history, scheme="dark"),
    Shot("gallery-first", "", gallery.open_gallery, size=PHONE),
    Shot("gallery-phone", "", _cut_out, size=PHONE, scheme="dark"),
)


def take(browser: Browser, server: Server, shot: Shot) -> None:
    with tab(browser, server, shot.size, scheme=shot.scheme, wants=shot.wants) as demo:
        if shot in SHOTS:
            demo.open(shot.state)
            shot.act(demo)
            demo.settled()
        else:
            gallery.open_gallery(demo)
            shot.act(demo)
        demo.page.mouse.move(0, 0)
        demo.page.wait_for_timeout(1500)  # the original, which comes after the result, and what fades in
        taken = pyvips.Image.new_from_buffer(demo.page.screenshot(), "")
    taken[:3].webpsave(str(FOLDER / f"{shot.name}.webp"), Q=_QUALITY, effort=6, smart_subsample=True)


def main() -> None:
    with rekognition_server() as stand_in, sync_playwright() as playwright:
        stand_in.labels = lambda _: {"Smoking": 97.2, "Alcohol": 84.6}
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        with serving(SAMPLES, **stand_in.environment) as server:
            server.ask("/photos/raccoon.jpg?removeBackground=true")  # loads the model, which every later cut-out finds
            for shot in SHOTS:
                take(browser, server, shot)
        with tempfile.TemporaryDirectory() as folder, gallery.serving_gallery(Path(folder)) as server:
            for shot in GALLERY_SHOTS:
                take(browser, server, shot)
        browser.close()


if __name__ == "__main__":
    main()

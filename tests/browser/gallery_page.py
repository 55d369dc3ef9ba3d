"""The page of the gallery in a real browser: what a test does with it and reads from it."""

from __future__ import annotations

import base64
import mimetypes
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, expect
from tests.browser.pages import SECONDS, Demo
from tests.gallery.conftest import gallery_settings
from tests.local_server import SAMPLES, Server, running
from tests.tools import require_tool
from tests.weights import WEIGHTS

HOME = "/_gallery/"
PHOTOS = SAMPLES / "photos"
CHEAP = "smart-square,smaller,fewer-colours"
"""Recipes without a model."""
expect.set_options(timeout=SECONDS)  # the machine may be busy, for what is quick as well


@contextmanager
def serving_gallery(folder: Path, *options: str, port: int = 0, **environment: str) -> Iterator[Server]:
    program = require_tool("image-handler", "make setup")
    settings = gallery_settings(folder, WEIGHTS=str(WEIGHTS), **environment)
    with running(program, "serve", "--port", str(port), *options, environment=settings) as server:
        yield server


def open_gallery(demo: Demo, state: str = "") -> Demo:
    """Load the page until the pictures are listed."""
    demo.page.goto("about:blank")
    demo.page.goto(f"{demo.origin}{HOME}{state}")
    expect(demo.locate("html[data-listed=true]")).to_be_attached(timeout=SECONDS)
    return demo


def choose(demo: Demo, *files: Path | str) -> None:
    """Choose files in the dialog of the browser."""
    demo.locate("#files").set_input_files([str(each if isinstance(each, Path) else PHOTOS / each) for each in files])


def bring(demo: Demo, *files: Path, event: str = "drop") -> None:
    """Drop files on the page, or paste them into it."""
    contents = [
        [each.name, mimetypes.guess_type(each.name)[0], base64.b64encode(each.read_bytes()).decode()] for each in files
    ]
    demo.page.evaluate(
        """([event, files]) => {
            const data = new DataTransfer();
            for (const [name, type, text] of files) {
                data.items.add(new File([Uint8Array.from(atob(text), (each) => each.charCodeAt(0))], name, { type }));
            }
            const options = { bubbles: true, cancelable: true, clipboardData: data, dataTransfer: data };
            const made = event === "drop" ? new DragEvent(event, options) : new ClipboardEvent(event, options);
            document.body.dispatchEvent(made);
        }""",
        [event, contents],
    )


def shot(demo: Demo, name: str) -> Locator:
    """The picture of this name in the history."""
    field = demo.page.locator(f'input.name[title="{name}"]')
    return demo.locate(".shot").filter(has=field)


def tile(demo: Demo, name: str) -> Locator:
    """The button of a recipe."""
    return demo.locate("#tiles").get_by_role("button", name=re.compile(f"^(−\\d+ % ?)?{re.escape(name)}$"))


def keep(demo: Demo, *files: Path | str) -> None:
    """Upload pictures, and wait in the history until all of them are ready."""
    choose(demo, *files)
    if len(files) == 1:
        expect(demo.locate("#share")).to_be_visible(timeout=SECONDS)
        back(demo)
    for each in files:
        expect(shot(demo, Path(each).name)).to_have_attribute("data-status", "ready", timeout=SECONDS)


def back(demo: Demo) -> None:
    demo.page.get_by_role("link", name="All pictures").click()
    expect(demo.locate("#home")).to_be_visible()


def apply(demo: Demo, recipe: str) -> None:
    """Click the tile of a recipe, and wait for its result."""
    tile(demo, recipe).click()
    expect(tile(demo, recipe)).to_have_attribute("aria-pressed", "true")
    settle(demo)
    expect(demo.locate("#download")).to_be_visible(timeout=SECONDS)


def settle(demo: Demo) -> None:
    """Wait until nothing is under way on the stage."""
    expect(demo.locate("#stage")).to_have_attribute("aria-busy", "false", timeout=SECONDS)


def list_names(demo: Demo) -> Sequence[str]:
    """Return the names of the visitor's pictures as the API lists them."""
    listed = demo.page.request.get(f"{demo.origin}/_api/gallery/pictures", headers={"X-Gallery": "1"})
    return [each["name"] for each in listed.json()["pictures"]]


def names(demo: Demo) -> Sequence[str]:
    """Return the names in the history, in their order."""
    return [each.input_value() for each in demo.locate(".shot input.name").all()]


def download(demo: Demo, link: Locator) -> tuple[str, bytes]:
    """Click something that saves a file, and return its name and content."""
    with demo.page.expect_download(timeout=SECONDS) as saved:
        link.click()
    return saved.value.suggested_filename, saved.value.path().read_bytes()

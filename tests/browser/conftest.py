"""A real Chromium, and local servers with the real handler behind them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import pytest
from playwright.sync_api import Browser, sync_playwright
from tests.browser import gallery_page as gallery
from tests.browser.pages import Demo, tab
from tests.local_server import SAMPLES, Server, serving
from tests.tools import require_tool

Open = Callable[..., AbstractContextManager[Demo]]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Without windows of its own, the shell takes half of the time for each page; the engine is the same.
    program = shutil.which("chromium-headless-shell") or require_tool("chromium", "apt-get install chromium")
    options = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=options)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving(SAMPLES) as running:
        yield running


@pytest.fixture
def demo(browser: Browser, server: Server) -> Iterator[Demo]:
    with tab(browser, server) as opened:
        yield opened


@pytest.fixture
def visit(browser: Browser) -> Open:
    """A page on another server, or of another size."""
    return partial(tab, browser)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A gallery whose recipes run no model, so that previews cost little."""
    with gallery.serving_gallery(tmp_path_factory.mktemp("gallery"), GALLERY_RECIPES=gallery.CHEAP) as running:
        yield running


@pytest.fixture
def visitor(visit: Open, served: Server) -> Iterator[Demo]:
    """A new visitor of the gallery, with the page open."""
    with visit(served) as opened:
        yield gallery.open_gallery(opened)

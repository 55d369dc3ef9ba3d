"""The demo page in a real browser: what a test does with it and reads from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect
from tests.local_server import Server

HOME = "/_demo/"
SECONDS = 60_000
"""Milliseconds: the machine may be busy, and a model takes its time."""
DESKTOP, PHONE = (1440, 900), (390, 844)
LOADED_SIZE = """async (image) => {
  if (!image.naturalWidth) await new Promise((resolve) => image.addEventListener("load", resolve, { once: true }));
  return [image.naturalWidth, image.naturalHeight];
}"""
"""An image has no size before it is put on the stage, nor while it is loaded."""


@dataclass
class Demo:
    """A tab with the demo page in it, and what went wrong there."""

    page: Page
    server: Server
    faults: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    """Requests to any other origin."""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def open(self, state: str = "") -> Demo:
        """Load the page, with a state such as `/photos/cat.jpg?width=300`, until the first picture is there."""
        if self.page.url != "about:blank":
            # Otherwise only the fragment changes, and nothing tells when the page has read it.
            self.page.goto("about:blank")
        self.page.goto(f"{self.origin}{HOME}{'#' + state if state else ''}")
        expect(self.page.locator("html[data-ready=true]")).to_be_attached(timeout=SECONDS)
        return self.settled()

    def settled(self, *, recorded: bool = False) -> Demo:
        """Wait until nothing is under way: the pause after a keystroke, and the answer.

        With `recorded` the change is in the address bar and among the edits to undo, too.
        """
        expect(self.page.locator("html:not([data-pending])")).to_be_attached(timeout=SECONDS)
        if recorded:
            self.page.wait_for_timeout(300)
        expect(self.page.locator("#stage")).to_have_attribute("aria-busy", "false", timeout=SECONDS)
        return self

    def locate(self, selector: str) -> Locator:
        return self.page.locator(selector)

    def card(self, feature: str) -> Locator:
        """Of a feature; of the output, if none is named."""
        return self.page.locator(f'.card[data-feature="{feature or "output"}"]')

    def opened(self, feature: str) -> Locator:
        """The card with its parameters in sight."""
        card = self.card(feature)
        if card.locator(".opener").get_attribute("aria-expanded") == "false":
            card.locator(".opener").click()
        card.locator('.card-body button.quiet[aria-expanded="false"]').evaluate_all(
            "all => all.forEach(one => one.click())"
        )
        return card

    def row(self, feature: str, label: str) -> Locator:
        """The row of one parameter, by its label."""
        head = self.page.locator(".row-head > :first-child").filter(has_text=re.compile(f"^{re.escape(label)}$"))
        return self.opened(feature).locator(".row").filter(has=head)

    def recipe(self, title: str) -> None:
        self.page.get_by_role("group", name="Examples").get_by_role("button", name=title, exact=True).click()

    @property
    def code(self) -> str:
        return self.page.locator("#code").inner_text()

    @property
    def path(self) -> str:
        """Path and query of the address that is shown."""
        parts = urlsplit(self.code)
        return parts.path + ("?" + parts.query if parts.query else "")

    @property
    def result(self) -> str:
        return self.page.locator("#fact-result").inner_text()

    @property
    def fault(self) -> str:
        shown = self.page.locator("#fault:not(.calm)")
        return shown.inner_text() if shown.is_visible() else ""

    def size(self, which: str = "after") -> tuple[int, int]:
        """The pixels of what is on the stage."""
        width, height = self.page.locator(f"#{which}").evaluate(LOADED_SIZE)
        return width, height


@contextmanager
def tab(
    browser: Browser,
    server: Server,
    size: tuple[int, int] = DESKTOP,
    *,
    scheme: str = "light",
    wants: str = "",
    locale: str = "en-US",
) -> Iterator[Demo]:
    """A page of its own; afterwards nothing but refusals that `wants` names may have been told on its console."""
    phone = size[0] < 800
    context: BrowserContext = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        locale=locale,
        has_touch=phone,
        is_mobile=phone,
        permissions=["clipboard-read", "clipboard-write"],
    )
    page = context.new_page()
    page.set_default_timeout(SECONDS)
    demo = Demo(page, server)

    def told(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not (wants and re.search(wants, message.text)):
            demo.faults.append(f"{message.text} [{message.location['url']}]")

    def asked(request: Request) -> None:
        if not request.url.startswith((demo.origin, "blob:" + demo.origin)):
            demo.elsewhere.append(request.url)

    page.on("console", told)
    page.on("pageerror", lambda error: demo.faults.append(str(error)))
    page.on("request", asked)
    try:
        yield demo
    finally:
        context.close()
    assert demo.faults == [], demo.faults  # this file is no test, whose comparison pytest would spell out
    assert demo.elsewhere == [], demo.elsewhere

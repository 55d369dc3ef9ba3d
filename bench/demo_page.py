"""The demo page's first view on this machine: `python -m bench.demo_page` prints medians over fresh browsers."""

from __future__ import annotations

import shutil
import statistics

from playwright.sync_api import Browser, sync_playwright
from tests.local_server import SAMPLES, serving

ROUNDS = 7


def first_view(browser: Browser, address: str) -> tuple[float, float, float]:
    """Milliseconds until the page answers to a hand, until the first result is there, and kB beside the pictures."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    own: set[str] = set()
    sent = [0.0]
    session.on(
        "Network.responseReceived",
        lambda said: own.add(said["requestId"]) if "/_" in said["response"]["url"] else None,
    )
    session.on(
        "Network.loadingFinished",
        lambda said: sent.append(said["encodedDataLength"]) if said["requestId"] in own else None,
    )
    page.goto(address)
    page.locator("html[data-ready=true]").wait_for(state="attached")
    page.locator("#after:not([hidden])").wait_for()
    usable = page.evaluate("performance.getEntriesByName('usable')[0].startTime")
    shown = page.evaluate("performance.getEntriesByName('shown')[0].startTime")
    context.close()
    return usable, shown, sum(sent) / 1000


def main() -> None:
    with serving(SAMPLES) as server, sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        program = shutil.which("chromium")
        address = f"http://127.0.0.1:{server.port}/_demo/"
        rows = []
        for _ in range(ROUNDS):
            browser = playwright.chromium.launch(executable_path=program, args=options)
            rows.append(first_view(browser, address))
            browser.close()
    usable, shown, kilobytes = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"usable after {usable:.0f} ms, first result after {shown:.0f} ms, {kilobytes:.0f} kB beside the pictures")


if __name__ == "__main__":
    main()

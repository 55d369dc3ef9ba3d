"""The demo page in a browser on this machine: `python -m bench.demo_page` prints medians.

The first view is measured in fresh browsers, and the previews of later changes in one page, for several samples. What a
preview takes beside the handler is the pause after the change, the request's way, decoding and drawing.
"""

from __future__ import annotations

import shutil
import statistics
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright
from tests.local_server import SAMPLES, serving

ROUNDS = 7
PHOTOS = ("astronaut", "cat", "coffee", "raccoon", "rocket")
WIDTHS = (340, 320, 300, 280, 260, 240)
OBSERVE = """
window.answers = [];
const observer = new PerformanceObserver((list) => window.answers.push(...list.getEntries()));
observer.observe({ type: "resource", buffered: true });
"""
WAIT = """async (name) => {
  let mark;
  while (!(mark = performance.getEntriesByName(name)[0])) await new Promise((resolve) => setTimeout(resolve, 2));
  return mark.startTime;
}"""
CHANGE = """async ([width, wanted]) => {
  const entry = document.querySelector('.card[data-feature="resize"] input[type="number"]');
  performance.clearMarks("preview");
  const started = performance.now();
  entry.value = String(width);
  entry.dispatchEvent(new Event("input", { bubbles: true }));
  let mark;
  while (!(mark = performance.getEntriesByName("preview")[0])) await new Promise((resolve) => setTimeout(resolve, 2));
  await new Promise((resolve) => setTimeout(resolve, 50)); // the observer is told later
  const answer = window.answers.find(({ name }) => name.includes(wanted));
  return [mark.startTime - started, answer.responseEnd - answer.requestStart];
}"""


class FirstView(NamedTuple):
    """Milliseconds from the request for the page, and kilobytes beside the pictures."""

    usable: float
    preview: float
    result: float
    kilobytes: float


def measure_first_view(browser: Browser, address: str) -> FirstView:
    """Return what a first visit takes, with an empty cache."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    own: set[str] = set()
    sent = [0.0]
    session.on(
        "Network.responseReceived",
        lambda answer: own.add(answer["requestId"]) if "/_" in answer["response"]["url"] else None,
    )
    session.on(
        "Network.loadingFinished",
        lambda end: sent.append(end["encodedDataLength"]) if end["requestId"] in own else None,
    )
    page.goto(address)
    moments = [_wait_for_mark(page, name) for name in ("usable", "preview", "shown")]
    context.close()
    usable, preview, result = moments
    return FirstView(usable, preview, result, sum(sent) / 1000)


def measure_previews(page: Page, address: str) -> list[tuple[float, float]]:
    """Return milliseconds from each of some changes to its preview, and those that its request took of them."""
    page.add_init_script(OBSERVE)
    found = []
    for photo in PHOTOS:
        page.goto("about:blank")
        page.goto(f"{address}#/photos/{photo}.jpg?width=360&format=auto")
        _wait_for_mark(page, "shown")
        page.locator('#stage[aria-busy="false"]').wait_for()
        for width in WIDTHS:
            found.append(page.evaluate(CHANGE, [width, f"{photo}.jpg?width={width}&format=webp"]))
            page.locator('#stage[aria-busy="false"]').wait_for()
            page.wait_for_timeout(300)  # the thumbnails and the original, which come after the result
    return found


def _wait_for_mark(page: Page, name: str) -> float:
    return float(page.evaluate(WAIT, name))


def main() -> None:
    with serving(SAMPLES) as server, sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        program = shutil.which("chromium")
        address = f"http://127.0.0.1:{server.port}/_demo/"
        rows = []
        for _ in range(ROUNDS):
            browser = playwright.chromium.launch(executable_path=program, args=options)
            rows.append(measure_first_view(browser, address))
            browser.close()
        browser = playwright.chromium.launch(executable_path=program, args=options)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        previews = measure_previews(page, address)
        browser.close()
    first = FirstView(*(statistics.median(column) for column in zip(*rows, strict=True)))
    total, answered = (statistics.median(column) for column in zip(*previews, strict=True))
    beside = statistics.median(whole - answer for whole, answer in previews)
    print(f"first view: usable after {first.usable:.0f} ms, preview after {first.preview:.0f} ms,")
    print(f"  result after {first.result:.0f} ms, {first.kilobytes:.0f} kB beside the pictures")
    print(f"{len(previews)} changes: preview after {total:.0f} ms, of which its request took {answered:.0f} ms;")
    print(f"  beside the request {beside:.0f} ms")


if __name__ == "__main__":
    main()

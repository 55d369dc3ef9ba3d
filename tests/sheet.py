"""Draw the pictures of pages in docs/ from the URLs on those pages: `python -m tests.sheet`."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pyvips
from tests.client import Client
from tests.hdr_sheet import draw_hdr
from tests.local_server import ROOT, SAMPLES
from tests.weights import WEIGHTS

PAGES = ("text", "redact", "cutout", "compose", "upscale")
"""Names of pages, and of their pictures in docs/images."""


def sheet_of(page: str) -> Path:
    """Return the file of a page's picture."""
    return ROOT / "docs" / "images" / f"{page}.webp"


def read_urls(page: str) -> list[str]:
    """Return the URLs of samples that the page shows, from top to bottom."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(r"^/photos/\S+$", text, re.MULTILINE)


def draw(client: Client, page: str) -> pyvips.Image:
    """Return the images of all URLs, three in a row; raise RuntimeError for an answer other than 200."""
    images = []
    for url in read_urls(page):
        answer = client.get(f"{url}&format=png")
        if answer.status != 200:
            raise RuntimeError(f"{url}: {answer.body.decode()}")
        images.append(pyvips.Image.new_from_buffer(answer.body, ""))
    return pyvips.Image.arrayjoin(images, across=3, shim=8, background=[255.0])


def draw_card(client: Client) -> pyvips.Image:
    """Return the canvas of the page about text; raise RuntimeError for an answer other than 200."""
    text = (ROOT / "docs" / "text.md").read_text(encoding="utf-8")
    (url,) = re.findall(r"^/_canvas\S+$", text, re.MULTILINE)
    answer = client.get(f"{url}&format=png")
    if answer.status != 200:
        raise RuntimeError(f"{url}: {answer.body.decode()}")
    return pyvips.Image.new_from_buffer(answer.body, "")


def samples_client() -> Client:
    """Return a client of the samples."""
    environment = {
        "SOURCE_BUCKETS": f"samples=file://{SAMPLES}",
        "VISION": "local",
        "PUBLIC_FEATURES": "*",
        "WEIGHTS": str(WEIGHTS),
    }
    return Client(environment)


if __name__ == "__main__":
    draw_card(samples_client()).webpsave(str(sheet_of("card")), Q=80, effort=6, smart_subsample=True)
    with tempfile.TemporaryDirectory() as folder:
        draw_hdr(Path(folder)).webpsave(str(sheet_of("hdr")), Q=80, effort=6, smart_subsample=True)
    for name in PAGES:
        drawn = draw(samples_client(), name)
        drawn.webpsave(str(sheet_of(name)), Q=80, effort=6, smart_subsample=True)

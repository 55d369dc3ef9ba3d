"""Draw the picture of docs/text.md from the URLs on that page: `python -m tests.sheet`."""

from __future__ import annotations

import re

import pyvips
from tests.client import Client
from tests.local_server import ROOT, SAMPLES

PAGE = ROOT / "docs" / "text.md"
SHEET = ROOT / "docs" / "images" / "text.webp"


def read_urls() -> list[str]:
    """Return the URLs of samples that the page shows, from top to bottom."""
    return re.findall(r"^/photos/\S+$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def draw(client: Client) -> pyvips.Image:
    """Return the images of all URLs, three in a row; raise RuntimeError for an answer other than 200."""
    images = []
    for url in read_urls():
        answer = client.get(f"{url}&format=png")
        if answer.status != 200:
            raise RuntimeError(f"{url}: {answer.body.decode()}")
        images.append(pyvips.Image.new_from_buffer(answer.body, ""))
    return pyvips.Image.arrayjoin(images, across=3, shim=8, background=[255.0])


def samples_client() -> Client:
    """Return a client of the samples."""
    return Client({"SOURCE_BUCKETS": f"samples=file://{SAMPLES}"})


if __name__ == "__main__":
    draw(samples_client()).webpsave(str(SHEET), Q=80, effort=6, smart_subsample=True)

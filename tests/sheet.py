"""Draw the pictures of pages in docs/ from the URLs on those pages, and those of all features: `python -m tests.sheet`.

`python -m tests.sheet blur tint` draws those of these features alone.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyvips
from tests.client import Client
from tests.hdr_sheet import draw_hdr
from tests.local_server import ROOT, SAMPLES
from tests.weights import WEIGHTS

from handler.pages import EXAMPLES, Example

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


def picture_of(feature: str) -> Path:
    """Return the file of a feature's example in the API reference."""
    return ROOT / "docs" / "images" / "features" / f"{feature}.webp"


def list_examples() -> dict[str, Example]:
    """Return the first example of each feature, by its name, if its answer is an image that needs no other service."""
    shown = [each for each in EXAMPLES if each.feature and each.picture and each.anywhere]
    return {each.feature: each for each in reversed(shown)}


def draw_example(client: Client, example: Example) -> pyvips.Image:
    """Return the image of an example; raise RuntimeError for an answer other than 200."""
    query = re.sub(r"&format=\w+", "", example.query.replace("{logo}", "logo.png"))
    answer = client.get(f"/{'logo.png' if example.of == 'logo' else 'photos/astronaut.jpg'}?{query}&format=png")
    if answer.status != 200:
        raise RuntimeError(f"{example.title}: {answer.body.decode()}")
    return pyvips.Image.new_from_buffer(answer.body, "")


def draw_pages() -> None:
    """Write the pictures of the pages in docs/."""
    draw_card(samples_client()).webpsave(str(sheet_of("card")), Q=80, effort=6, smart_subsample=True)
    with tempfile.TemporaryDirectory() as folder:
        draw_hdr(Path(folder)).webpsave(str(sheet_of("hdr")), Q=80, effort=6, smart_subsample=True)
    for name in PAGES:
        drawn = draw(samples_client(), name)
        drawn.webpsave(str(sheet_of(name)), Q=80, effort=6, smart_subsample=True)


def draw_features(names: Sequence[str]) -> None:
    """Write the pictures of features; KeyError for a name that has no picture."""
    examples = list_examples()
    for name in names:
        drawn = draw_example(samples_client(), examples[name])
        drawn.webpsave(str(picture_of(name)), Q=75, effort=6, smart_subsample=True)


if __name__ == "__main__":
    if not sys.argv[1:]:
        draw_pages()
    draw_features(sys.argv[1:] or list(list_examples()))

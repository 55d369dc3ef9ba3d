"""The pictures of pages in docs/ show what the URLs of those pages answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pyvips
from tests.hdr_sheet import draw_hdr
from tests.hdr_sheet import read_urls as hdr_urls
from tests.sheet import PAGES, draw, draw_card, read_urls, samples_client, sheet_of
from tests.weights import require_weights

WEIGHTS = {"cutout": "optimised/u2net.onnx", "upscale": "upscale/waifu2x-photo.onnx"}
"""The weights that the URLs of a page need."""


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=[pytest.mark.models] if page in WEIGHTS else []) for page in PAGES]
)
def test_the_picture_shows_the_urls_of_the_page(page: str) -> None:
    if page in WEIGHTS:
        require_weights(WEIGHTS[page])
    drawn = draw(samples_client(), page)
    kept = pyvips.Image.new_from_file(str(sheet_of(page)))
    assert len(read_urls(page)) == 6
    assert (kept.width, kept.height) == (drawn.width, drawn.height)
    assert (kept.colourspace("srgb") - drawn.colourspace("srgb")[:3]).abs().avg() < 5
    assert sheet_of(page).stat().st_size < 150_000


def test_the_picture_of_hdr_shows_the_urls_of_its_page(tmp_path: Path) -> None:
    drawn = draw_hdr(tmp_path)
    kept: Any = pyvips.Image.new_from_file(str(sheet_of("hdr")))
    assert len(hdr_urls()) == 4
    assert (kept.width, kept.height) == (drawn.width, drawn.height)
    assert (kept - drawn).abs().avg() < 5
    assert sheet_of("hdr").stat().st_size < 150_000


def test_the_card_is_what_its_url_answers() -> None:
    drawn = draw_card(samples_client())
    kept = pyvips.Image.new_from_file(str(sheet_of("card")))
    assert (kept.width, kept.height) == (drawn.width, drawn.height) == (1200, 630)
    assert (kept.colourspace("srgb") - drawn.colourspace("srgb")[:3]).abs().avg() < 5
    assert sheet_of("card").stat().st_size < 60_000

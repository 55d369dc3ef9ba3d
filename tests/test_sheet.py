"""The picture of docs/text.md shows what the URLs of that page answer."""

from __future__ import annotations

import pyvips
from tests.sheet import SHEET, draw, read_urls, samples_client


def test_the_picture_shows_the_urls_of_the_page() -> None:
    drawn = draw(samples_client())
    kept = pyvips.Image.new_from_file(str(SHEET))
    assert len(read_urls()) == 6
    assert (kept.width, kept.height) == (drawn.width, drawn.height)
    assert (kept.colourspace("srgb") - drawn.colourspace("srgb")[:3]).abs().avg() < 5
    assert SHEET.stat().st_size < 150_000

"""What an alpha channel adds to the estimated time of a WebP. The figures themselves are measured, not tested."""

from __future__ import annotations

import pytest

from imaging import Output
from imaging.codecs.cost import encoding_seconds

SMALL, LARGE = 25_000, 25_001
"""Pixels on both sides of the bound above which the search of effort 10 is left out."""


def alpha_seconds(effort: int, pixels: int, *, lossless: bool = False) -> float:
    output = Output(format="webp", effort=effort, lossless=lossless)
    return encoding_seconds("webp", output, pixels, alpha=True) - encoding_seconds("webp", output, pixels)


@pytest.mark.parametrize("pixels", [SMALL, LARGE])
@pytest.mark.parametrize("lossless", [False, True])
def test_more_effort_is_never_estimated_to_take_less(pixels: int, *, lossless: bool) -> None:
    seconds = [alpha_seconds(effort, pixels, lossless=lossless) for effort in range(11)]
    assert seconds == sorted(seconds)
    assert seconds[-1] > 0


def test_the_longest_search_is_counted_where_it_is_made() -> None:
    assert alpha_seconds(10, SMALL) > 0.5
    assert alpha_seconds(10, LARGE) == pytest.approx(alpha_seconds(9, LARGE))


@pytest.mark.parametrize("name", ["jpeg", "png", "avif"])
def test_other_formats_count_no_alpha_channel(name: str) -> None:
    output = Output(format=name)
    assert encoding_seconds(name, output, 1_000_000, alpha=True) == encoding_seconds(name, output, 1_000_000)

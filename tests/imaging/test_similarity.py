"""The score of SSIMULACRA 2, against scores of a public implementation: `ssimulacra2` 0.3.0 of PyPI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import pyvips

from imaging.codecs.similarity import Reference

MARGIN = 192
"""Pixels of plain grey around the picture: implementations differ in what they see beyond the edges."""


def picture() -> Any:
    """Return waves, edges and noise of three colours, computed, so that no codec is part of the comparison."""
    rows, columns = np.mgrid[0:256, 0:320].astype(np.float64)
    waves = 90 * np.sin(columns / 9) * np.cos(rows / 14)
    squares = 40.0 * (((columns // 32) + (rows // 32)) % 2)
    noise = np.random.default_rng(7).normal(0, 6, (256, 320))
    return np.stack([110 + waves + noise, 90 + squares + noise, 60 + columns / 2 - noise], axis=2)


def blurred(levels: Any) -> Any:
    return sum(np.roll(np.roll(levels, down, 0), right, 1) for down in (-1, 0, 1) for right in (-1, 0, 1)) / 9


DAMAGES: dict[str, Callable[[Any], Any]] = {
    "little noise": lambda levels: levels + np.random.default_rng(1).normal(0, 2, levels.shape),
    "much noise": lambda levels: levels + np.random.default_rng(2).normal(0, 12, levels.shape),
    "few levels": lambda levels: np.round(levels / 16) * 16,
    "a blur": blurred,
    "squares": lambda levels: levels.reshape(32, 8, 40, 8, 3).mean((1, 3)).repeat(8, 0).repeat(8, 1),
    "another blue": lambda levels: levels + np.array([0, 0, 9.0]),
}
PUBLISHED = {
    "little noise": 93.278,
    "much noise": 63.538,
    "few levels": 85.351,
    "a blur": 71.136,
    "squares": 60.405,
    "another blue": 84.619,
}
"""What `ssymulacra2 picture.png damaged.png` prints."""


def with_margin(levels: Any) -> Any:
    image: Any = pyvips.Image.new_from_array(np.clip(np.round(levels), 0, 255).astype(np.uint8))
    image = image.embed(MARGIN, MARGIN, 320 + 2 * MARGIN, 256 + 2 * MARGIN, extend="background", background=[128] * 3)
    return image.copy(interpretation="srgb").copy_memory()


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(with_margin(picture()))


@pytest.mark.parametrize("damage", DAMAGES)
def test_scores_are_those_of_the_public_implementation(reference: Reference, damage: str) -> None:
    assert reference.score(with_margin(DAMAGES[damage](picture()))) == pytest.approx(PUBLISHED[damage], abs=0.02)


def test_equal_pixels_score_100(reference: Reference) -> None:
    assert reference.score(with_margin(picture())) == 100


def test_grey_is_scored_as_three_equal_channels() -> None:
    grey = with_margin(picture()).colourspace("b-w")
    damaged = with_margin(blurred(picture())).colourspace("b-w")
    in_colour = Reference(grey.colourspace("srgb")).score(damaged.colourspace("srgb"))
    assert Reference(grey).score(damaged) == pytest.approx(in_colour, abs=1e-4)


def test_colours_of_transparent_parts_do_not_count() -> None:
    clear = with_margin(picture()).bandjoin(0).copy(interpretation="srgb")
    other = with_margin(blurred(picture())).bandjoin(0).copy(interpretation="srgb")
    assert Reference(clear).score(other) == 100


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 300), (33, 9)])
def test_images_of_any_size_have_a_score(width: int, height: int) -> None:
    image: Any = with_margin(picture()).crop(MARGIN, MARGIN, min(width, 320), min(height, 256)).copy_memory()
    assert Reference(image).score(image) == 100
    assert Reference(image).score(image.invert()) <= 100

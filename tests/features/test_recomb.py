"""Channels mixed by a matrix."""

from __future__ import annotations

import numpy as np
import pytest
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from imaging import InvalidParameter

SEPIA = [[0.3588, 0.7044, 0.1368], [0.299, 0.587, 0.114], [0.2392, 0.4696, 0.0912]]


def test_as_computed() -> None:
    expected = np.clip(scene().numpy() @ np.array(SEPIA).T, 0, 255)
    assert np.abs(apply("recomb", sequential(scene()), matrix=SEPIA).image.numpy() - expected).max() <= 1


def test_alpha_stays_or_is_mixed() -> None:
    image = scene_with_alpha()
    assert mean_difference(apply("recomb", picture(image), matrix=SEPIA).image[3], image[3]) == 0
    swapped = "1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,0.5"
    assert mean_difference(apply("recomb", picture(image), matrix=swapped).image[3], image[3] * 0.5) < 1
    assert apply("recomb", picture(scene()), matrix=swapped).image.bands == 4


def test_grey_depth_and_animation() -> None:
    assert apply("recomb", picture(grey()), matrix=SEPIA).image.bands == 3
    made = apply("recomb", picture(deep()), matrix=SEPIA).image
    assert made.format == "ushort"
    assert mean_difference(made, apply("recomb", picture(scene()), matrix=SEPIA).image.colourspace("rgb16")) < 1
    assert apply("recomb", picture(film(), frames=3), matrix=SEPIA).frames == 3


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`recomb.matrix` must be 9 or 16 numbers, got 1,2,3"):
        apply("recomb", picture(scene()), matrix="1,2,3")

"""White or black."""

from __future__ import annotations

import pytest
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from imaging import InvalidParameter


def test_by_lightness_or_by_channel() -> None:
    made = apply("threshold", sequential(scene()), threshold=100).image
    assert mean_difference(made, (grey() >= 100).copy(interpretation="b-w")) == 0
    made = apply("threshold", picture(scene()), threshold=100, grayscale=False).image
    assert mean_difference(made, scene() >= 100) == 0


def test_nothing_at_zero_and_128_by_default() -> None:
    assert mean_difference(apply("threshold", picture(scene()), threshold=0).image, scene()) == 0
    assert mean_difference(apply("threshold", picture(grey())).image, grey() >= 128) == 0


def test_alpha_depth_and_animation() -> None:
    made = apply("threshold", picture(scene_with_alpha()), threshold=60)
    assert (pixel(made, 10, 10)[-1], pixel(made, -1, 10)[-1]) == (255, 0)
    made = apply("threshold", picture(deep()), threshold=100)
    assert made.image.format == "uchar"
    assert mean_difference(made.image, apply("threshold", picture(scene()), threshold=100).image) < 1
    assert apply("threshold", picture(film(), frames=3)).frames == 3


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`threshold.threshold` must be a whole number from 0 to 255, got 256"):
        apply("threshold", picture(scene()), threshold=256)

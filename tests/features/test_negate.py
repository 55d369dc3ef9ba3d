"""Negatives."""

from __future__ import annotations

from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential


def test_all_that_is_missing_to_white() -> None:
    assert mean_difference(apply("negate", sequential(scene())).image, 255 - scene()) == 0
    assert mean_difference(apply("negate", picture(deep())).image, scene().invert().colourspace("rgb16")) == 0
    assert mean_difference(apply("negate", picture(grey())).image, 255 - grey()) == 0
    assert apply("negate", picture(film(), frames=3)).frames == 3


def test_alpha_too_unless_it_is_left_out() -> None:
    image = scene_with_alpha()
    assert mean_difference(apply("negate", picture(image)).image, 255 - image) == 0
    kept = apply("negate", picture(image), alpha=False).image
    assert mean_difference(kept[3], image[3]) == 0
    assert mean_difference(kept[:3], 255 - image[:3]) == 0

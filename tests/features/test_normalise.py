"""Lightness over the whole range."""

from __future__ import annotations

from typing import Any

import pytest
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from imaging import InvalidParameter

DULL: Any = (scene() * 0.4 + 60).cast("uchar").copy(interpretation="srgb")


def test_from_black_to_white() -> None:
    made: Any = apply("normalise", sequential(DULL)).image.copy_memory()
    lightness = made.colourspace("lab")[0]
    assert lightness.min() < 3
    assert lightness.max() > 97
    assert DULL.colourspace("lab")[0].max() < 75


def test_the_share_that_becomes_black_and_white() -> None:
    made: Any = apply("normalise", picture(DULL), lower=20, upper=80).image
    lightness = made.colourspace("lab")[0]
    assert lightness.percent(20) < 10
    assert lightness.percent(80) > 90
    widest: Any = apply("normalise", picture(DULL), lower=0, upper=100).image
    assert widest.colourspace("lab")[0].deviate() < lightness.deviate()


def test_one_colour_stays() -> None:
    flat = (scene() * 0 + 99).cast("uchar").copy(interpretation="srgb")
    assert mean_difference(apply("normalise", picture(flat)).image, flat) == 0


def test_alpha_depth_grey_and_animation() -> None:
    made = apply("normalise", picture(scene_with_alpha())).image
    assert mean_difference(made[3], scene_with_alpha()[3]) == 0
    made = apply("normalise", picture(deep(DULL))).image
    assert (made.format, made.interpretation) == ("ushort", "rgb16")
    assert mean_difference(made, apply("normalise", picture(DULL)).image.colourspace("rgb16")) < 5
    assert apply("normalise", picture(grey())).image.bands == 1
    assert apply("normalise", picture(film(), frames=3)).frames == 3


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`normalise.lower` must be below upper, 50, got 50"):
        apply("normalise", picture(scene()), lower=50, upper=50)

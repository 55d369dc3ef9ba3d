"""Local contrast."""

from __future__ import annotations

from typing import Any

import pytest
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from imaging import InvalidParameter

DULL = (scene() * 0.2 + 90).cast("uchar").copy(interpretation="srgb")


def test_more_contrast_as_far_as_the_slope_lets() -> None:
    deviations = [
        apply("clahe", sequential(DULL), width=30, height=30, maxSlope=slope).image.deviate() for slope in (1, 3, 0)
    ]
    assert deviations[0] < deviations[1] < deviations[2]
    assert deviations[1] > DULL.deviate()


def test_alpha_depth_grey_and_frames() -> None:
    asked: dict[str, Any] = {"width": 20, "height": 20}
    made = apply("clahe", picture(scene_with_alpha()), **asked).image
    assert mean_difference(made[3], scene_with_alpha()[3]) == 0
    made = apply("clahe", picture(deep()), **asked).image
    assert (made.format, made.interpretation) == ("ushort", "rgb16")
    assert mean_difference(made, apply("clahe", picture(scene()), **asked).image.colourspace("rgb16")) < 3
    assert apply("clahe", picture(grey()), **asked).image.bands == 1
    moving = apply("clahe", picture(film(), frames=3), **asked).image
    first = apply("clahe", picture(film().crop(0, 0, 160, 120)), **asked).image
    assert mean_difference(moving.crop(0, 0, 160, 120), first) == 0


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`clahe.height` must be at most the image's height, 120, got 121"):
        apply("clahe", picture(scene()), width=3, height=121)
    with pytest.raises(InvalidParameter, match=r"`clahe.width` must be given"):
        apply("clahe", picture(scene()), height=3)

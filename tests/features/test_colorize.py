"""A colour mixed into each channel by percent."""

from __future__ import annotations

import numpy as np
import pytest
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from features.colorize import Colorize
from imaging import InvalidParameter, check


def test_by_percent() -> None:
    made = apply("colorize", picture(scene()), color="ff8000", red=40, green=60, blue=0).image.numpy()
    mixed = scene().numpy() * [0.6, 0.4, 1] + np.array([255, 128, 0]) * [0.4, 0.6, 0]
    assert np.abs(made - mixed).max() <= 0.5 + 1e-6


def test_half_of_it_where_nothing_is_said() -> None:
    made = apply("colorize", picture(scene()), color="000").image
    assert mean_difference(made, scene() * 0.5) <= 0.5


def test_alpha_depth_and_grey() -> None:
    made = apply("colorize", sequential(scene_with_alpha()), color="teal").image
    assert mean_difference(made[3], scene_with_alpha()[3]) == 0
    made = apply("colorize", picture(deep()), color="teal").image
    assert made.format == "ushort"
    assert mean_difference(made, apply("colorize", picture(scene()), color="teal").image.colourspace("rgb16")) < 1
    assert apply("colorize", picture(grey()), color="teal").image.bands == 3
    assert apply("colorize", picture(film(), frames=3), color="teal").frames == 3


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`colorize.red` must be a number from 0 to 100, got 101"):
        check(Colorize, {"color": "red", "red": 101}, where="colorize")
    with pytest.raises(InvalidParameter, match=r"`colorize.color` must be given"):
        check(Colorize, {}, where="colorize")

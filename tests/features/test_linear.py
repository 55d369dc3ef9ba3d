"""a times the level and b."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from features.linear import Linear
from imaging import InvalidParameter, check


@pytest.mark.parametrize(
    ("said", "a", "b"),
    [
        ({"a": 0.5}, 0.5, 0),
        ({"b": 30}, 1, 30),
        ({"a": [1, 0.5, 2], "b": -10}, [1, 0.5, 2], -10),
        ({"a": "2", "b": "1,2,3"}, 2, [1, 2, 3]),
    ],
)
def test_as_computed(said: dict[str, Any], a: float | list[float], b: float | list[float]) -> None:
    expected = np.clip(scene().numpy() * np.array(a) + np.array(b), 0, 255)
    assert np.abs(apply("linear", picture(scene()), **said).image.numpy() - expected).max() <= 0.5 + 1e-6


def test_alpha_stays_unless_it_is_asked_for() -> None:
    image = scene_with_alpha()
    assert mean_difference(apply("linear", sequential(image), a=0.5).image[3], image[3]) == 0
    assert mean_difference(apply("linear", picture(image), a=[1, 1, 1, 0.5]).image[3], image[3] * 0.5) <= 0.5
    made = apply("linear", picture(scene()), a=2, b=[0, 0, 0, -100]).image
    assert (made.bands, made[3].avg()) == (4, 155)


def test_grey_and_depth() -> None:
    assert apply("linear", picture(grey()), a=0.5).image.bands == 1
    assert apply("linear", picture(grey()), a=[1, 2, 3]).image.bands == 3
    made = apply("linear", picture(deep()), a=0.5, b=20).image
    assert made.format == "ushort"
    assert mean_difference(made, apply("linear", picture(scene()), a=0.5, b=20).image.colourspace("rgb16")) < 1
    assert apply("linear", picture(film(), frames=3), a=2).frames == 3


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`linear.a` must be 1, 3 or 4 numbers, got 1,2"):
        check(Linear, {"a": [1, 2]}, where="linear")

"""Darkened before the resize, brightened after it."""

from __future__ import annotations

import numpy as np
import pytest
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from features import edits
from features.gamma import Gamma
from imaging import InvalidParameter, check


@pytest.mark.parametrize(("name", "power"), [("gamma", 1.8), ("gammaOut", 1 / 1.8)])
def test_a_power_of_the_range(name: str, power: float) -> None:
    made = apply(name, sequential(scene()), gamma=1.8).image.numpy()
    assert np.abs(made - 255 * (scene().numpy() / 255) ** power).max() <= 1


@pytest.mark.parametrize("name", ["gamma", "gammaOut"])
def test_alpha_depth_grey_and_animation(name: str) -> None:
    made = apply(name, picture(scene_with_alpha())).image
    assert mean_difference(made[3], scene_with_alpha()[3]) == 0
    made = apply(name, picture(deep())).image
    assert made.format == "ushort"
    assert mean_difference(made, apply(name, picture(scene())).image.colourspace("rgb16")) < 1
    assert apply(name, picture(grey())).image.bands == 1
    assert apply(name, picture(film(), frames=3)).frames == 3


def test_what_is_darkened_is_brightened_again_after_the_resize() -> None:
    steps = edits({"gamma": 3, "resize": {"width": 9}, "watermark": "logo"})
    assert [step.feature.name for step in steps] == ["gamma", "resize", "watermark", "gammaOut"]
    assert steps[-1].params.gamma == 3  # type: ignore[attr-defined]  # params are of gamma
    steps = edits({"gamma": 3, "gammaOut": 1})
    assert [step.params.gamma for step in steps] == [3, 1]  # type: ignore[attr-defined]  # params are of gamma


@pytest.mark.parametrize("exponent", [0.9, 3.1])
def test_refuses(exponent: float) -> None:
    with pytest.raises(InvalidParameter, match=r"`gamma.gamma` must be a number from 1 to 3, got"):
        check(Gamma, {"gamma": exponent}, where="gamma")

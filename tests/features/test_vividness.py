"""Colours farther from grey, or nearer to it."""

from __future__ import annotations

import numpy as np
import pytest
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from features.vividness import Vividness
from imaging import InvalidParameter, check


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 2.5])
def test_by_the_grey_of_the_same_brightness(factor: float) -> None:
    made = apply("vividness", picture(scene()), factor=factor).image.numpy()
    levels = scene().numpy().astype(float)
    brightness = np.sqrt((levels**2 * [0.299, 0.587, 0.114]).sum(axis=2, keepdims=True))
    expected = np.clip(brightness + (levels - brightness) * factor, 0, 255)
    assert np.abs(made - expected).max() <= 0.51


def test_alpha_depth_and_grey() -> None:
    made = apply("vividness", sequential(scene_with_alpha()), factor=2).image
    assert mean_difference(made[3], scene_with_alpha()[3]) == 0
    made = apply("vividness", picture(deep()), factor=2).image
    assert made.format == "ushort"
    assert mean_difference(made, apply("vividness", picture(scene()), factor=2).image.colourspace("rgb16")) < 1
    assert mean_difference(apply("vividness", picture(grey()), factor=2).image, grey()) == 0
    assert apply("vividness", picture(film(), frames=3), factor=2).frames == 3


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`vividness.factor` must be a number from 0 to 100, got -1"):
        check(Vividness, {"factor": -1}, where="vividness")

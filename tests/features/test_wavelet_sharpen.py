"""Details of one size made stronger."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from features.wavelet_sharpen import WaveletSharpen
from imaging import InvalidParameter, check

Array = np.ndarray[Any, np.dtype[Any]]


def expected(levels: Array, amount: float, radius: float) -> Array:
    """The à trous wavelet written down: hats of growing gaps, edges repeated."""
    low, total = levels.astype(float), np.zeros(levels.shape)
    for level in range(5):
        gap = 2**level
        lower = low
        for axis in (0, 1):
            widths = [(gap, gap) if axis == each else (0, 0) for each in range(lower.ndim)]
            wide = np.moveaxis(np.pad(lower, widths, mode="edge"), axis, 0)
            length = lower.shape[axis]
            hat = (wide[:length] + 2 * wide[gap : gap + length] + wide[2 * gap : 2 * gap + length]) / 4
            lower = np.moveaxis(hat, 0, axis)
        total += (low - lower) * (1 + amount * math.exp(-((level - radius) ** 2) / 1.5))
        low = lower
    return np.asarray(total + low)


@pytest.mark.parametrize(("amount", "radius"), [(0.0, 0.0), (2.0, 0.5), (4.0, 3.0), (-0.5, 1.0)])
def test_each_channel_by_the_formula(amount: float, radius: float) -> None:
    made = apply("waveletSharpen", picture(scene()), amount=amount, radius=radius, luminance=False).image.numpy()
    wanted = np.clip(expected(scene().numpy(), amount, radius), 0, 255)
    assert np.abs(made - wanted).max() <= 0.51


def test_light_and_dark_alone() -> None:
    made = apply("waveletSharpen", picture(scene()), amount=3).image.numpy().astype(float)
    levels = scene().numpy().astype(float)
    luma = (levels * [0.299, 0.587, 0.114]).sum(axis=2)
    added = (expected(luma, 3, 0.5) - luma)[:, :, np.newaxis]
    assert np.abs(made - np.clip(levels + added, 0, 255)).max() <= 0.51


def test_alpha_depth_and_grey() -> None:
    made = apply("waveletSharpen", sequential(scene_with_alpha()), amount=0).image
    assert mean_difference(made, scene_with_alpha()) < 2
    made = apply("waveletSharpen", picture(deep()), amount=2).image
    assert made.format == "ushort"
    assert mean_difference(made, apply("waveletSharpen", picture(scene()), amount=2).image.colourspace("rgb16")) < 1
    assert apply("waveletSharpen", picture(grey()), amount=2).image.bands == 1
    assert apply("waveletSharpen", picture(film(), frames=3), amount=2).frames == 3


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`waveletSharpen.amount` must be a number from -10 to 10, got 11"):
        check(WaveletSharpen, {"amount": 11}, where="waveletSharpen")

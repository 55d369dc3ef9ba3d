"""Medians, as scipy finds them."""

from __future__ import annotations

import numpy as np
import pytest
import pyvips
from scipy.ndimage import median_filter
from tests.pictures import deep, film, scene
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from imaging import InvalidParameter


@pytest.mark.parametrize("size", [1, 3, 7, 15])
def test_like_scipy(size: int) -> None:
    made = apply("median", sequential(scene()), size=size).image.numpy()
    expected = median_filter(scene().numpy(), size=(size, size, 1), mode="nearest")
    assert np.abs(made.astype(int) - expected).max() <= 1


def test_clear_pixels_lend_no_colour() -> None:
    red = (pyvips.Image.black(20, 20, bands=4) + [255, 0, 0, 255]).cast("uchar").copy(interpretation="srgb")
    clear = (pyvips.Image.black(20, 20, bands=4) + [0, 255, 0, 0]).cast("uchar").copy(interpretation="srgb")
    assert pixel(apply("median", picture(red.join(clear, "horizontal"))), 19, 10) == [255, 0, 0, 255]


def test_frames_do_not_mix_and_depth_stays() -> None:
    made = apply("median", picture(film(), frames=3), size=5).image
    first = apply("median", picture(film().crop(0, 0, 160, 120)), size=5).image
    assert mean_difference(made.crop(0, 0, 160, 120), first) == 0
    assert apply("median", picture(deep())).image.format == "ushort"


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`median.size` must be at most the image's shorter side, 120, got 121"):
        apply("median", picture(scene()), size=121)
    with pytest.raises(InvalidParameter, match=r"`median.size` must be a whole number from 1 to 1000, got 0"):
        apply("median", picture(scene()), size=0)

"""Weighted sums of neighbours, as scipy makes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import pyvips
from scipy.ndimage import correlate
from tests.pictures import deep, film, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from features.convolve import Convolve
from imaging import InvalidParameter, check

SHARP = "0,-1,0,-1,5,-1,0,-1,0"
SOFT = "1,2,1,2,4,2,1,2,1"


@pytest.mark.parametrize(
    ("said", "scale", "offset"),
    [
        ({"kernel": SHARP}, 1, 0),
        ({"kernel": SOFT}, 16, 0),
        ({"kernel": SOFT, "scale": 8, "offset": -20}, 8, -20),
        ({"kernel": "-1,0,1,-2,0,2,-1,0,1"}, 1, 0),
        ({"kernel": "1,2,3", "width": 3, "height": 1}, 6, 0),
        ({"kernel": "1,2,3", "width": 1}, 6, 0),
    ],
)
def test_like_scipy(said: dict[str, Any], scale: float, offset: float) -> None:
    wanted = check(Convolve, said, where="convolve")
    weights = np.array(wanted.kernel.rows(wanted.columns)) / scale
    pixels = scene().numpy().astype(float)
    expected = np.stack([correlate(pixels[..., band], weights, mode="nearest") for band in range(3)], axis=2)
    made = apply("convolve", picture(scene()), **said).image.numpy()
    assert np.abs(made - np.clip(expected + offset, 0, 255)).max() <= 1


def test_clear_pixels_lend_no_colour() -> None:
    red = (pyvips.Image.black(20, 20, bands=4) + [255, 0, 0, 255]).cast("uchar").copy(interpretation="srgb")
    clear = (pyvips.Image.black(20, 20, bands=4) + [0, 255, 0, 0]).cast("uchar").copy(interpretation="srgb")
    middle = pixel(apply("convolve", picture(red.join(clear, "horizontal")), kernel=SOFT), 19, 10)
    assert middle[0] > 240
    assert middle[1] == 0


def test_frames_do_not_mix_and_depth_stays() -> None:
    made = apply("convolve", picture(film(), frames=3), kernel=SOFT)
    first = apply("convolve", picture(film().crop(0, 0, 160, 120)), kernel=SOFT)
    assert mean_difference(made.image.crop(0, 0, 160, 120), first.image) == 0
    deeper = apply("convolve", picture(deep()), kernel=SOFT, offset=10).image
    assert (
        mean_difference(deeper, apply("convolve", picture(scene()), kernel=SOFT, offset=10).image.colourspace("rgb16"))
        < 1
    )
    assert deeper.format == "ushort"


def test_from_a_source_that_is_read_once() -> None:
    image = scene_with_alpha(300, 200)
    made = [apply("convolve", given, kernel=SOFT).image for given in (sequential(image), picture(image))]
    assert mean_difference(*made) == 0


@pytest.mark.parametrize("said", [{"kernel": "1,2"}, {"kernel": "1,2,3,4", "width": 3}, {"kernel": "1", "height": 2}])
def test_refuses(said: dict[str, object]) -> None:
    with pytest.raises(
        InvalidParameter, match=r"`convolve.kernel` must be width x height numbers, or a square number of them, got"
    ):
        check(Convolve, said, where="convolve")

"""Even histograms."""

from __future__ import annotations

import numpy as np
import pyvips
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

DULL = (scene() * 0.3 + 60).cast("uchar").copy(interpretation="srgb")


def test_levels_by_their_rank() -> None:
    made = apply("equalise", sequential(DULL)).image.numpy()
    for band in range(3):
        levels = DULL.numpy()[..., band].ravel()
        up_to = np.searchsorted(np.sort(levels), levels, side="right")
        least = up_to.min()
        expected = (up_to - least) / (levels.size - least) * 255
        assert np.abs(made[..., band].ravel() - expected).max() <= 0.5 + 1e-6


def test_one_colour_stays() -> None:
    flat = (pyvips.Image.black(8, 8, bands=3) + [10, 0, 255]).cast("uchar").copy(interpretation="srgb")
    assert mean_difference(apply("equalise", picture(flat)).image, flat) == 0


def test_alpha_grey_depth_and_animation() -> None:
    made = apply("equalise", picture(scene_with_alpha())).image
    assert mean_difference(made[3], scene_with_alpha()[3]) == 0
    assert apply("equalise", picture(grey())).image.bands == 1
    made = apply("equalise", picture(deep(DULL))).image
    assert made.format == "ushort"
    assert mean_difference(made, apply("equalise", picture(DULL)).image.colourspace("rgb16")) < 1
    assert apply("equalise", picture(film(), frames=3)).frames == 3

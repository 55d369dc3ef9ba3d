"""Tones along natural cubic splines, as scipy draws them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from features.curve import Curve, levels
from imaging import InvalidParameter, check
from imaging.params.types import Numbers

BENT = "0,0,40,59,128,100,255,255"


@pytest.mark.parametrize("points", [BENT, "0,0,255,255", "32,59,64,80,92,111,128,153,255,212", "10,200,200,10"])
def test_splines_like_scipys(points: str) -> None:
    numbers = Numbers.parse(points)
    x, y = numbers[::2], numbers[1::2]
    spline = CubicSpline(x, y, bc_type="natural")
    expected = np.clip(spline(np.clip(np.arange(256), x[0], x[-1])), 0, 255)
    assert levels(numbers) == pytest.approx(list(expected), abs=1e-6)


def test_a_single_point_is_a_level() -> None:
    assert set(levels(Numbers(100, 7))) == {7}


def test_own_curves_come_before_that_of_all() -> None:
    made = apply("curve", picture(scene()), all=BENT, red="0,255,255,0").image
    table = np.rint(levels(Numbers.parse(BENT)))
    pixels = scene().numpy()
    assert np.abs(table[255 - pixels[..., 0]] - made.numpy()[..., 0]).max() <= 1
    assert np.abs(table[pixels[..., 1]] - made.numpy()[..., 1]).max() <= 1


def test_straight_changes_nothing() -> None:
    assert mean_difference(apply("curve", picture(scene())).image, scene()) == 0


def test_grey_stays_grey_unless_colours_are_asked() -> None:
    assert apply("curve", picture(grey()), all=BENT).image.bands == 1
    assert apply("curve", picture(grey()), blue="0,0,255,100").image.bands == 3


def test_alpha_stays_and_so_do_sixteen_bits() -> None:
    made = apply("curve", sequential(scene_with_alpha()), all=BENT).image
    assert mean_difference(made[3], scene_with_alpha()[3]) == 0
    made = apply("curve", picture(deep()), all=BENT).image
    assert made.format == "ushort"
    assert mean_difference(made, apply("curve", picture(scene()), all=BENT).image.colourspace("rgb16")) < 1


def test_animation() -> None:
    assert apply("curve", picture(film(), frames=3), all=BENT).frames == 3


@pytest.mark.parametrize("points", ["1", "0,0,0,5", "9,0,3,5", "0,256", "-1,0", "0,0,300,1"])
def test_refuses(points: str) -> None:
    with pytest.raises(InvalidParameter, match=r"`curve.red` must be 1 to 64 points x,y from 0 to 255 with x"):
        check(Curve, {"red": points}, where="curve", text=True)

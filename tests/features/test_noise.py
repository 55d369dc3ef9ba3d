"""Grain of the strength that is asked for, the same each time."""

from __future__ import annotations

import pytest
import pyvips
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from features.noise import Noise
from imaging import InvalidParameter, check

MIDDLE = (pyvips.Image.black(200, 200, bands=3) + 128).cast("uchar").copy(interpretation="srgb")


@pytest.mark.parametrize("amount", [12, 60, 120])
def test_as_strong_as_asked(amount: int) -> None:
    made = apply("noise", picture(MIDDLE), amount=amount).image
    assert made.avg() == pytest.approx(128, abs=0.6)
    assert made[0].deviate() == pytest.approx(amount / 12**0.5, rel=0.05)


def test_all_channels_alike_and_the_seed_makes_another() -> None:
    made = apply("noise", picture(MIDDLE), amount=50).image
    assert mean_difference(made[0], made[2]) == 0
    assert mean_difference(made, apply("noise", picture(MIDDLE), amount=50).image) == 0
    assert mean_difference(made, apply("noise", picture(MIDDLE), amount=50, seed=3).image) > 5


def test_nothing_is_nothing() -> None:
    assert mean_difference(apply("noise", picture(scene()), amount=0).image, scene()) == 0


def test_alpha_depth_and_grey_stay() -> None:
    made = apply("noise", sequential(scene_with_alpha()), amount=50).image
    assert mean_difference(made[3], scene_with_alpha()[3]) == 0
    made = apply("noise", picture(deep()), amount=50).image
    assert (made.format, mean_difference(made, deep()) > 5) == ("ushort", True)
    assert apply("noise", picture(grey()), amount=50).image.bands == 1


def test_animation() -> None:
    made = apply("noise", picture(film(), frames=3), amount=50)
    assert (made.frames, made.image.height) == (3, 360)


@pytest.mark.parametrize("amount", ["-1", "256", "1.5", "much"])
def test_refuses(amount: str) -> None:
    with pytest.raises(InvalidParameter, match=r"`noise.amount` must be a whole number from 0 to 255, got"):
        check(Noise, {"amount": amount}, where="noise", text=True)

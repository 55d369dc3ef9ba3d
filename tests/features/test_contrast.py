"""Distances to middle grey grow and shrink as in Thumbor."""

from __future__ import annotations

import pytest
import pyvips
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from features.contrast import Contrast
from imaging import InvalidParameter, check


@pytest.mark.parametrize("amount", [-100, -50, -10, 0, 10, 40, 100])
def test_distance_to_the_middle(amount: float) -> None:
    made = apply("contrast", picture(scene()), amount=amount)
    factor = ((100 + amount) / 100) ** 2
    for x, y in ((0, 0), (20, 20), (80, 60), (159, 119)):
        expected = [min(255, max(0, 128 + factor * (level - 128))) for level in pixel(scene(), x, y)]
        assert pixel(made, x, y) == pytest.approx(expected, abs=0.51)


def test_alpha_stays_to_the_last_bit() -> None:
    made = apply("contrast", sequential(scene_with_alpha()), amount=50).image.copy_memory()
    assert mean_difference(made[3], scene_with_alpha()[3]) == 0
    assert mean_difference(made[:3], apply("contrast", picture(scene()), amount=50).image) == 0


@pytest.mark.parametrize("image", [grey(), deep()], ids=["grey", "16"])
def test_every_kind_of_picture(image: pyvips.Image) -> None:
    made = apply("contrast", picture(image), amount=50).image
    assert (made.bands, made.format, made.interpretation) == (image.bands, image.format, image.interpretation)
    in_eight_bits = grey() if image.bands == 1 else scene()
    assert mean_difference(made, apply("contrast", picture(in_eight_bits), amount=50).image) < 3


def test_animation() -> None:
    made = apply("contrast", picture(film(), frames=3), amount=20)
    assert (made.frames, made.image.height) == (3, 360)


@pytest.mark.parametrize("amount", ["-101", "100.5", "high"])
def test_refuses(amount: str) -> None:
    with pytest.raises(InvalidParameter, match=r"`contrast.amount` must be a number from -100 to 100, got"):
        check(Contrast, {"amount": amount}, where="contrast", text=True)


def test_wants_an_amount() -> None:
    with pytest.raises(InvalidParameter, match=r"`contrast.amount` must be given"):
        check(Contrast, {}, where="contrast")

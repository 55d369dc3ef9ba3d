"""The hue of one colour, in the lightness of the picture."""

from __future__ import annotations

import pytest
import pyvips
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from features.tint import Tint
from imaging import InvalidParameter, check

# What sharp 0.35.5 makes of the pixels (10, 10, 10), (100, 100, 100), (200, 200, 200) and (250, 10, 10).
SHARP = {
    "ff0000": [(29, 3, 0), (216, 0, 0), (255, 159, 125), (252, 0, 0)],
}


def row(*colours: tuple[int, int, int]) -> pyvips.Image:
    """A picture one pixel high."""
    levels = bytes(level for colour in colours for level in colour)
    return pyvips.Image.new_from_memory(levels, len(colours), 1, 3, "uchar").copy(interpretation="srgb")


@pytest.mark.parametrize("color", SHARP)
def test_like_sharp(color: str) -> None:
    made = apply("tint", picture(row((10, 10, 10), (100, 100, 100), (200, 200, 200), (250, 10, 10))), color=color)
    for x, expected in enumerate(SHARP[color]):
        assert pixel(made, x, 0) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("color", ["teal", "rgb(200,100,0)", "white"])
def test_black_white_and_lightness_stay(color: str) -> None:
    made = apply("tint", picture(row((0, 0, 0), (255, 255, 255))), color=color)
    assert [pixel(made, x, 0) for x in (0, 1)] == [[0, 0, 0], [255, 255, 255]]
    tinted = apply("tint", picture(scene()), color="8090a0").image
    assert mean_difference(tinted.colourspace("lab")[0], scene().colourspace("lab")[0]) < 1.5


def test_a_grey_tints_to_grey() -> None:
    made = apply("tint", picture(scene()), color="gray").image
    assert mean_difference(made[0], made[1]) < 0.5


def test_grey_pictures_take_colour() -> None:
    made = apply("tint", picture(grey()), color="ff0000").image
    assert made.bands == 3
    assert mean_difference(made, apply("tint", picture(scene()), color="ff0000").image) < 1


def test_alpha_stays_to_the_last_bit() -> None:
    made = apply("tint", sequential(scene_with_alpha()), color="navy").image
    assert mean_difference(made[3], scene_with_alpha()[3]) == 0


def test_sixteen_bits_stay() -> None:
    made = apply("tint", picture(deep()), color="navy").image
    assert (made.format, made.interpretation) == ("ushort", "rgb16")
    assert mean_difference(made, apply("tint", picture(scene()), color="navy").image) < 1.5


def test_animation() -> None:
    made = apply("tint", picture(film(), frames=3), color="navy")
    assert (made.frames, made.image.height) == (3, 360)


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`tint.color` must be a colour \(.*\), got 'rose'"):
        check(Tint, {"color": "rose"}, where="tint", text=True)
    with pytest.raises(InvalidParameter, match=r"`tint.color` must be given"):
        check(Tint, {}, where="tint")

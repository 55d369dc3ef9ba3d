"""Colours go, lightness and transparency stay."""

from __future__ import annotations

import pytest
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from features.grayscale import Grayscale
from imaging import InvalidParameter, check


def luminance(rgb: list[float]) -> float:
    """Of a colour in sRGB, as a grey in sRGB (IEC 61966-2-1, BT.709 primaries)."""
    linear = [level / 12.92 if (level := part / 255) <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for part in rgb]
    light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 255 * (light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("at", [(0, 0), (20, 20), (100, 60), (-1, -1)])
def test_greys_are_as_light_as_the_colours(at: tuple[int, int]) -> None:
    made = apply("grayscale", picture(scene()))
    assert made.image.bands == 1
    assert pixel(made, *at) == pytest.approx([luminance(pixel(scene(), *at))], abs=1.5)


def test_alpha_stays_to_the_last_bit() -> None:
    made = apply("grayscale", picture(scene_with_alpha())).image
    assert made.bands == 2
    assert mean_difference(made[1], scene_with_alpha()[3]) == 0


def test_grey_stays_as_it_is() -> None:
    assert mean_difference(apply("grayscale", picture(grey())).image, grey()) == 0


def test_sixteen_bits_stay() -> None:
    made = apply("grayscale", sequential(deep())).image
    assert (made.format, made.interpretation) == ("ushort", "grey16")
    assert mean_difference(made, apply("grayscale", picture(scene())).image) < 1.5


def test_animation() -> None:
    made = apply("grayscale", picture(film(), frames=3))
    assert (made.frames, made.image.bands, made.image.height) == (3, 1, 360)


def test_takes_no_parameters() -> None:
    with pytest.raises(InvalidParameter, match=r"`grayscale.amount` must be left out"):
        check(Grayscale, {"amount": 1}, where="grayscale")

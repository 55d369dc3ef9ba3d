"""On a background nothing is clear any more."""

from __future__ import annotations

from typing import Any

import pytest
from tests.pictures import film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from features.flatten import Flatten
from imaging import InvalidParameter, check


@pytest.mark.parametrize("at", [(10, 10), (90, 60), (140, 100), (-1, -1)])
@pytest.mark.parametrize(
    ("said", "rgb"),
    [({}, (0, 0, 0)), ({"background": "ff8000"}, (255, 128, 0)), ({"background": "#0f08"}, (0, 255, 0))],
)
def test_colours_mix_by_alpha(at: tuple[int, int], said: dict[str, Any], rgb: tuple[int, int, int]) -> None:
    made = apply("flatten", sequential(scene_with_alpha()), **said)
    *colour, alpha = pixel(scene_with_alpha(), *at)
    share = alpha / 255
    expected = [level * share + behind * (1 - share) for level, behind in zip(colour, rgb, strict=True)]
    assert made.image.bands == 3
    assert pixel(made, *at) == pytest.approx(expected, abs=1)


def test_opaque_pictures_stay_as_they_are() -> None:
    given = picture(scene())
    assert apply("flatten", given, background="red") is given


def test_grey_stays_grey_until_the_background_has_a_colour() -> None:
    half_clear = grey().bandjoin(128).copy(interpretation="b-w")
    assert apply("flatten", picture(half_clear), background="white").image.bands == 1
    coloured = apply("flatten", picture(half_clear), background="red").image
    level = pixel(grey(), 5, 5)[0]
    assert pixel(coloured, 5, 5) == pytest.approx([(level + 255) / 2, level / 2, level / 2], abs=1.5)


def test_sixteen_bits_stay() -> None:
    made = apply("flatten", picture(scene_with_alpha().colourspace("rgb16")), background="ff8000").image
    assert (made.format, made.bands) == ("ushort", 3)
    assert mean_difference(made, apply("flatten", picture(scene_with_alpha()), background="ff8000").image) < 1.5


def test_animation() -> None:
    made = apply("flatten", picture(film().bandjoin(100), frames=3), background="white")
    assert (made.frames, made.image.height, made.image.bands) == (3, 360, 3)


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`flatten.background` must be a colour \(.*\), got 'none'"):
        check(Flatten, {"background": "none"}, where="flatten", text=True)

"""Colour or grey, 8 or 16 bits."""

from __future__ import annotations

import pytest
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from imaging import InvalidParameter


@pytest.mark.parametrize(
    ("name", "bands", "format"),
    [("srgb", 3, "uchar"), ("b-w", 1, "uchar"), ("rgb16", 3, "ushort"), ("grey16", 1, "ushort")],
)
@pytest.mark.parametrize("image", [scene(), grey(), deep()], ids=["rgb", "grey", "16"])
def test_from_each_to_each(image: object, name: str, bands: int, format: str) -> None:
    made = apply("toColourspace", sequential(image), colorspace=name).image
    assert (made.interpretation, made.bands, made.format) == (name, bands, format)


def test_alpha_and_animation() -> None:
    made = apply("toColourspace", picture(scene_with_alpha()), colourspace="b-w").image
    assert (made.bands, mean_difference(made[1], scene_with_alpha()[3])) == (2, 0)
    assert apply("toColourspace", picture(film(), frames=3), colourspace="b-w").frames == 3


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`toColourspace.colourspace` must be one of srgb, b-w, rgb16, grey16"):
        apply("toColourspace", picture(scene()), colourspace="cmyk")

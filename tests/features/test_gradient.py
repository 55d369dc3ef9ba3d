"""A gradient covers the image as far as it is asked to, in the direction of CSS."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import pyvips
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from features.gradient import Gradient
from imaging import InvalidParameter, check


def expected(angle: float, start: float, stop: float, opacity: float, color: tuple[int, int, int]) -> Any:
    """The formula of CSS, computed by numpy, over the scene."""
    image = scene().numpy().astype(float)
    height, width, _ = image.shape
    y, x = np.mgrid[0:height, 0:width] + 0.5
    turn = math.radians(angle)
    length = abs(width * math.sin(turn)) + abs(height * math.cos(turn))
    way = ((x - width / 2) * math.sin(turn) - (y - height / 2) * math.cos(turn)) / length + 0.5
    share = np.clip((way - start / 100) / ((stop - start) / 100), 0, 1)[..., None] * opacity / 100
    return image * (1 - share) + np.array(color) * share


@pytest.mark.parametrize("angle", [0, 90, 180, 270, 37, -120])
@pytest.mark.parametrize(("start", "stop", "opacity"), [(0, 100, 100), (30, 80, 60)])
def test_levels_are_those_of_the_formula(angle: float, start: float, stop: float, opacity: float) -> None:
    said: dict[str, Any] = {"color": "336699", "angle": angle, "start": start, "stop": stop, "opacity": opacity}
    made = apply("gradient", sequential(scene()), **said).image
    wanted = expected(angle, start, stop, opacity, (0x33, 0x66, 0x99))
    assert np.abs(made.numpy() - wanted).max() <= 0.51


WHITE = (pyvips.Image.black(40, 30, bands=3) + 255).cast("uchar").copy(interpretation="srgb")


@pytest.mark.parametrize(
    ("word", "dark", "light"),
    [
        ("down", (20, 29), (20, 0)),
        ("up", (20, 0), (20, 29)),
        ("right", (39, 15), (0, 15)),
        ("left", (0, 15), (39, 15)),
    ],
)
def test_words_name_directions(word: str, dark: tuple[int, int], light: tuple[int, int]) -> None:
    made: Any = apply("gradient", picture(WHITE), direction=word).image
    assert max(made(*dark)) < 10
    assert min(made(*light)) > 245


def test_start_and_stop_at_one_place_make_an_edge() -> None:
    made: Any = apply("gradient", picture(WHITE), start=50, stop=50).image
    assert made(5, 14) == [255] * 3
    assert made(5, 15) == [0] * 3


def test_a_second_colour_replaces_what_is_transparent() -> None:
    made: Any = apply("gradient", picture(WHITE), startColor="ff0000", color="0000ff", direction="right").image
    wanted = np.linspace(0.5 / 40, 39.5 / 40, 40)[None, :, None] * (np.array([0, 0, 255]) - [255, 0, 0]) + [255, 0, 0]
    assert np.abs(made.numpy() - wanted).max() <= 1
    clear = pyvips.Image.black(40, 10, bands=4).cast("uchar").copy(interpretation="srgb")
    made = apply("gradient", picture(clear), startColor="red", color="0000ff", opacity=50, direction="right").image
    assert np.abs(made.numpy()[..., 3].astype(int) - 127.5).max() <= 1.5
    assert made(39, 5)[2] > 240
    assert made(0, 5)[0] > 240


def test_transparent_pixels_become_as_opaque_as_the_gradient() -> None:
    clear = pyvips.Image.black(40, 100, bands=4).cast("uchar").copy(interpretation="srgb")
    made = apply("gradient", picture(clear), color="ff0000", opacity=50).image
    assert made(3, 99)[0] == 255
    assert abs(made(3, 99)[3] - 127) <= 1
    assert made(3, 0)[3] <= 1
    half = apply("gradient", sequential(scene_with_alpha()), color="black").image
    assert half.bands == 4
    assert made.hasalpha()


def test_depth_grey_and_frames() -> None:
    made = apply("gradient", picture(deep()), color="teal").image
    assert made.format == "ushort"
    assert mean_difference(made, apply("gradient", picture(scene()), color="teal").image.colourspace("rgb16")) < 1
    assert apply("gradient", picture(grey()), color="teal").image.bands == 3
    assert apply("gradient", picture(grey()), color="black").image.bands == 1
    frames = apply("gradient", picture(film(), frames=3), color="teal")
    assert frames.frames == 3
    single = apply("gradient", picture(film().crop(0, 120, 160, 120)), color="teal").image
    assert mean_difference(frames.image.crop(0, 120, 160, 120), single) == 0


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`gradient.stop` must be at least gradient.start, 60, got 40"):
        check(Gradient, {"start": 60, "stop": 40}, where="gradient")
    with pytest.raises(InvalidParameter, match=r"`gradient.opacity` must be a number from 0 to 100"):
        check(Gradient, {"opacity": 101}, where="gradient")

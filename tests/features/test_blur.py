"""Blurred like elsewhere, however large sigma is; clear pixels and other frames lend no colour."""

from __future__ import annotations

import math

import pytest
import pyvips
from PIL import ImageFilter
from tests.pictures import deep, film, grey, pillow, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from features.blur import Blur
from imaging import InvalidParameter, check


def dots(width: int, height: int, at: tuple[int, int], level: int) -> pyvips.Image:
    """A black picture with one grey dot."""
    return (pyvips.Image.black(width, height).draw_rect([level], *at, 1, 1, fill=True)).copy(interpretation="b-w")


def test_default_is_the_mean_of_nine() -> None:
    blurred = apply("blur", picture(dots(9, 9, (4, 4), 90)))
    assert [pixel(blurred, x, 4)[0] for x in range(2, 7)] == [0, 10, 10, 10, 0]
    assert pixel(blurred, 3, 3) == [10]
    assert blurred.image.format == "uchar"


@pytest.mark.parametrize("sigma", [0.5, 1, 3, 8, 20])
def test_a_gaussian_down_to_a_fifth_of_its_height(sigma: float) -> None:
    """libvips, and so sharp, cut the bell off there."""
    reach = [x for x in range(-100, 101) if math.exp(-x * x / (2 * sigma * sigma)) >= 0.2]
    weights = [math.exp(-x * x / (2 * sigma * sigma)) for x in reach]
    step = (pyvips.Image.black(100, 5) + 20).join(pyvips.Image.black(100, 5) + 220, "horizontal").cast("uchar")
    blurred = apply("blur", picture(step.copy(interpretation="b-w")), sigma=sigma)
    for x in range(60, 140, 5):
        light = sum(weight for at, weight in zip(reach, weights, strict=True) if x + at >= 100)
        assert pixel(blurred, x, 2)[0] == pytest.approx(20 + 200 * light / sum(weights), abs=4)


@pytest.mark.parametrize("sigma", [1, 3, 8])
def test_like_pillow(sigma: float) -> None:
    levels = pillow(scene()).filter(ImageFilter.GaussianBlur(sigma)).tobytes()
    expected = pyvips.Image.new_from_memory(levels, 160, 120, 3, "uchar")
    assert mean_difference(apply("blur", picture(scene()), sigma=sigma).image, expected) < 2


@pytest.mark.parametrize("sigma", [31.9, 32, 50, 100, 250])
@pytest.mark.parametrize(
    "image", [scene(200, 90), scene_with_alpha(90, 200), grey(), deep()], ids=["rgb", "a", "g", "16"]
)
def test_large_sigma_like_the_exact_blur(image: pyvips.Image, sigma: float) -> None:
    exact = image.premultiply() if image.hasalpha() else image
    exact = exact.gaussblur(sigma, precision="float")
    exact = (exact.unpremultiply() if image.hasalpha() else exact).cast(image.format)
    blurred = apply("blur", picture(image), sigma=sigma).image
    assert mean_difference(blurred, exact) < 1.5
    assert (blurred.format, blurred.interpretation) == (image.format, image.interpretation)


def test_largest_sigma_leaves_one_colour_and_takes_no_time() -> None:
    blurred = apply("blur", picture(scene(40, 30)), sigma=1000)
    assert pixel(blurred, 0, 0) == pytest.approx(pixel(blurred, -1, -1), abs=20)


@pytest.mark.parametrize("sigma", [None, 3, 60])
def test_clear_pixels_lend_no_colour(sigma: float | None) -> None:
    red = (pyvips.Image.black(20, 20, bands=4) + [255, 0, 0, 255]).cast("uchar").copy(interpretation="srgb")
    clear_green = (pyvips.Image.black(20, 20, bands=4) + [0, 255, 0, 0]).cast("uchar").copy(interpretation="srgb")
    blurred = apply("blur", picture(red.join(clear_green, "horizontal")), sigma=sigma)
    middle = pixel(blurred, 19, 10)
    assert middle[1] == 0
    assert middle[0] >= 250
    assert 60 < middle[3] < 255


@pytest.mark.parametrize("sigma", [None, 5, 40])
def test_frames_do_not_mix(sigma: float | None) -> None:
    frames = pyvips.Image.black(16, 16).join(pyvips.Image.black(16, 16) + 255, "vertical").cast("uchar")
    blurred = apply("blur", picture(frames.copy(interpretation="b-w"), frames=2), sigma=sigma)
    assert blurred.frames == 2
    assert [pixel(blurred, 8, y)[0] for y in (0, 15, 16, 31)] == [0, 0, 255, 255]


@pytest.mark.parametrize("sigma", [None, 3, 60])
def test_from_a_source_that_is_read_once(sigma: float | None) -> None:
    image = scene(300, 400)
    assert (
        mean_difference(
            apply("blur", sequential(image), sigma=sigma).image, apply("blur", picture(image), sigma=sigma).image
        )
        == 0
    )


def test_animation_keeps_its_frames() -> None:
    blurred = apply("blur", picture(film(), frames=3), sigma=2)
    assert (blurred.width, blurred.height, blurred.frames) == (160, 120, 3)


@pytest.mark.parametrize("sigma", ["0", "0.2", "1001", "-1", "many", "nan"])
def test_refuses(sigma: str) -> None:
    with pytest.raises(InvalidParameter, match=r"`blur.sigma` must be a number from 0.3 to 1000, got"):
        check(Blur, {"sigma": sigma}, where="blur", text=True)

"""A canvas of a colour, of the mean, or of the picture itself."""

from __future__ import annotations

import pytest
import pyvips
from tests.pictures import film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from features.fill import Fill
from imaging import InvalidParameter, Limits, TooLarge, check
from imaging.context import Context


@pytest.mark.parametrize(("position", "corner"), [("center", (20, 40)), ("top-left", (0, 0)), ("southeast", (40, 80))])
@pytest.mark.parametrize("mode", ["color", "mean", "blur"])
def test_the_picture_on_its_canvas(mode: str, position: str, corner: tuple[int, int]) -> None:
    made = apply("fill", sequential(scene()), mode=mode, width=200, height=200, position=position)
    assert (made.width, made.height) == (200, 200)
    assert mean_difference(made.image.crop(*corner, 160, 120), scene()) == 0


def test_colour_and_mean() -> None:
    assert pixel(apply("fill", picture(scene()), color="f80", height=200), 5, 5) == [255, 136, 0]
    assert pixel(apply("fill", picture(scene()), mode="auto", height=200), 5, 5) == pytest.approx(
        [scene()[band].avg() for band in range(3)], abs=0.5
    )
    assert pixel(apply("fill", picture(grey()), mode="mean", height=200), 5, 5) == pytest.approx([grey().avg()], abs=1)


def test_clear_pixels_do_not_count_in_the_mean() -> None:
    red = (pyvips.Image.black(20, 20, bands=4) + [200, 10, 0, 255]).cast("uchar").copy(interpretation="srgb")
    clear = (pyvips.Image.black(20, 20, bands=4) + [0, 255, 0, 0]).cast("uchar").copy(interpretation="srgb")
    made = apply("fill", picture(red.join(clear, "horizontal")), mode="mean", width=60)
    assert pixel(made, 0, 0) == [200, 10, 0, 255]


def test_blurred_is_like_the_picture_without_its_detail() -> None:
    made = apply("fill", picture(scene(400, 300)), mode="blur", width=600).image
    soft = scene(400, 300).gaussblur(27, min_ampl=0.01).resize(1.5, vscale=1)
    assert mean_difference(made.crop(0, 0, 100, 300), soft.crop(0, 0, 100, 300)) < 12


@pytest.mark.parametrize("mode", ["color", "blur", "mean"])
def test_behind_what_is_clear(mode: str) -> None:
    made = apply("fill", picture(scene_with_alpha()), mode=mode, color="white", height=140, behind=True)
    alpha = pixel(made, 150, 70)[3] if made.has_alpha else 255
    assert alpha > (pixel(scene_with_alpha(), 150, 60)[3] if mode == "blur" else 254)
    kept = apply("fill", picture(scene_with_alpha()), mode=mode, color="white", height=140)
    assert mean_difference(kept.image.crop(0, 10, 160, 120)[3], scene_with_alpha()[3]) == 0


def test_smaller_than_the_picture_changes_nothing() -> None:
    assert mean_difference(apply("fill", picture(scene()), width=10, height=0).image, scene()) == 0


def test_the_corner_gives_the_colour_of_the_canvas() -> None:
    flat = scene().draw_rect([10, 20, 200], 0, 0, 4, 4, fill=True)
    made = apply("fill", picture(flat), mode="corner", width=200, height=160).image
    assert [round(level) for level in made(0, 0)] == [10, 20, 200]


@pytest.mark.parametrize("mode", ["color", "mean", "corner", "blur"])
def test_animation(mode: str) -> None:
    made = apply("fill", picture(film(), frames=3), mode=mode, width=200)
    assert (made.frames, made.width, made.height) == (3, 200, 120)


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`fill.mode` must be one of color, mean, corner, blur, got 'solid'"):
        check(Fill, {"mode": "solid"}, where="fill", text=True)
    with pytest.raises(TooLarge, match=r"`fill.width` must leave a picture of at most 300 pixels a side"):
        apply("fill", picture(scene()), width=301, context=Context(limits=Limits(result_side=300)))

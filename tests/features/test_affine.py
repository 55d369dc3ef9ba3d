"""Sheared, scaled and turned."""

from __future__ import annotations

from typing import Any

import pytest
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from imaging import Context, InvalidParameter, Limits, TooLarge


@pytest.mark.parametrize(
    ("matrix", "size"),
    [
        ([[1, 0.3], [0.1, 0.7]], (196, 100)),
        ("0.5,0,0,0.5", (80, 60)),
        ("0,1,1,0", (120, 160)),
        ("-1,0,0,1", (160, 120)),
        ("1.333,0.5,-0.5,1.333", (273, 240)),
    ],
)
def test_it_grows_so_that_its_corners_stay_in(matrix: object, size: tuple[int, int]) -> None:
    made = apply("affine", sequential(scene()), matrix=matrix)
    assert (made.width, made.height) == pytest.approx(size, abs=1)


def test_like_a_resize_and_a_mirror() -> None:
    made = apply("affine", picture(scene()), matrix="2,0,0,2").image
    assert mean_difference(made, scene().resize(2, kernel="cubic")) < 2
    made = apply("affine", picture(scene()), matrix="-1,0,0,1", interpolator="nearest").image
    assert mean_difference(made.crop(1, 0, 158, 120), scene().fliphor().crop(1, 0, 158, 120)) < 2


def test_background_alpha_and_depth() -> None:
    asked: dict[str, Any] = {"matrix": "1,0.5,0,1", "background": "f80"}
    assert pixel(apply("affine", picture(scene()), **asked), -1, 1) == [255, 136, 0]
    made = apply("affine", picture(scene()), matrix="1,0.5,0,1", background="ff880080")
    assert pixel(made, -1, 1) == pytest.approx([255, 136, 0, 128], abs=2)
    assert pixel(apply("affine", picture(scene_with_alpha()), **asked), -1, 1) == [255, 136, 0, 255]
    assert pixel(apply("affine", picture(deep()), **asked), -1, 1) == [65535, 136 * 257, 0]
    assert apply("affine", picture(grey()), matrix="1,0.5,0,1").image.bands == 1


@pytest.mark.parametrize(
    "interpolator", ["nearest", "bilinear", "bicubic", "lbb", "nohalo", "vsqbs", "locallyBoundedBicubic"]
)
def test_interpolators_and_animation(interpolator: str) -> None:
    made = apply("affine", picture(film(), frames=3), matrix="1,0.1,0,1", interpolator=interpolator)
    assert (made.frames, made.height) == (3, 120)


def test_refuses() -> None:
    for matrix in ("1,2,3", "1,1,1,1"):
        with pytest.raises(
            InvalidParameter, match=r"`affine.matrix` must be 4 numbers a, b, c, d with a d - b c not 0"
        ):
            apply("affine", picture(scene()), matrix=matrix)
    with pytest.raises(TooLarge, match=r"`affine.matrix` must leave a picture of at most 300 pixels a side"):
        apply("affine", picture(scene()), matrix="9,0,0,9", context=Context(limits=Limits(result_side=300)))
    with pytest.raises(InvalidParameter, match=r"`affine.matrix` must be a matrix whose result has at least one pixel"):
        apply("affine", picture(scene()), matrix="0.002,0,0,1")

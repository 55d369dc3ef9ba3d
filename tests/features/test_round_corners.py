"""Round corners, as libvips draws them."""

from __future__ import annotations

from typing import Any

import pytest
import pyvips
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from features.round_corners import RoundCorners
from imaging import InvalidParameter, check


@pytest.mark.parametrize(
    ("said", "radii"),
    [
        ({}, (20, 20)),
        ({"radius": 40, "radiusY": 10}, (40, 10)),
        ({"radius": "50p"}, (60, 60)),
        ({"radius": 999}, (80, 60)),
    ],
)
def test_like_librsvgs(said: dict[str, Any], radii: tuple[float, float]) -> None:
    made = apply("roundCorners", sequential(scene()), **said).image.copy_memory()
    shape = f'<rect width="160" height="120" rx="{radii[0]}" ry="{radii[1]}"/>'
    text = f'<svg xmlns="http://www.w3.org/2000/svg" width="160" height="120">{shape}</svg>'
    expected: Any = pyvips.Image.svgload_buffer(text.encode())[3]
    assert mean_difference(made[3], expected) < 1
    assert (made[3] - expected).abs().max() < 40
    assert mean_difference(made[:3], scene()) == 0


@pytest.mark.parametrize("image", [scene(), grey(), deep()], ids=["rgb", "grey", "16"])
def test_a_colour_in_the_corners(image: pyvips.Image) -> None:
    made = apply("roundCorners", picture(image), radius=30, background="white")
    top = 65535 if image.format == "ushort" else 255
    assert made.image.bands == image.bands
    assert pixel(made, 0, 0) == [top] * image.bands
    assert pixel(made, 80, 60) == pixel(image, 80, 60)


def test_what_is_clear_inside_stays_clear() -> None:
    made = apply("roundCorners", picture(scene_with_alpha()), radius=30, background="ff0000")
    assert pixel(made, 0, 0) == [255, 0, 0, 255]
    assert pixel(made, 150, 60)[3] == pixel(scene_with_alpha(), 150, 60)[3]


def test_nothing_to_round() -> None:
    assert mean_difference(apply("roundCorners", picture(scene()), radius=0).image, scene()) == 0


def test_animation() -> None:
    made = apply("roundCorners", picture(film(), frames=3), radius=30)
    assert (made.frames, made.height, pixel(made, 0, 120)[3]) == (3, 120, 0)


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`roundCorners.radius` must be 0 or more, got -3"):
        check(RoundCorners, {"radius": -3}, where="roundCorners")

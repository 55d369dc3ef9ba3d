"""An ellipse where it is asked for, as libvips draws it."""

from __future__ import annotations

from typing import Any

import pytest
import pyvips
from tests.pictures import deep, film, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from features.round_crop import RoundCrop
from imaging import InvalidParameter, check


def drawn(size: tuple[int, int], centre: tuple[float, float], radii: tuple[float, float]) -> pyvips.Image:
    """The ellipse as librsvg has it."""
    shape = f'<ellipse cx="{centre[0]}" cy="{centre[1]}" rx="{radii[0]}" ry="{radii[1]}"/>'
    text = f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}">{shape}</svg>'
    return pyvips.Image.svgload_buffer(text.encode())[3]


@pytest.mark.parametrize(
    ("said", "box", "radii"),
    [
        ({}, (20, 0, 120, 120), (60, 60)),
        ({"rx": 30}, (50, 0, 60, 120), (30, 60)),
        ({"rx": 20, "ry": 10, "left": 40, "top": 50}, (20, 40, 40, 20), (20, 10)),
        ({"rx": 40, "ry": 10, "left": 10, "top": 0}, (0, 0, 50, 10), (40, 10)),
        ({"rx": "25p", "ry": "50p"}, (40, 0, 80, 120), (40, 60)),
        ({"rx": 10.5, "ry": 5, "left": 30}, (19, 55, 22, 10), (10.5, 5)),
    ],
)
def test_where_it_is_asked_for(
    said: dict[str, Any], box: tuple[int, int, int, int], radii: tuple[float, float]
) -> None:
    made = apply("roundCrop", sequential(scene()), **said).image.copy_memory()
    assert (made.width, made.height) == box[2:]
    assert mean_difference(made[:3], scene().crop(*box)) == 0
    centre = (said.get("left", 80), said.get("top", 60))
    expected: Any = drawn((160, 120), centre, radii).crop(*box)
    assert mean_difference(made[3], expected) < 2
    assert (made[3] - expected).abs().max() < 40


def test_alpha_depth_and_animation() -> None:
    made = apply("roundCrop", picture(scene_with_alpha()), rx=80, ry=60)
    assert pixel(made, 80, 60)[3] == pixel(scene_with_alpha(), 80, 60)[3]
    assert pixel(made, 0, 0)[3] == 0
    made = apply("roundCrop", picture(deep()))
    assert (made.image.format, pixel(made, 60, 60)[3], pixel(made, 0, 0)[3]) == ("ushort", 65535, 0)
    made = apply("roundCrop", picture(film(), frames=3))
    assert (made.frames, made.width, made.height) == (3, 120, 120)


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`roundCrop.rx` must be above 0, got 0"):
        check(RoundCrop, {"rx": 0}, where="roundCrop")
    with pytest.raises(InvalidParameter, match=r"`roundCrop.top` must be 0 or more, got -1"):
        check(RoundCrop, {"top": -1}, where="roundCrop")
    with pytest.raises(
        InvalidParameter, match=r"`roundCrop.left` must be a centre whose ellipse overlaps the image, which has 160"
    ):
        apply("roundCrop", picture(scene()), left=300, rx=10)

"""A shape covers the pixels that geometry says it covers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.steps import apply, picture, sequential

from features.shape import Shape
from imaging import InvalidParameter, check

FINE = 8
"""Samples of a pixel on each axis."""
WHITE: Any = (pyvips.Image.black(60, 40, bands=3) + 255).cast("uchar").copy(interpretation="srgb")


def covered(size: tuple[int, int], centre: tuple[float, float], half: tuple[float, float], said: dict[str, Any]) -> Any:
    """Return the share of each pixel inside of the shape, counted in 64 points of it."""
    y, x = (np.mgrid[0 : size[1] * FINE, 0 : size[0] * FINE] + 0.5) / FINE
    turn = math.radians(said.get("rotate", 0))
    across, down = x - centre[0], y - centre[1]
    right = across * math.cos(turn) + down * math.sin(turn)
    low = down * math.cos(turn) - across * math.sin(turn)
    if said.get("kind") == "ellipse":
        inside = (right / half[0]) ** 2 + (low / half[1]) ** 2 <= 1
    else:
        radius = min(half[1], float(said.get("radius", 0)))
        corner_x = np.maximum(np.abs(right) - half[0] + radius, 0)
        corner_y = np.maximum(np.abs(low) - half[1] + radius, 0)
        within = (np.abs(right) <= half[0]) & (np.abs(low) <= half[1])
        inside = within & (np.hypot(corner_x, corner_y) <= radius) if radius else within
    return inside.reshape(size[1], FINE, size[0], FINE).mean(axis=(1, 3))


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"radius": 6},
        {"radius": 15},
        {"rotate": 30},
        {"rotate": -17, "radius": 8},
        {"kind": "ellipse"},
        {"kind": "ellipse", "rotate": 40},
    ],
)
def test_the_coverage_is_that_of_geometry(said: dict[str, Any]) -> None:
    made = apply("shape", sequential(WHITE), width=40, height=24, color="black", **said).image.numpy()
    expected = 255 * (1 - covered((60, 40), (30, 20), (20, 12), said))
    assert np.abs(made[..., 0] - expected).mean() < 0.6
    # A pixel of an edge is an eighth of a pixel off at most, and a corner that is not round a quarter.
    assert np.abs(made[..., 0] - expected).max() < 255 * (0.26 if "rotate" in said and not said.get("radius") else 0.13)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(2, 58), st.floats(2, 38), st.sampled_from(["rectangle", "ellipse"]), st.floats(-360, 360),
    st.floats(-20, 20), st.floats(-20, 20),
)  # fmt: skip
def test_the_area_is_that_of_the_formula(
    width: float, height: float, kind: str, angle: float, x: float, y: float
) -> None:
    room: Any = (pyvips.Image.black(160, 160, bands=3) + 255).cast("uchar").copy(interpretation="srgb")
    said: dict[str, Any] = {"width": round(width, 3), "height": round(height, 3), "x": round(x, 3), "y": round(y, 3)}
    made = apply("shape", picture(room), kind=kind, rotate=angle, color="black", **said).image.numpy()
    area = (1 - made[..., 0] / 255.0).sum()
    expected = said["width"] * said["height"] * (math.pi / 4 if kind == "ellipse" else 1)
    # Each pixel of the edge may be a part of a pixel off.
    assert abs(area - expected) <= 0.12 * 2 * (said["width"] + said["height"]) + 1


def test_position_and_lengths_are_in_pixels_or_percent() -> None:
    made: Any = apply("shape", picture(WHITE), width="50p", height="25p", position="bottom-right", x=-6, y="-10p").image
    dark = (made[0] < 128).ifthenelse(255, 0)
    assert dark.find_trim(background=[0]) == [24, 26, 30, 10]


def test_a_line_runs_along_the_inside_of_the_edge() -> None:
    made: Any = apply(
        "shape", picture(WHITE), width=40, height=20, color="blue", stroke="red", strokeWidth=3, position="top-left"
    ).image
    assert made(1, 10) == made(39, 10) == made(20, 18) == [255, 0, 0]
    assert made(4, 10) == [0, 0, 255]
    assert made(41, 10) == [255, 255, 255]


def test_opacity_blends_and_alpha_grows() -> None:
    image = scene_with_alpha()
    made: Any = apply("shape", picture(image), color="rgba(255,0,0,0.5)", opacity=50).image
    before, after = image.numpy().astype(float), made.numpy().astype(float)
    alpha = before[..., 3] / 255 * 0.75 + 0.25
    assert np.abs(after[..., 3] - 255 * alpha).max() <= 1
    red = (before[..., 0] * before[..., 3] / 255 * 0.75 + 255 * 0.25) / alpha
    assert np.abs(after[..., 0] - red).max() <= 1


@pytest.mark.parametrize("image", [grey(), deep(), scene()])
def test_other_kinds_of_pixels_keep_their_depth(image: Any) -> None:
    made: Any = apply("shape", picture(image), color="lime", width="50p", height="50p").image
    assert made.format == image.format
    middle = made(made.width // 2, made.height // 2)
    full = 65535 if made.format == "ushort" else 255
    assert middle[:3] == [0, full, 0]


def test_every_frame_has_it() -> None:
    frames = film()
    count = frames.height // frames.get("page-height")
    made: Any = apply("shape", picture(frames, frames=count), color="red", width=4, height=4, position="top-left").image
    height = made.height // count
    assert all(made(1, 1 + height * number)[:3] == [255, 0, 0] for number in range(count))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"width": 0}, "`shape.width` must be more than 0"),
        ({"height": "-3p"}, "`shape.height` must be more than 0"),
        ({"radius": -1}, "`shape.radius` must be 0 or more"),
        ({"kind": "ellipse", "radius": 3}, "`shape.radius` must be left out of an ellipse"),
        ({"kind": "star"}, "`shape.kind` must be one of rectangle, ellipse"),
        ({"strokeWidth": 0}, "`shape.strokeWidth` must be"),
    ],
)
def test_refuses(said: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        check(Shape, said, where="shape")
    assert refused.value.message.startswith(message)

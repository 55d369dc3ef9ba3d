"""A part of the original: boxes in pixels, percent, ratios and positions, and nothing past the edge."""

from __future__ import annotations

from typing import Any

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from tests.pictures import film, scene
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from imaging.errors import InvalidParameter

Box = tuple[int, int, int, int]

# Of a picture of 160 x 120: left, top, width and height of what is kept.
BOXES: list[tuple[dict[str, Any], Box]] = [
    ({}, (0, 0, 160, 120)),
    ({"left": 10, "top": 20, "width": 50, "height": 40}, (10, 20, 50, 40)),
    ({"left": 10, "top": 20}, (10, 20, 150, 100)),
    ({"left": "25%", "top": "50p", "width": "50p", "height": "50%"}, (40, 60, 80, 60)),
    ({"left": "50p", "width": "50p"}, (80, 0, 80, 120)),
    ({"left": "10p", "width": 30}, (16, 0, 30, 120)),
    ({"width": 60, "height": 40}, (50, 40, 60, 40)),
    ({"width": 61, "height": 41}, (50, 40, 61, 41)),
    ({"width": 60, "height": 40, "position": "top left"}, (0, 0, 60, 40)),
    ({"width": 60, "height": 40, "gravity": "southeast"}, (100, 80, 60, 40)),
    ({"width": 60, "height": 40, "top": 5, "position": "right"}, (100, 5, 60, 40)),
    ({"width": 60, "height": 40, "focalPoint": "0.25,0"}, (10, 0, 60, 40)),
    ({"ratio": "1:1"}, (20, 0, 120, 120)),
    ({"aspectRatio": "16:9"}, (0, 15, 160, 90)),
    ({"aspectRatio": 2, "position": "top"}, (0, 0, 160, 80)),
    ({"ratio": "1:1", "width": 40}, (60, 40, 40, 40)),
    ({"ratio": "2:1", "height": 40, "left": 0, "top": 0}, (0, 0, 80, 40)),
    ({"ratio": "1:1", "left": 100}, (100, 30, 60, 60)),
    ({"width": "0.01p", "left": "99.99p", "height": "0.01p", "top": 0}, (159, 0, 1, 1)),
]


@pytest.mark.parametrize("name", ["crop", "extract"])
@pytest.mark.parametrize(("said", "box"), BOXES)
def test_the_box_is_cut_out(name: str, said: dict[str, Any], box: Box) -> None:
    expected = scene().crop(*box)
    for whole in (picture(scene()), sequential(scene())):
        assert mean_difference(apply(name, whole, **said).image, expected) == 0


@pytest.mark.parametrize("name", ["crop", "extract"])
@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"left": 100, "width": 61}, "width` must be from 1 to 60 pixels in a picture of 160, from 100 on, got 61"),
        ({"height": 121}, "height` must be from 1 to 120 pixels in a picture of 120, got 121"),
        ({"left": 160}, "left` must be from 0 to 159 pixels in a picture of 160, got 160"),
        ({"top": -1}, "top` must be from 0 to 119 pixels in a picture of 120, got -1"),
        ({"left": "100p"}, "left` must be from 0 to 159 pixels in a picture of 160, got 100p"),
        ({"width": 0}, "width` must be from 1 to 160 pixels in a picture of 160, got 0"),
        ({"width": "0p"}, "width` must be from 1 to 160 pixels in a picture of 160, got 0p"),
        (
            {"left": "60p", "width": "41p"},
            "width` must be from 1 to 64 pixels in a picture of 160, from 96 on, got 41p",
        ),
        (
            {"width": 160, "ratio": "1:1"},
            "aspectRatio` must be one whose box fits: 160 x 160 pixels in 160 x 120, got 1",
        ),
    ],
)
def test_past_the_edge_is_refused(name: str, said: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        apply(name, picture(scene()), **said)
    assert refused.value.message == f"`{name}.{message}"
    assert refused.value.code == "Crop::AreaOutOfBounds"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"width": 1, "height": 1, "ratio": 1}, "aspectRatio"),
        ({"focalPoint": "0,0", "position": "top"}, "focalPoint"),
        ({"left": "ten"}, "left"),
        ({"ratio": "0:1"}, "aspectRatio"),
    ],
)
def test_what_cannot_be_meant_is_refused(said: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidParameter, match=rf"^`crop\.{field}` must be "):
        apply("crop", picture(scene()), **said)


PERCENT = st.integers(0, 1000).map(lambda tenths: tenths / 10)


@given(st.integers(1, 4000), PERCENT, PERCENT)
def test_parts_in_percent_meet_without_gap_or_overlap(width: int, one: float, other: float) -> None:
    """What ends where the next begins does so to the pixel, however it is rounded."""
    middle, right = sorted((one, other))
    if not 0 < middle < right <= 100 or width * (right - middle) < 200 or width * middle < 200:
        return
    row = pyvips.Image.black(width, 1)
    first = apply("crop", picture(row), left="0p", width=f"{middle:.1f}p").image
    second = apply("crop", picture(row), left=f"{middle:.1f}p", width=f"{right - middle:.1f}p").image
    assert -second.xoffset == first.width


@given(st.integers(1, 3000), st.integers(1, 3000), st.floats(0.01, 100))
def test_a_ratio_takes_the_largest_box_there_is(width: int, height: int, ratio: float) -> None:
    box = apply("crop", picture(pyvips.Image.black(width, height)), ratio=ratio)
    assert box.width == width or box.height == height
    assert abs(box.width - box.height * ratio) <= max(1.0, ratio)


def test_all_frames_are_cut_alike() -> None:
    whole = picture(film(), frames=3)
    made = apply("crop", whole, left=10, top=20, width=50, height=40)
    assert (made.width, made.height, made.frames) == (50, 40, 3)
    for before, after in zip(whole.split(), made.split(), strict=True):
        assert mean_difference(before.crop(10, 20, 50, 40), after) == 0


def test_the_most_interesting_part_is_found_on_large_pictures_too() -> None:
    noise = pyvips.Image.gaussnoise(400, 400, mean=128, sigma=60, seed=7).bandjoin([90, 30]).cast("uchar")
    image = (pyvips.Image.black(3000, 1000, bands=3) + 120).cast("uchar").insert(noise, 2300, 300)
    image = image.copy(interpretation="srgb")
    for position in ("attention", "entropy"):
        made = apply("crop", sequential(image), ratio="1:1", position=position).image
        assert 1650 <= -made.xoffset <= 2000 or made.deviate() > 0.9 * image.crop(2000, 0, 1000, 1000).deviate()

"""Borders: how wide, of what, and none that is too wide."""

from __future__ import annotations

from typing import Any

import pytest
from tests.pictures import deep, film, grey, scene
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from imaging.errors import InvalidParameter, TooLarge

# Of a picture of 160 x 120: left, top, right and bottom.
BORDERS: list[tuple[dict[str, Any], tuple[int, int, int, int]]] = [
    ({}, (0, 0, 0, 0)),
    ({"all": 10}, (10, 10, 10, 10)),
    ({"top": 1, "left": 2, "bottom": 3, "right": 4}, (2, 1, 4, 3)),
    ({"all": "10p"}, (16, 12, 16, 12)),
    ({"all": 5, "left": 0, "bottom": "50%"}, (0, 5, 5, 60)),
]


@pytest.mark.parametrize("mode", ["background", "copy", "repeat", "mirror"])
@pytest.mark.parametrize(("said", "border"), BORDERS)
def test_the_picture_stands_within_its_border(
    said: dict[str, Any], border: tuple[int, int, int, int], mode: str
) -> None:
    left, top, right, bottom = border
    for whole in (picture(scene()), sequential(scene())):
        made = apply("extend", whole, mode=mode, **said)
        assert (made.width, made.height) == (left + 160 + right, top + 120 + bottom)
        assert mean_difference(made.image.crop(left, top, 160, 120), scene()) == 0


def test_what_the_border_shows() -> None:
    whole = picture(scene())
    assert pixel(apply("extend", whole, all=5), 0, 0) == [0, 0, 0]
    assert pixel(apply("extend", whole, all=5, background="f80"), -1, -1) == [255, 136, 0]
    assert pixel(apply("extend", whole, all=5, background="ff000080"), 0, 0) == [255, 0, 0, 128]
    assert pixel(apply("extend", whole, all=5, extendWith="copy"), 0, 0) == pixel(scene(), 0, 0)
    assert pixel(apply("extend", whole, all=5, mode="repeat"), 0, 0) == pixel(scene(), -5, -5)
    assert pixel(apply("extend", whole, all=5, mode="mirror"), 0, 0) == pixel(scene(), 4, 4)
    assert pixel(apply("extend", picture(grey()), all=5, background="red"), 0, 0) == [255, 0, 0]
    assert pixel(apply("extend", picture(deep()), all=5, background="white"), 0, 0) == [65535, 65535, 65535]
    assert pixel(apply("padding", whole, all=5, background="white"), 0, 0) == [255, 255, 255]


def test_every_frame_has_its_own_border() -> None:
    made = apply("extend", picture(film(), frames=3), all=10, background="white")
    assert (made.width, made.height, made.frames) == (180, 140, 3)
    assert all(pixel(frame, 0, 0) == pixel(frame, -1, -1) == [255, 255, 255] for frame in made.split())


def test_refusals_name_the_field() -> None:
    with pytest.raises(InvalidParameter, match=r"^`extend\.top` must be 0 or more, got -1$"):
        apply("extend", picture(scene()), top=-1)
    with pytest.raises(InvalidParameter, match=r"^`extend\.mode` must be one of background, copy, repeat, mirror"):
        apply("extend", picture(scene()), mode="smear")
    with pytest.raises(TooLarge, match=r"^`extend` must leave a picture of at most 8192 pixels a side"):
        apply("extend", picture(scene()), right="10000p")

"""A nine-patch around the picture."""

from __future__ import annotations

from typing import Any

import pytest
import pyvips
from tests.pictures import film, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from imaging import Context, InvalidParameter, ObjectRef
from imaging.picture import Picture

Level = list[float]
RED: Level = [200, 0, 0, 255]
BLUE: Level = [0, 0, 200, 255]
BLACK: Level = [0, 0, 0, 255]
CLEAR: Level = [0, 0, 0, 0]


def patch(*, padded: bool = False) -> bytes:
    """Red corners of 4 x 4, blue edges, a clear middle of 6 x 6 that stretches, inside of its marks."""
    image = pyvips.Image.black(16, 16, bands=4).cast("uchar").copy(interpretation="srgb")
    image = image.draw_rect(BLUE, 1, 1, 14, 14, fill=True).draw_rect(CLEAR, 5, 5, 6, 6, fill=True)
    for left, top in ((1, 1), (11, 1), (1, 11), (11, 11)):
        image = image.draw_rect(RED, left, top, 4, 4, fill=True)
    image = image.draw_rect(BLACK, 5, 0, 6, 1, fill=True).draw_rect(BLACK, 0, 5, 1, 6, fill=True)
    if padded:
        image = image.draw_rect(BLACK, 4, 15, 8, 1, fill=True).draw_rect(BLACK, 15, 5, 1, 6, fill=True)
    return bytes(image.pngsave_buffer())


def around(given: Picture, body: bytes, **said: Any) -> Picture:
    return apply("frame", given, context=Context(objects={ObjectRef("", "f.png"): body}), key="f.png", **said)


def test_corners_keep_their_size_and_edges_stretch() -> None:
    made = around(sequential(scene()), patch())
    assert (made.width, made.height, made.image.bands) == (160, 120, 3)
    for x, y in ((0, 0), (3, 3), (-1, 0), (-4, -4), (0, -1)):
        assert pixel(made, x, y) == RED[:3]
    for x, y in ((80, 1), (2, 60), (-2, 60), (80, -2)):
        assert pixel(made, x, y) == BLUE[:3]
    assert mean_difference(made.image.crop(6, 6, 148, 108), scene().crop(6, 6, 148, 108)) == 0


def test_marks_at_the_far_edges_make_room() -> None:
    made = around(picture(scene()), patch(padded=True))
    assert (made.width, made.height) == (160 + 3 + 3, 120 + 4 + 4)
    assert pixel(made, 1, 1) == RED[:3]
    assert mean_difference(made.image.crop(8, 8, 100, 100), scene().crop(5, 4, 100, 100)) == 0


def test_alpha_and_animation() -> None:
    made = around(picture(scene_with_alpha()), patch())
    assert pixel(made, 150, 60)[3] == pixel(scene_with_alpha(), 150, 60)[3]
    moving = around(picture(film(), frames=3), patch(padded=True))
    assert (moving.frames, moving.height) == (3, 128)
    assert pixel(moving, 0, 128) == RED[:3]


def test_a_patch_that_is_larger_than_the_picture_is_cut_off() -> None:
    made = around(picture(scene(5, 5)), patch())
    assert (made.width, made.height) == (5, 5)


def test_refuses() -> None:
    tiny = bytes(pyvips.Image.black(2, 2).cast("uchar").pngsave_buffer())
    for body in (tiny, b"no picture"):
        with pytest.raises(InvalidParameter, match=r"`frame.key` must be ") as refused:
            around(picture(scene()), body)
        assert refused.value.code == "OverlayImageException"

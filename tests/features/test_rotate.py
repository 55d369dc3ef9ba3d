"""Right angles to the pixel, others like Pillow's, corners in the background's colour."""

from __future__ import annotations

import pytest
import pyvips
from PIL import Image as Pillow
from tests.pictures import deep, film, grey, pillow, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from imaging.context import Context, Limits
from imaging.errors import InvalidParameter, TooLarge

TURNS = {
    90: Pillow.Transpose.ROTATE_270,
    180: Pillow.Transpose.ROTATE_180,
    270: Pillow.Transpose.ROTATE_90,
    -90: Pillow.Transpose.ROTATE_90,
    450: Pillow.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("angle", TURNS)
def test_right_angles_are_exact(angle: int) -> None:
    expected = pillow(scene()).transpose(TURNS[angle])
    for whole in (picture(scene()), sequential(scene())):
        made = apply("rotate", whole, angle=angle)
        assert (made.width, made.height) == expected.size
        assert bytes(made.image.write_to_memory()) == expected.tobytes()


@pytest.mark.parametrize("angle", [0, 360, -720, -1e-99, 1e-9])
def test_a_whole_turn_changes_nothing(angle: int) -> None:
    whole = picture(scene())
    assert apply("rotate", whole, angle=angle) is whole


@pytest.mark.parametrize("angle", [5, 45, 123.4, -30, 359])
def test_other_angles_are_those_of_pillow(angle: float) -> None:
    expected = pillow(scene()).rotate(-angle, Pillow.Resampling.BILINEAR, expand=True)
    for whole in (picture(scene()), sequential(scene())):
        made = apply("rotate", whole, angle=angle)
        assert abs(made.width - expected.width) <= 2
        assert abs(made.height - expected.height) <= 2
        width, height = min(made.width, expected.width), min(made.height, expected.height)
        drawn = pyvips.Image.new_from_memory(expected.tobytes(), *expected.size, 3, "uchar")
        pair = [
            image.crop((image.width - width) // 2, (image.height - height) // 2, width, height)
            for image in (made.image, drawn)
        ]
        assert mean_difference(*pair) < 3


def test_the_background_fills_the_corners() -> None:
    whole = picture(scene())
    assert pixel(apply("rotate", whole, angle=45), 0, 0) == [0, 0, 0]
    assert pixel(apply("rotate", whole, angle=45, background="white"), -1, 0) == [255, 255, 255]
    assert pixel(apply("rotate", whole, angle=45, background="transparent"), -1, -1) == [0, 0, 0, 0]
    assert pixel(apply("rotate", whole, angle=45, background="ff000080"), 0, 0) == [255, 0, 0, 128]
    assert pixel(apply("rotate", picture(scene_with_alpha()), angle=45), 0, 0) == [0, 0, 0, 255]
    assert pixel(apply("rotate", picture(grey()), angle=45, background="red"), 0, 0) == [255, 0, 0]
    assert pixel(apply("rotate", picture(deep()), angle=45, background="white"), 0, 0) == [65535, 65535, 65535]


@pytest.mark.parametrize("angle", [90, 30])
def test_every_frame_is_turned_on_its_own(angle: int) -> None:
    whole = picture(film(), frames=3)
    made = apply("rotate", whole, angle=angle)
    assert made.frames == 3
    for before, after in zip(whole.split(), made.split(), strict=True):
        alone = apply("rotate", picture(before), angle=angle)
        assert mean_difference(alone.image, after) == 0


def test_refusals_name_the_field() -> None:
    with pytest.raises(InvalidParameter, match=r"^`rotate\.angle` must be a number from -3600 to 3600, got 4000$"):
        apply("rotate", picture(scene()), angle=4000)
    with pytest.raises(TooLarge, match=r"^`rotate\.angle` must leave a picture of at most 170 pixels a side"):
        apply("rotate", picture(scene()), angle=45, context=Context(limits=Limits(result_side=170)))


def test_a_background_that_is_half_clear_keeps_its_colour() -> None:
    made = apply("rotate", picture(scene()), angle=45, background="ff880080")
    assert pixel(made, 0, 0) == pytest.approx([255, 136, 0, 128], abs=2)

"""Plain edges go, the picture stays, and something always is left."""

from __future__ import annotations

from typing import Any

import pytest
import pyvips
from tests.pictures import deep, grey, scene
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from imaging.errors import InvalidParameter

Image = Any


def framed(
    image: Image, colour: list[float], left: int = 30, top: int = 20, right: int = 10, bottom: int = 40
) -> Image:
    size = (left + image.width + right, top + image.height + bottom)
    return image.embed(left, top, *size, extend="background", background=colour).copy_memory()


def bright(image: Image | None = None) -> Image:
    """A picture no part of which is near black, white or red."""
    image = scene() if image is None else image
    return (image / 2 + 60 * (257 if image.format == "ushort" else 1)).cast(image.format).copy_memory()


@pytest.mark.parametrize("colour", [[0, 0, 0], [255, 255, 255], [255, 0, 0]])
def test_the_border_is_cut_off(colour: list[float]) -> None:
    whole = framed(bright(), colour)
    for given in (picture(whole), sequential(whole)):
        assert mean_difference(apply("trim", given).image, bright()) == 0


def test_the_colour_may_be_named_or_lie_in_another_corner() -> None:
    """A white bar on the left, a black one on the right."""
    image = bright().embed(20, 0, 180, 120, extend="background", background=[255, 255, 255])
    image = image.embed(0, 0, 210, 120, extend="background", background=[0, 0, 0]).copy_memory()
    assert apply("trim", picture(image)).width == 190
    assert apply("trim", picture(image), corner="top-right").width == 180
    assert apply("trim", picture(image), corner="bottom-right").width == 180
    assert apply("trim", picture(image), corner="bottom-left").width == 190
    assert apply("trim", picture(image), background="black").width == 180
    assert apply("trim", picture(image), background="blue").width == 210


def test_threshold_and_margin() -> None:
    image = framed(bright(), [20, 20, 20])
    assert apply("trim", picture(image), background="black").width == 200
    assert apply("trim", picture(image), background="black", threshold=25).width == 160
    assert apply("trim", picture(image), margin=5).width == 170
    kept = apply("trim", picture(image), margin=15)
    assert (kept.width, kept.height) == (15 + 160 + 10, 15 + 120 + 15)


def test_clear_edges_go_too() -> None:
    opaque = bright().bandjoin(255).copy(interpretation="srgb")
    assert mean_difference(apply("trim", picture(framed(opaque, [0, 0, 0, 0]))).image, opaque) == 0
    black = (opaque * [0, 0, 0, 1]).cast("uchar").copy(interpretation="srgb")
    made = apply("trim", picture(framed(black, [0, 0, 0, 0])))
    assert (made.width, made.height) == (160, 120)


@pytest.mark.parametrize("image", [bright(grey()), bright(deep())], ids=["grey", "16-bit"])
def test_grey_and_sixteen_bit_pictures(image: Image) -> None:
    made = apply("trim", picture(framed(image, [0])))
    assert mean_difference(made.image, image) == 0
    white = 65535 if image.format == "ushort" else 255
    made = apply("trim", picture(framed(image, [white])), background="white")
    assert mean_difference(made.image, image) == 0


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 9), (3, 3), (50, 40)])
@pytest.mark.parametrize("bands", [1, 3, 4])
def test_a_picture_of_one_colour_stays(size: tuple[int, int], bands: int) -> None:
    plain = pyvips.Image.black(*size, bands=bands).copy(interpretation="b-w" if bands == 1 else "srgb")
    made = apply("trim", picture(plain))
    assert (made.width, made.height) == size


def test_lines_count_where_they_are_wanted() -> None:
    paper = (pyvips.Image.black(50, 50) + 255).cast("uchar").copy(interpretation="b-w")
    line = paper.draw_rect([0], 20, 10, 1, 30, fill=True)
    assert apply("trim", picture(line)).width == 50
    made = apply("trim", picture(line), lineArt=True)
    assert (made.width, made.height) == (1, 30)


def test_frames_keep_what_any_of_them_shows() -> None:
    dot = (pyvips.Image.black(10, 10, bands=3) + 200).cast("uchar").copy(interpretation="srgb")
    frames = [dot.embed(left, 20, 100, 60) for left in (10, 70)]
    made = apply("trim", picture(pyvips.Image.arrayjoin(frames, across=1), frames=2))
    assert (made.width, made.height, made.frames) == (70, 10, 2)


def test_refusals_name_the_field() -> None:
    with pytest.raises(InvalidParameter, match=r"^`trim\.threshold` must be a number from 0 to 255, got -1$"):
        apply("trim", picture(scene()), threshold=-1)

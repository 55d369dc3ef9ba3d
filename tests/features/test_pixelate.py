"""Each square has the mean of what it covers."""

from __future__ import annotations

import pytest
import pyvips
from tests.pictures import deep, film, grey, pillow, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from features.pixelate import Pixelate
from imaging import InvalidParameter, check


def test_squares_are_means() -> None:
    coarse = apply("pixelate", picture(scene()), size=16)
    assert (coarse.width, coarse.height) == (160, 120)
    for left, top in ((0, 0), (48, 32), (144, 96)):
        levels = pillow(scene().crop(left, top, 16, 16)).resize((1, 1), 4).tobytes()  # 4: box filter
        for x, y in ((left, top), (left + 15, top + 15)):
            assert pixel(coarse, x, y) == pytest.approx(list(levels), abs=1)


def test_default_size_is_ten() -> None:
    assert (
        mean_difference(apply("pixelate", picture(scene())).image, apply("pixelate", picture(scene()), size=10).image)
        == 0
    )


def test_squares_larger_than_the_picture_leave_one_colour() -> None:
    coarse = apply("pixelate", picture(scene()), size=1000).image
    assert all(coarse[band].min() == coarse[band].max() for band in range(3))


def test_clear_pixels_lend_no_colour() -> None:
    half_clear = pyvips.Image.black(4, 4, bands=4).cast("uchar").copy(interpretation="srgb")
    half_clear = half_clear.draw_rect([200, 0, 0, 255], 0, 0, 2, 4, fill=True).draw_rect(
        [0, 250, 0, 0], 2, 0, 2, 4, fill=True
    )
    assert pixel(apply("pixelate", picture(half_clear), size=4), 3, 3) == pytest.approx([200, 0, 0, 128], abs=2)


@pytest.mark.parametrize("image", [scene(), scene_with_alpha(), grey(), deep()], ids=["rgb", "alpha", "grey", "16"])
def test_every_kind_of_picture(image: pyvips.Image) -> None:
    coarse = apply("pixelate", sequential(image), size=7).image
    assert (coarse.bands, coarse.format, coarse.interpretation) == (image.bands, image.format, image.interpretation)
    assert mean_difference(coarse, image) < 12


def test_frames_do_not_mix() -> None:
    coarse = apply("pixelate", picture(film(), frames=3), size=50)
    assert (coarse.frames, coarse.height) == (3, 120)
    alone = apply("pixelate", picture(film().crop(0, 120, 160, 120)), size=50)
    assert mean_difference(coarse.split()[1], alone.image) == 0


@pytest.mark.parametrize("size", ["1", "1001", "2.5", "big"])
def test_refuses(size: str) -> None:
    with pytest.raises(InvalidParameter, match=r"`pixelate.size` must be a whole number from 2 to 1000, got"):
        check(Pixelate, {"size": size}, where="pixelate", text=True)

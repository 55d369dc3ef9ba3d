"""Red pupils become grey, and nothing else changes."""

from __future__ import annotations

import pytest
import pyvips
from tests.pictures import film, grey
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

from imaging import Context, Unavailable
from imaging.detection import DetectionNotConfigured, Region

Level = list[float]
SKIN: Level = [210, 160, 130]
FLASH: Level = [220, 40, 50]
LIPS: Level = [200, 40, 60]


class Sight(DetectionNotConfigured):
    """Somebody who sees one face in the middle."""

    def faces(self) -> tuple[Region, ...]:
        return (Region(0.25, 0.25, 0.5, 0.5),)


SEEING = Context(vision=Sight())


def portrait(pupil: Level = FLASH, radius: int = 6) -> pyvips.Image:
    """A face of 200 x 200 with two pupils at a third of its height, a mouth, and a red balloon beside it."""
    image = (pyvips.Image.black(400, 400, bands=3) + SKIN).cast("uchar").copy(interpretation="srgb")
    image = image.draw_circle(pupil, 160, 170, radius, fill=True).draw_circle(pupil, 240, 170, radius, fill=True)
    return image.draw_rect(LIPS, 170, 250, 60, 10, fill=True).draw_circle(FLASH, 40, 170, 20, fill=True).copy_memory()


def test_pupils_become_grey() -> None:
    made = apply("redEye", sequential(portrait()), context=SEEING)
    for x in (160, 240):
        assert pixel(made, x, 170) == [45, 45, 45]
    assert pixel(made, 200, 255) == LIPS
    assert pixel(made, 40, 170) == FLASH
    assert pixel(made, 200, 170) == SKIN


def test_brown_eyes_and_a_red_light_stay() -> None:
    for image in (portrait([90, 60, 40]), portrait(radius=60)):
        assert mean_difference(apply("redEye", picture(image), context=SEEING).image, image) == 0


def test_alpha_grey_depth_and_animation() -> None:
    opaque = portrait().addalpha()
    assert pixel(apply("redEye", picture(opaque), context=SEEING), 160, 170) == [45, 45, 45, 255]
    assert mean_difference(apply("redEye", picture(grey()), context=SEEING).image, grey()) == 0
    deep = apply("redEye", picture(portrait().colourspace("rgb16")), context=SEEING).image
    assert deep.format == "ushort"
    assert pixel(deep, 160, 170)[0] == pytest.approx(45 * 257, abs=300)
    assert apply("redEye", picture(film(), frames=3), context=SEEING).frames == 3


def test_without_eyes_it_says_so() -> None:
    with pytest.raises(Unavailable):
        apply("redEye", picture(portrait()))

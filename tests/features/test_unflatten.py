"""White becomes clear."""

from __future__ import annotations

import pyvips
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, pixel, sequential

PAPER = scene().insert((pyvips.Image.black(40, 40, bands=3) + 255).cast("uchar"), 0, 0).copy_memory()


def test_pure_white_alone() -> None:
    made = apply("unflatten", sequential(PAPER)).image.copy_memory()
    assert (pixel(made, 5, 5), pixel(made, 100, 100)[3]) == ([255, 255, 255, 0], 255)
    assert mean_difference(made[:3], PAPER) == 0


def test_what_is_clear_stays_clear() -> None:
    made = apply("unflatten", picture(scene_with_alpha())).image
    assert mean_difference(made, scene_with_alpha()) == 0


def test_grey_depth_and_animation() -> None:
    assert apply("unflatten", picture(grey())).image.bands == 2
    made = apply("unflatten", picture(deep(PAPER)))
    assert (made.image.format, pixel(made, 5, 5)[3], pixel(made, 100, 100)[3]) == ("ushort", 0, 65535)
    assert apply("unflatten", picture(film(), frames=3)).frames == 3

"""What is extracted is counted in pixels of the resized picture; its boxes are tested with those of `crop`."""

from __future__ import annotations

from tests.pictures import scene
from tests.similarity import mean_difference
from tests.steps import apply, picture

from features.catalogue import CATALOGUE


def test_it_comes_after_the_resize_and_crop_before() -> None:
    names = [feature.name for feature in CATALOGUE]
    assert names.index("crop") < names.index("resize") < names.index("extract")


def test_a_corner_of_the_reduced_picture() -> None:
    reduced = apply("resize", picture(scene()), width=80)
    made = apply("extract", reduced, left=60, top=40, width=20, height=20)
    assert mean_difference(made.image, reduced.image.crop(60, 40, 20, 20)) == 0

"""One channel alone."""

from __future__ import annotations

import pytest
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from imaging import InvalidParameter


@pytest.mark.parametrize(("name", "band"), [("red", 0), ("1", 1), ("blue", 2), ("3", 3)])
def test_by_name_or_number(name: str, band: int) -> None:
    made = apply("extractChannel", sequential(scene_with_alpha()), channel=name).image
    assert (made.bands, made.interpretation) == (1, "b-w")
    assert mean_difference(made, scene_with_alpha()[band]) == 0


def test_grey_depth_and_animation() -> None:
    assert mean_difference(apply("extractChannel", picture(grey()), channel="blue").image, grey()) == 0
    assert apply("extractChannel", picture(deep()), channel="red").image.interpretation == "grey16"
    assert apply("extractChannel", picture(film(), frames=3), channel="red").frames == 3


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`extractChannel.channel` must be a channel that the image has"):
        apply("extractChannel", picture(scene()), channel="alpha")

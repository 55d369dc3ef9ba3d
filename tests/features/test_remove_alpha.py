"""Without transparency."""

from __future__ import annotations

from tests.pictures import film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential


def test_colours_stay() -> None:
    assert mean_difference(apply("removeAlpha", sequential(scene_with_alpha())).image, scene()) == 0
    assert mean_difference(apply("removeAlpha", picture(scene())).image, scene()) == 0
    assert apply("removeAlpha", picture(grey().bandjoin(9))).image.bands == 1
    assert apply("removeAlpha", picture(film().bandjoin(9), frames=3)).frames == 3

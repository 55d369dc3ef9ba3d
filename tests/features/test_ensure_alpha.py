"""With transparency."""

from __future__ import annotations

import pytest
from tests.pictures import deep, film, grey, scene, scene_with_alpha
from tests.similarity import mean_difference
from tests.steps import apply, picture, sequential

from imaging import InvalidParameter


def test_only_where_there_is_none() -> None:
    assert mean_difference(apply("ensureAlpha", picture(scene_with_alpha()), alpha=0).image, scene_with_alpha()) == 0
    made = apply("ensureAlpha", sequential(scene()), alpha=0.4).image
    assert (made.bands, made[3].avg()) == (4, 102)
    assert apply("ensureAlpha", picture(grey())).image[1].avg() == 255
    assert apply("ensureAlpha", picture(deep())).image[3].avg() == 65535
    assert apply("ensureAlpha", picture(film(), frames=3)).frames == 3


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`ensureAlpha.alpha` must be a number from 0 to 1, got 2"):
        apply("ensureAlpha", picture(scene()), alpha=2)

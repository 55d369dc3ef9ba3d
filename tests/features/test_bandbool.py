"""Bits of all channels."""

from __future__ import annotations

import numpy as np
import pytest
from tests.pictures import deep, film, scene, scene_with_alpha
from tests.steps import apply, picture, sequential

from imaging import InvalidParameter


@pytest.mark.parametrize(
    ("operator", "work"), [("and", np.bitwise_and), ("or", np.bitwise_or), ("eor", np.bitwise_xor)]
)
def test_as_numpy_joins_them(operator: str, work: np.ufunc) -> None:
    for image in (scene(), scene_with_alpha()):
        made = apply("bandbool", sequential(image), operator=operator).image
        assert (made.bands, made.interpretation) == (1, "b-w")
        assert np.array_equal(made.numpy(), work.reduce(image.numpy(), axis=2))


def test_depth_and_animation() -> None:
    assert apply("bandbool", picture(deep()), operator="and").image.interpretation == "grey16"
    assert apply("bandbool", picture(film(), frames=3), operator="and").frames == 3


def test_refuses() -> None:
    with pytest.raises(InvalidParameter, match=r"`bandbool.operator` must be given"):
        apply("bandbool", picture(scene()))

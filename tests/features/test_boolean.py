"""Bits of two pictures."""

from __future__ import annotations

import numpy as np
import pytest
from tests.pictures import deep, film, grey, png, scene, scene_with_alpha
from tests.steps import apply, picture, pixel, sequential

from imaging import Context, InvalidParameter, ObjectRef

OTHER = scene(160, 120, turn=120)
CONTEXT = Context(objects={ObjectRef("", "o"): png(OTHER), ObjectRef("", "small"): png(OTHER.crop(0, 0, 50, 50))})


@pytest.mark.parametrize(
    ("operator", "work"), [("and", np.bitwise_and), ("or", np.bitwise_or), ("eor", np.bitwise_xor)]
)
def test_as_numpy_joins_them(operator: str, work: np.ufunc) -> None:
    made = apply("boolean", sequential(scene()), context=CONTEXT, key="o", operator=operator).image.numpy()
    assert np.array_equal(made, work(scene().numpy(), OTHER.numpy()))


def test_beyond_the_other_picture_nothing_is_set() -> None:
    made = apply("boolean", picture(scene()), context=CONTEXT, key="small", operator="and")
    assert pixel(made, 60, 60) == [0, 0, 0]


def test_alpha_grey_depth_and_animation() -> None:
    for image, bands in ((scene_with_alpha(), 4), (grey(), 3), (deep(), 3)):
        made = apply("boolean", picture(image), context=CONTEXT, key="o", operator="or")
        assert (made.image.bands, made.image.format) == (bands, image.format)
    made = apply("boolean", picture(film(), frames=3), context=CONTEXT, key="o", operator="eor")
    assert made.frames == 3
    assert pixel(made, 10, 130) == [
        int(one) ^ int(other) for one, other in zip(pixel(film(), 10, 130), pixel(OTHER, 10, 10), strict=True)
    ]


def test_refuses() -> None:
    with pytest.raises(
        InvalidParameter, match=r"`boolean.operator` must be one of and, or, eor, perhaps `or`, got 'xor'"
    ):
        apply("boolean", picture(scene()), context=CONTEXT, key="o", operator="xor")

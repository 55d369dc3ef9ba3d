"""What declares a feature."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest
from tests.pictures import scene
from tests.steps import picture

from imaging import Params
from imaging.context import Context, ObjectRef
from imaging.cost import each_pixel
from imaging.params.model import hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class DrawFrame(Params):
    """Draw a frame.

    What follows is for readers of the code.
    """

    line_width: Annotated[int, msgspec.Meta(description="How wide", extra=hint(unit="px"))] = 1


@feature(
    DrawFrame,
    group="overlay",
    cost=each_pixel(0.5),
    expensive=True,
    preshrink=lambda wanted, size: size[0] / wanted.line_width,
    objects=lambda wanted: (ObjectRef("", str(wanted.line_width)),),
)
def draw_frame(given: Picture, wanted: DrawFrame, context: Context) -> Picture:
    return given.with_image(given.image.linear([1.0], [float(wanted.line_width)]).cast("uchar"))


def test_the_name_comes_from_the_model() -> None:
    assert (draw_frame.name, draw_frame.help) == ("drawFrame", "Draw a frame.")
    assert (
        feature(DrawFrame, group="overlay", cost=each_pixel(0.5), name="other")(
            lambda given, wanted, context: given
        ).name
        == "other"
    )


def test_what_is_declared_is_known() -> None:
    wanted = DrawFrame(line_width=4)
    assert (draw_frame.expensive, draw_frame.billed, draw_frame.scale_free) == (True, False, False)
    assert draw_frame.preshrink is not None
    assert draw_frame.preshrink(wanted, (100, 50)) == 25
    assert draw_frame.objects is not None
    assert draw_frame.objects(wanted) == (ObjectRef("", "4"),)


def test_it_is_applied_to_a_picture() -> None:
    made = draw_frame.apply(picture(scene()), DrawFrame(line_width=4), Context())
    assert isinstance(made, Picture)
    assert made.image(0, 0) == [level + 4 for level in scene()(0, 0)]


def test_parameters_are_frozen_named_in_camel_case_and_complete() -> None:
    assert msgspec.json.encode(DrawFrame(line_width=2)) == b'{"lineWidth":2}'
    with pytest.raises(AttributeError):
        DrawFrame().line_width = 3  # type: ignore[misc]  # it is frozen, which is what is tried
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"line_width": 2}, DrawFrame)

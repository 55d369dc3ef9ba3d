"""Make the picture of coarse squares."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from features._alpha import premultiplied
from features._cost import each_pixel
from features._feature import Params, feature, hint
from features._picture import Picture
from features._ports import Context
from features._softening import coarse


class Pixelate(Params):
    """Make the picture of coarse squares, each in the mean of its colours."""

    size: Annotated[
        int, Meta(ge=2, le=1000, description="Side of a square", extra=hint(main=True, unit="px", usual=(2, 100)))
    ] = 10


@feature(Pixelate, group="effect", cost=each_pixel(0.002), reads="neighbours")
def pixelate(picture: Picture, wanted: Pixelate, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    return picture.each_frame(lambda frame: premultiplied(frame, lambda image: coarse(image, wanted.size)))

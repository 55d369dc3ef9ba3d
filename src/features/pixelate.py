"""Replace the image by coarse squares, each in its average colour."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.ops.alpha import premultiplied
from imaging.ops.softening import average_squares
from imaging.params.model import Params, hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Pixelate(Params):
    """Replace the image by coarse squares, each in its average colour."""

    size: Annotated[
        int, Meta(ge=2, le=1000, description="Side of a square", extra=hint(main=True, unit="px", usual=(2, 100)))
    ] = 10


@feature(Pixelate, group="effect", cost=each_pixel(0.002), reads="neighbours")
def pixelate(picture: Picture, requested: Pixelate, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    return picture.each_frame(lambda frame: premultiplied(frame, lambda image: average_squares(image, requested.size)))

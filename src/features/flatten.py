"""Merge the alpha channel with a background colour, so that nothing is transparent."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.ops.geometry import on_background
from imaging.params.model import Params, hint
from imaging.params.types import Color
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Flatten(Params):
    """Merge the alpha channel with a background colour, so that nothing is transparent."""

    background: Annotated[Color, Meta(description="Background colour; its alpha is ignored", extra=hint(main=True))] = (
        Color(0, 0, 0)
    )


@feature(Flatten, group="colour", cost=each_pixel(0.003), scale_free=True, keeps_gain_map=True)
def flatten(picture: Picture, requested: Flatten, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    if not picture.has_alpha:
        return picture
    image, background = on_background(picture.image, Color(*requested.background.rgb))
    return picture.with_image(image.flatten(background=background[:-1]))

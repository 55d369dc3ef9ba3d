"""Mirror the image horizontally: left and right change places."""

from __future__ import annotations

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.params.model import Params
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Flop(Params):
    """Mirror the image horizontally: left and right change places."""


@feature(Flop, group="geometry", cost=each_pixel(0.002), scale_free=True, any_color_space=True, keeps_gain_map=True)
def flop(picture: Picture, requested: Flop, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    flopped = picture.with_image(picture.image.fliphor())
    return flopped.with_view((picture.width, 0, -picture.width, picture.height), (picture.width, picture.height))

"""Mirror the image vertically: top and bottom change places."""

from __future__ import annotations

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.params.model import Params
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Flip(Params):
    """Mirror the image vertically: top and bottom change places."""


@feature(
    Flip,
    group="geometry",
    cost=each_pixel(0.008),
    reads="whole",
    scale_free=True,
    any_color_space=True,
    keeps_gain_map=True,
)
def flip(picture: Picture, requested: Flip, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    flipped = picture.materialized().each_frame(lambda frame: frame.flipver())
    return flipped.with_view((0, picture.height, picture.width, -picture.height), (picture.width, picture.height))

"""Mirror top and bottom."""

from __future__ import annotations

from features._cost import each_pixel
from features._feature import Params, feature
from features._picture import Picture
from features._ports import Context


class Flip(Params):
    """Mirror the picture vertically: what was on top is at the bottom."""


@feature(Flip, group="geometry", cost=each_pixel(0.008), reads="whole", scale_free=True)
def flip(picture: Picture, wanted: Flip, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    flipped = picture.materialized().each_frame(lambda frame: frame.flipver())
    return flipped.showing((0, picture.height, picture.width, -picture.height), (picture.width, picture.height))

"""Mirror left and right."""

from __future__ import annotations

from features._cost import each_pixel
from features._feature import Params, feature
from features._picture import Picture
from features._ports import Context


class Flop(Params):
    """Mirror the picture horizontally: what was on the left is on the right."""


@feature(Flop, group="geometry", cost=each_pixel(0.002), scale_free=True)
def flop(picture: Picture, wanted: Flop, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    flopped = picture.with_image(picture.image.fliphor())
    return flopped.showing((picture.width, 0, -picture.width, picture.height), (picture.width, picture.height))

"""Leave transparency out."""

from __future__ import annotations

from features._cost import each_pixel
from features._feature import Params, feature
from features._picture import Picture
from features._ports import Context


class RemoveAlpha(Params):
    """Leave transparency out; what was clear shows the colours that lay there."""


@feature(RemoveAlpha, group="colour", cost=each_pixel(0.002))
def remove_alpha(picture: Picture, wanted: RemoveAlpha, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    return picture.with_image(picture.image[: picture.image.bands - 1]) if picture.has_alpha else picture

"""Remove the alpha channel; transparent pixels show the colour that they have."""

from __future__ import annotations

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.params.model import Params
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class RemoveAlpha(Params):
    """Remove the alpha channel; transparent pixels show the colour that they have."""


@feature(RemoveAlpha, group="colour", cost=each_pixel(0.002), keeps_gain_map=True)
def remove_alpha(picture: Picture, requested: RemoveAlpha, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    return picture.with_image(picture.image[: picture.image.bands - 1]) if picture.has_alpha else picture

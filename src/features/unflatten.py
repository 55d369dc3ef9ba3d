"""Make pure white pixels transparent."""

from __future__ import annotations

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.params.model import Params
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Unflatten(Params):
    """Make pure white pixels transparent."""


@feature(Unflatten, group="colour", cost=each_pixel(0.014), adds_alpha=True)
def unflatten(picture: Picture, requested: Unflatten, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    image = picture.image if picture.has_alpha else picture.image.addalpha()
    colours, alpha = image[: image.bands - 1], image[image.bands - 1]
    deep = image.format == "ushort"
    light = colours.colourspace("grey16" if deep else "b-w")
    opaque = light.relational_const("less", [65_535 if deep else 255])
    return picture.with_image(colours.bandjoin(opaque.ifthenelse(alpha, 0).cast(image.format)))

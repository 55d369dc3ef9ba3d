"""Convert the image to greyscale; transparency is kept."""

from __future__ import annotations

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.ops.alpha import beside_alpha
from imaging.params.model import Params
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Grayscale(Params):
    """Convert the image to greyscale; transparency is kept."""


@feature(Grayscale, group="colour", cost=each_pixel(0.003), scale_free=True)
def grayscale(picture: Picture, requested: Grayscale, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    if picture.image.bands < 3:
        return picture
    grey = "grey16" if picture.image.format == "ushort" else "b-w"
    return picture.with_image(beside_alpha(picture.image, lambda image: image.colourspace(grey)))

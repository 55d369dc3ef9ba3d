"""Take the colours out."""

from __future__ import annotations

from features._alpha import beside_alpha
from features._cost import each_pixel
from features._feature import Params, feature
from features._picture import Picture
from features._ports import Context


class Grayscale(Params):
    """Take the colours out; transparency stays."""


@feature(Grayscale, group="colour", cost=each_pixel(0.003), scale_free=True)
def grayscale(picture: Picture, wanted: Grayscale, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    if picture.image.bands < 3:
        return picture
    grey = "grey16" if picture.image.format == "ushort" else "b-w"
    return picture.with_image(beside_alpha(picture.image, lambda image: image.colourspace(grey)))

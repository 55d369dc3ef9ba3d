"""Invert the levels of the image, which gives its negative."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.ops.alpha import beside_alpha
from imaging.params.model import Params
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Negate(Params):
    """Invert the levels of the image, which gives its negative."""

    alpha: Annotated[bool, Meta(description="Invert the alpha channel, too")] = True


@feature(Negate, group="colour", cost=each_pixel(0.002))
def negate(picture: Picture, requested: Negate, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    image = picture.image
    return picture.with_image(
        image.invert() if requested.alpha else beside_alpha(image, lambda pixels: pixels.invert())
    )

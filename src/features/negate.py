"""The negative of the picture."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from features._alpha import beside_alpha
from features._cost import each_pixel
from features._feature import Params, feature
from features._picture import Picture
from features._ports import Context


class Negate(Params):
    """The negative of the picture."""

    alpha: Annotated[bool, Meta(description="Negate transparency, too")] = True


@feature(Negate, group="colour", cost=each_pixel(0.002))
def negate(picture: Picture, wanted: Negate, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    image = picture.image
    return picture.with_image(image.invert() if wanted.alpha else beside_alpha(image, lambda pixels: pixels.invert()))

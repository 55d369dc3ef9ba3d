"""Lay the picture on a background, so that nothing shines through."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from features._cost import each_pixel
from features._feature import Params, feature, hint
from features._geometry import on_background
from features._picture import Picture
from features._ports import Context
from features._types import Color


class Flatten(Params):
    """Lay the picture on a background, so that nothing shines through."""

    background: Annotated[
        Color, Meta(description="Colour behind the picture; opaque, whatever its alpha", extra=hint(main=True))
    ] = Color(0, 0, 0)


@feature(Flatten, group="colour", cost=each_pixel(0.003), scale_free=True)
def flatten(picture: Picture, wanted: Flatten, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    if not picture.has_alpha:
        return picture
    image, background = on_background(picture.image, Color(*wanted.background.rgb))
    return picture.with_image(image.flatten(background=background[:-1]))

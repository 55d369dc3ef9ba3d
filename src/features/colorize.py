"""Blend the image with a colour, by a percentage for each channel."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.ops.alpha import beside_alpha
from imaging.ops.geometry import level_scale
from imaging.params.model import Params, hint
from imaging.params.types import Color
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Colorize(Params):
    """Blend the image with a colour, by a percentage for each channel."""

    color: Annotated[Color, Meta(description="Colour to blend with", extra=hint(main=True, aliases=("colour",)))]
    red: Annotated[
        float, Meta(ge=0, le=100, description="Share of the colour in the red channel", extra=hint(unit="%"))
    ] = 50.0
    green: Annotated[
        float, Meta(ge=0, le=100, description="Share of the colour in the green channel", extra=hint(unit="%"))
    ] = 50.0
    blue: Annotated[
        float, Meta(ge=0, le=100, description="Share of the colour in the blue channel", extra=hint(unit="%"))
    ] = 50.0


@feature(Colorize, group="colour", cost=each_pixel(0.007))
def colorize(picture: Picture, requested: Colorize, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    image = picture.image
    if image.bands < 3:
        image = image.colourspace("rgb16" if image.format == "ushort" else "srgb")
    shares = [requested.red / 100, requested.green / 100, requested.blue / 100]
    added = [level * share * level_scale(image) for level, share in zip(requested.color.rgb, shares, strict=True)]
    kept = [1 - share for share in shares]
    return picture.with_image(beside_alpha(image, lambda pixels: pixels.linear(kept, added).rint().cast(image.format)))

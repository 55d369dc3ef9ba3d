"""Mix a colour into the picture."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from features._alpha import beside_alpha
from features._cost import each_pixel
from features._feature import Params, feature, hint
from features._geometry import depth
from features._picture import Picture
from features._ports import Context
from features._types import Color


class Colorize(Params):
    """Mix a colour into the picture, into each channel as much as asked."""

    color: Annotated[Color, Meta(description="What is mixed in", extra=hint(main=True, aliases=("colour",)))]
    red: Annotated[float, Meta(ge=0, le=100, description="How much of its red", extra=hint(unit="%"))] = 50.0
    green: Annotated[float, Meta(ge=0, le=100, description="How much of its green", extra=hint(unit="%"))] = 50.0
    blue: Annotated[float, Meta(ge=0, le=100, description="How much of its blue", extra=hint(unit="%"))] = 50.0


@feature(Colorize, group="colour", cost=each_pixel(0.007))
def colorize(picture: Picture, wanted: Colorize, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    image = picture.image
    if image.bands < 3:
        image = image.colourspace("rgb16" if image.format == "ushort" else "srgb")
    shares = [wanted.red / 100, wanted.green / 100, wanted.blue / 100]
    added = [level * share * depth(image) for level, share in zip(wanted.color.rgb, shares, strict=True)]
    kept = [1 - share for share in shares]
    return picture.with_image(beside_alpha(image, lambda pixels: pixels.linear(kept, added).rint().cast(image.format)))

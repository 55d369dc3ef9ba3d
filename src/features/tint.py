"""Give the image the hue of a colour; the lightness is kept, so black and white are, too."""

from __future__ import annotations

from typing import Annotated

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.ops.alpha import beside_alpha
from imaging.params.model import Params, hint
from imaging.params.types import Color
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Tint(Params):
    """Give the image the hue of a colour; the lightness is kept, so black and white are, too."""

    color: Annotated[
        Color, Meta(description="Colour whose hue and saturation are used", extra=hint(main=True, aliases=("colour",)))
    ]


@feature(Tint, group="colour", cost=each_pixel(0.01))
def tint(picture: Picture, requested: Tint, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    shades = _shades(requested.color)
    space = "rgb16" if picture.image.format == "ushort" else "srgb"

    def colour_pixels(image: pyvips.Image) -> pyvips.Image:
        return image.colourspace("b-w").maplut(shades).copy(interpretation="srgb").colourspace(space)

    return picture.with_image(beside_alpha(picture.image, colour_pixels))


def _shades(color: Color) -> pyvips.Image:
    """Return a table of 256 tinted greys in sRGB.

    Each has the lightness of the grey, and the colour's CIELAB coordinates a and b, weighted by 1 - 4 (l - 0.5)² for a
    lightness l from 0 to 1, as in sharp: fully in the middle tones, not at all in black and white.
    """
    spot = (pyvips.Image.black(1, 1, bands=3) + color.rgb).cast("uchar").copy(interpretation="srgb")
    _, a, b = spot.colourspace("lab")(0, 0)
    lightness = pyvips.Image.identity(bands=3).copy(interpretation="srgb").colourspace("lab")[0]
    middle = lightness / 100 - 0.5
    weight = 1 - middle * middle * 4
    return lightness.bandjoin(weight * [a, b]).copy(interpretation="lab").colourspace("srgb")

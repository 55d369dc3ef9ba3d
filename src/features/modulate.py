"""Change brightness, saturation, hue and lightness, in the CIE LCh colour space."""

from __future__ import annotations

from typing import Annotated

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.ops.alpha import beside_alpha
from imaging.params.model import Params, hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Modulate(Params):
    """Change brightness, saturation, hue and lightness, in the CIE LCh colour space."""

    brightness: Annotated[
        float, Meta(ge=0, le=100, description="Factor of the lightness; 1 has no effect", extra=hint(usual=(0, 3)))
    ] = 1.0
    saturation: Annotated[
        float,
        Meta(ge=0, le=100, description="Factor of the chroma; 0: grey, 1 has no effect", extra=hint(usual=(0, 3))),
    ] = 1.0
    hue: Annotated[
        int,
        Meta(
            ge=-3600,
            le=3600,
            description="Rotation of the hue; 180: complementary colours",
            extra=hint(unit="°", usual=(-180, 180)),
        ),
    ] = 0
    lightness: Annotated[
        float, Meta(ge=-100, le=100, description="Added to the lightness, which is 0 for black and 100 for white")
    ] = 0.0


@feature(Modulate, group="colour", cost=each_pixel(0.06, 3))
def modulate(picture: Picture, requested: Modulate, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    def modulate_colours(image: pyvips.Image) -> pyvips.Image:
        factors = [requested.brightness, requested.saturation, 1]
        lch = image.colourspace("lch").linear(factors, [requested.lightness, 0, requested.hue % 360])
        return lch.copy(interpretation="lch").colourspace(image.interpretation)

    return picture.with_image(beside_alpha(picture.image, modulate_colours))

"""Make each pixel white if its level is at least the threshold, otherwise black."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.ops.geometry import level_scale
from imaging.params.model import Params, hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Threshold(Params):
    """Make each pixel white if its level is at least the threshold, otherwise black.

    The threshold also applies to the alpha channel: pixels become opaque or transparent.
    """

    threshold: Annotated[
        int,
        Meta(
            ge=0,
            le=255,
            description="Lowest level that becomes white, of 0 to 255; 0 has no effect",
            extra=hint(main=True),
        ),
    ] = 128
    grayscale: Annotated[
        bool,
        Meta(
            description="Compare the greyscale level; otherwise each channel is compared separately",
            extra=hint(aliases=("greyscale",)),
        ),
    ] = True


@feature(Threshold, group="colour", cost=each_pixel(0.004))
def threshold(picture: Picture, requested: Threshold, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    if not requested.threshold:
        return picture
    image = picture.image
    if requested.grayscale:
        image = image.colourspace("grey16" if image.format == "ushort" else "b-w")
    above = image.relational_const("moreeq", [requested.threshold * level_scale(image)])
    # A comparison results in 0 or 255 with 8 bits, whatever the depth of the image.
    return picture.with_image(above.copy(interpretation="srgb" if image.bands > 2 else "b-w"))

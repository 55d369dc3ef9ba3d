"""Make everything white or black."""

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
    """Make everything white that is at least so bright, the rest black; what is as opaque, opaque, the rest clear."""

    threshold: Annotated[
        int, Meta(ge=0, le=255, description="Least level that becomes white; 0: nothing changes", extra=hint(main=True))
    ] = 128
    grayscale: Annotated[
        bool, Meta(description="By the lightness; otherwise each channel alone", extra=hint(aliases=("greyscale",)))
    ] = True


@feature(Threshold, group="colour", cost=each_pixel(0.004))
def threshold(picture: Picture, requested: Threshold, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    if not requested.threshold:
        return picture
    image = picture.image
    if requested.grayscale:
        image = image.colourspace("grey16" if image.format == "ushort" else "b-w")
    above = image.relational_const("moreeq", [requested.threshold * level_scale(image)])
    # 255 where it is so, whatever the depth.
    return picture.with_image(above.copy(interpretation="srgb" if image.bands > 2 else "b-w"))

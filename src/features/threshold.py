"""Make everything white or black."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from features._cost import each_pixel
from features._feature import Params, feature, hint
from features._geometry import depth
from features._picture import Picture
from features._ports import Context


class Threshold(Params):
    """Make everything white that is at least so bright, the rest black; what is as opaque, opaque, the rest clear."""

    threshold: Annotated[
        int, Meta(ge=0, le=255, description="Least level that becomes white; 0: nothing changes", extra=hint(main=True))
    ] = 128
    grayscale: Annotated[
        bool, Meta(description="By the lightness; otherwise each channel alone", extra=hint(aliases=("greyscale",)))
    ] = True


@feature(Threshold, group="colour", cost=each_pixel(0.004))
def threshold(picture: Picture, wanted: Threshold, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    if not wanted.threshold:
        return picture
    image = picture.image
    if wanted.grayscale:
        image = image.colourspace("grey16" if image.format == "ushort" else "b-w")
    above = image.relational_const("moreeq", [wanted.threshold * depth(image)])
    # 255 where it is so, whatever the depth.
    return picture.with_image(above.copy(interpretation="srgb" if image.bands > 2 else "b-w"))

"""Round the corners of the image; its size is kept."""

from __future__ import annotations

from typing import Annotated

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.errors import InvalidParameter
from imaging.ops.geometry import on_background
from imaging.ops.rounded import apply_mask, rounded_rectangle_mask
from imaging.params.model import Params, hint
from imaging.params.types import Color, Length
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class RoundCorners(Params):
    """Round the corners of the image; its size is kept."""

    radius: Annotated[
        Length,
        Meta(
            description="Horizontal radius, at most half the width; percentages refer to the shorter side",
            extra=hint(main=True, unit="px or %"),
        ),
    ] = Length(20)
    radius_y: Annotated[
        Length | None,
        Meta(
            description="Vertical radius, at most half the height; percentages refer to the shorter side. Default: "
            "the horizontal radius",
            extra=hint(unit="px or %"),
        ),
    ] = None
    background: Annotated[Color, Meta(description="Colour of the corners")] = Color(0, 0, 0, 0)

    def check(self) -> None:
        """Raise InvalidParameter if a radius is negative."""
        for name, length in (("radius", self.radius), ("radiusY", self.radius_y)):
            if length and length.value < 0:
                raise InvalidParameter(f"roundCorners.{name}", "0 or more", length)


@feature(RoundCorners, group="effect", cost=each_pixel(0.04, 4), adds_alpha=True)
def round_corners(picture: Picture, requested: RoundCorners, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    width, height = picture.width, picture.height
    shorter = min(width, height)
    across = min(requested.radius.exactly(shorter), width / 2)
    down = min((requested.radius if requested.radius_y is None else requested.radius_y).exactly(shorter), height / 2)
    if not across or not down:
        return picture
    mask = rounded_rectangle_mask((width, height), (across, down))

    def round_frame(frame: pyvips.Image) -> pyvips.Image:
        image, background = on_background(frame, requested.background)
        if not image.hasalpha():
            return ((image * mask + (255 - mask) * background) / 255).rint().cast(image.format)
        if not requested.background.alpha:
            return apply_mask(image, mask)
        # The mask blends premultiplied image and background, so that transparent pixels of the image stay transparent.
        inside = image.premultiply() * mask
        outside = (255 - mask) * [*(level * requested.background.alpha for level in background[:-1]), background[-1]]
        return (
            ((inside + outside) / 255)
            .copy(interpretation=image.interpretation)
            .unpremultiply()
            .rint()
            .cast(image.format)
        )

    return picture.each_frame(round_frame)

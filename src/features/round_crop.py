"""Crop to an ellipse; pixels outside it are transparent."""

from __future__ import annotations

import math
from typing import Annotated

from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.errors import InvalidParameter
from imaging.ops.rounded import apply_mask, ellipse_mask
from imaging.params.model import Params, hint
from imaging.params.types import Length
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_FAINT = 0.04
"""Fraction of a pixel by which the ellipse may reach into a row or column without adding it to the result."""


class RoundCrop(Params):
    """Crop to an ellipse; pixels outside it are transparent.

    The result is as large as the part of the ellipse that is inside the image.
    """

    rx: Annotated[
        Length | None,
        Meta(
            description="Horizontal radius; percentages refer to the width. Default: half the shorter side",
            extra=hint(unit="px or %"),
        ),
    ] = None
    ry: Annotated[
        Length | None,
        Meta(
            description="Vertical radius; percentages refer to the height. Default: half the shorter side",
            extra=hint(unit="px or %"),
        ),
    ] = None
    left: Annotated[
        Length | None,
        Meta(
            description="Distance of the centre from the left edge. Default: half the width", extra=hint(unit="px or %")
        ),
    ] = None
    top: Annotated[
        Length | None,
        Meta(
            description="Distance of the centre from the top edge. Default: half the height", extra=hint(unit="px or %")
        ),
    ] = None

    def check(self) -> None:
        """Raise InvalidParameter unless the radii are above 0 and the centre is not left of or above the image."""
        for name, expected in (("rx", "above 0"), ("ry", "above 0"), ("left", "0 or more"), ("top", "0 or more")):
            length: Length | None = getattr(self, name)
            if length and (length.value < 0 or (length.value == 0 and expected == "above 0")):
                raise InvalidParameter(f"roundCrop.{name}", expected, length)


@feature(RoundCrop, group="geometry", cost=each_pixel(0.022, 4.5), adds_alpha=True)
def round_crop(picture: Picture, requested: RoundCrop, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    width, height = picture.width, picture.height
    half = Length(min(width, height) / 2)
    radii = ((requested.rx or half).exactly(width), (requested.ry or half).exactly(height))
    centre = (
        width / 2 if requested.left is None else requested.left.exactly(width),
        height / 2 if requested.top is None else requested.top.exactly(height),
    )
    left, right = _span("left", centre[0], radii[0], width)
    top, bottom = _span("top", centre[1], radii[1], height)
    size = (right - left, bottom - top)
    mask = ellipse_mask(size, (centre[0] - left, centre[1] - top), radii)

    return picture.each_frame(lambda frame: apply_mask(frame.crop(left, top, *size), mask))


def _span(name: str, middle: float, radius: float, whole: int) -> tuple[int, int]:
    """Return where the ellipse begins and ends on a side of the image that has `whole` pixels."""
    start = max(0, math.floor(middle - radius + _FAINT))
    end = min(whole, math.ceil(middle + radius - _FAINT))
    if start >= end:
        raise InvalidParameter(
            f"roundCrop.{name}",
            f"a centre whose ellipse overlaps the image, which has {whole} pixels on this side",
            middle,
        )
    return start, end

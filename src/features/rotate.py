"""Rotate the image clockwise; the canvas grows to hold its corners."""

from __future__ import annotations

import math
from typing import Annotated

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import Cost, Shape, Size
from imaging.ops.geometry import on_background, premultiply_levels, refuse_larger
from imaging.params.model import Params, hint
from imaging.params.types import Color
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Rotate(Params):
    """Rotate the image clockwise; the canvas grows to hold its corners."""

    angle: Annotated[
        float,
        Meta(
            ge=-3600,
            le=3600,
            description="Angle, clockwise; multiples of 90° are exact",
            extra=hint(main=True, unit="°", usual=(-180, 180)),
        ),
    ] = 0.0
    background: Annotated[Color, Meta(description="Colour of the areas that the rotated image does not cover")] = Color(
        0, 0, 0
    )


def _degrees(requested: Rotate) -> float:
    """Return the angle from 0 to below 360, rounded first because the remainder of a tiny negative number is 360."""
    return round(requested.angle, 6) % 360


def _result(requested: Rotate, size: Size, _overlay: Size) -> Size:
    angle = math.radians(_degrees(requested))
    across, down = abs(math.cos(angle)), abs(math.sin(angle))
    return (math.ceil(size[0] * across + size[1] * down), math.ceil(size[0] * down + size[1] * across))


def _cost(requested: Rotate, _shape: Shape) -> Cost:
    return Cost(0.006 if _degrees(requested) % 90 == 0 else 0.019)


@feature(
    Rotate,
    group="geometry",
    cost=_cost,
    reads="whole",
    size=_result,
    is_noop=lambda requested: _degrees(requested) == 0,
    any_color_space=lambda requested: _degrees(requested) % 90 == 0,
    keeps_gain_map=lambda requested: _degrees(requested) % 90 == 0,
)
def rotate(picture: Picture, requested: Rotate, context: Context) -> Picture:
    angle = _degrees(requested)
    if angle == 0:
        return picture
    picture = picture.materialized()
    if angle % 90 == 0:
        rotated = picture.rotated(int(angle // 90))
    else:
        rotated = picture.each_frame(lambda frame: _rotated(frame, angle, requested.background))
    refuse_larger("rotate.angle", (rotated.width, rotated.height), rotated.frames, context)
    return rotated


def _rotated(image: pyvips.Image, angle: float, background: Color) -> pyvips.Image:
    image, corners = on_background(image, background)
    # libvips premultiplies the image here, but not the background.
    return image.rotate(angle, background=premultiply_levels(image, corners))

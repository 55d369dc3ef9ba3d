"""Fill a rectangle, with round corners if desired, or an ellipse, for example as a panel behind a title."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import Cost
from imaging.cost import Shape as ImageShape
from imaging.errors import InvalidParameter
from imaging.ops.layers import Image, lay_color
from imaging.params.model import Params, hint
from imaging.params.types import Color, Length, Position
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Shape(Params):
    """Fill a rectangle, with round corners if desired, or an ellipse, for example as a panel behind a title.

    Lengths in percent refer to the width of the image, for `height` and `y` to its height, and for `radius` to the
    shorter side of the shape.
    """

    kind: Annotated[Literal["rectangle", "ellipse"], Meta(description="What is drawn", extra=hint(main=True))] = (
        "rectangle"
    )
    color: Annotated[Color, Meta(description="Colour of the fill", extra=hint(aliases=("colour",)))] = Color(0, 0, 0)
    opacity: Annotated[float, Meta(ge=0, le=100, description="Opacity of the whole shape", extra=hint(unit="%"))] = (
        100.0
    )
    width: Annotated[Length, Meta(description="Width of the shape", extra=hint(unit="px or %"))] = Length(100, True)
    height: Annotated[Length, Meta(description="Height of the shape", extra=hint(unit="px or %"))] = Length(100, True)
    radius: Annotated[Length, Meta(description="Radius of the corners of a rectangle", extra=hint(unit="px or %"))] = (
        Length(0)
    )
    stroke: Annotated[Color | None, Meta(description="Colour of a line along the inside of the edge")] = None
    stroke_width: Annotated[
        float, Meta(gt=0, le=500, description="Width of that line", extra=hint(unit="px", usual=(1, 20)))
    ] = 2.0
    rotate: Annotated[float, Meta(ge=-360, le=360, description="Angle, clockwise", extra=hint(unit="°"))] = 0.0
    position: Annotated[Position, Meta(description="Where the shape is placed", extra=hint(aliases=("gravity",)))] = (
        Position("center")
    )
    x: Annotated[
        Length, Meta(description="Distance from that position, towards the right", extra=hint(unit="px or %"))
    ] = Length(0)
    y: Annotated[Length, Meta(description="Distance from that position, downwards", extra=hint(unit="px or %"))] = (
        Length(0)
    )

    def check(self) -> None:
        """Raise InvalidParameter for lengths that must not be negative, and for a radius of an ellipse."""
        for name in ("width", "height"):
            if getattr(self, name).value <= 0:
                raise InvalidParameter(f"shape.{name}", "more than 0", getattr(self, name))
        if self.radius.value < 0:
            raise InvalidParameter("shape.radius", "0 or more", self.radius)
        if self.radius.value and self.kind == "ellipse":
            raise InvalidParameter("shape.radius", "left out of an ellipse", self.radius)


def _cost(requested: Shape, _shape: ImageShape) -> Cost:
    """Estimate the cost, which hardly depends on the size of the shape: every pixel is blended."""
    return Cost(0.05 if requested.stroke is None else 0.14, 8)


@feature(Shape, group="overlay", cost=_cost)
def shape(picture: Picture, requested: Shape, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    inside = _distance((picture.width, picture.height), requested)
    opacity = requested.opacity / 100
    whole = _between(inside + 0.5)
    fill = whole
    edge = None
    if requested.stroke is not None:
        fill = _between(inside + (0.5 - requested.stroke_width))
        edge = (whole - fill) * (requested.stroke.alpha * opacity)

    def lay(frame: Image) -> Image:
        filled = lay_color(frame, fill * (requested.color.alpha * opacity), requested.color)
        return filled if edge is None or requested.stroke is None else lay_color(filled, edge, requested.stroke)

    return picture.each_frame(lay)


def _between(image: Image) -> Image:
    """Return the image with its levels limited to 0 to 1."""
    return (image < 0).ifthenelse(0.0, (image > 1).ifthenelse(1.0, image))


def _distance(room: tuple[int, int], requested: Shape) -> Image:
    """Return how far each pixel's centre is inside of the edge, in pixels; negative outside."""
    width = max(1.0, requested.width.exactly(room[0]))
    height = max(1.0, requested.height.exactly(room[1]))
    across, down = requested.position.ratios
    centre = (
        (room[0] - width) * across + width / 2 + requested.x.exactly(room[0]),
        (room[1] - height) * down + height / 2 + requested.y.exactly(room[1]),
    )
    from_centre = pyvips.Image.xyz(*room) + [0.5 - centre[0], 0.5 - centre[1]]
    turn = math.radians(requested.rotate)
    right, low = from_centre[0], from_centre[1]
    if requested.rotate % 360:
        # The axes of the shape, which is turned clockwise.
        right, low = (
            right * math.cos(turn) + low * math.sin(turn),
            low * math.cos(turn) - right * math.sin(turn),
        )
    if requested.kind == "ellipse":
        return _inside_ellipse(right, low, (width / 2, height / 2))
    shorter = min(width, height)
    radius = min(requested.radius.exactly(round(shorter)), shorter / 2)
    return _inside_rectangle(right, low, (width / 2, height / 2), radius)


def _inside_rectangle(right: Image, low: Image, half: tuple[float, float], radius: float) -> Image:
    """Return the distance to the edge of a rectangle with round corners, after Quilez' `sdRoundedBox`."""
    x, y = right.abs() - (half[0] - radius), low.abs() - (half[1] - radius)
    beyond_x, beyond_y = (x > 0).ifthenelse(x, 0), (y > 0).ifthenelse(y, 0)
    nearest = (x > y).ifthenelse(x, y)
    outside = (beyond_x * beyond_x + beyond_y * beyond_y) ** 0.5 + (nearest < 0).ifthenelse(nearest, 0)
    return outside * -1.0 + radius


def _inside_ellipse(right: Image, low: Image, radii: tuple[float, float]) -> Image:
    """Return the distance to the edge of an ellipse, which is exact near the edge: (1 - k) / |grad k|, k = |position|.

    The small numbers keep the centre, where both are 0, inside.
    """
    x, y = right / radii[0], low / radii[1]
    k = (x * x + y * y) ** 0.5
    steepness = ((x / radii[0]) ** 2 + (y / radii[1]) ** 2) ** 0.5
    return (k * -1.0 + 1.0) * (k + 1e-3) / (steepness + 1e-9)

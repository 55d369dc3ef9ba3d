"""Lay a gradient over the image, from transparent or a colour to another one, for example under a title."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import Cost, Shape
from imaging.errors import InvalidParameter
from imaging.ops.layers import Image, lay_color
from imaging.params.model import Params, hint
from imaging.params.types import Color
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_ANGLES = {"up": 0.0, "right": 90.0, "down": 180.0, "left": 270.0}


class Gradient(Params):
    """Lay a gradient over the image, from transparent to a colour, for example under a title."""

    color: Annotated[
        Color, Meta(description="Colour at the end of the gradient", extra=hint(main=True, aliases=("colour",)))
    ] = Color(0, 0, 0)
    start_color: Annotated[
        Color | None,
        Meta(description="Colour at the beginning of the gradient. Default: transparent"),
    ] = None
    opacity: Annotated[float, Meta(ge=0, le=100, description="Opacity of the colours", extra=hint(unit="%"))] = 100.0
    direction: Annotated[
        Literal["down", "up", "right", "left"], Meta(description="Direction in which the colour becomes stronger")
    ] = "down"
    angle: Annotated[
        float | None,
        Meta(
            description="Direction as in CSS, which replaces `direction`: 0 upwards, 90 to the right, 180 downwards",
            extra=hint(unit="°", usual=(0, 360)),
        ),
    ] = None
    start: Annotated[
        float,
        Meta(
            ge=0,
            le=100,
            description="Where the gradient begins, in percent of its length",
            extra=hint(unit="%"),
        ),
    ] = 0.0
    stop: Annotated[
        float, Meta(ge=0, le=100, description="Where the gradient reaches the full colour", extra=hint(unit="%"))
    ] = 100.0

    def check(self) -> None:
        """Raise InvalidParameter if the gradient would end before it begins."""
        if self.stop < self.start:
            raise InvalidParameter("gradient.stop", f"at least gradient.start, {self.start:g}", self.stop)


def _cost(requested: Gradient, _shape: Shape) -> Cost:
    layers = 1 if requested.start_color is None else 2
    return Cost(0.03 * layers, 6 * layers)


@feature(Gradient, group="overlay", cost=_cost)
def gradient(picture: Picture, requested: Gradient, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    color, start = requested.color, requested.start_color
    ramp = _ramp((picture.width, picture.height), requested)
    coverage = ramp * (color.alpha * requested.opacity / 100)
    if start is None:
        return picture.each_frame(lambda frame: lay_color(frame, coverage, color))
    # CSS interpolates colours that are weighted by their alpha. The second layer covers a part of the first one, which
    # is therefore laid as much stronger.
    left = 1 - coverage
    below = (left > 0).ifthenelse((1 - ramp) * (start.alpha * requested.opacity / 100) / left, 0)
    return picture.each_frame(lambda frame: lay_color(lay_color(frame, below, start), coverage, color))


def _ramp(size: tuple[int, int], requested: Gradient) -> Image:
    """Return how far the gradient has come in each pixel, from 0 to 1.

    The line of the gradient is that of CSS (Images Module Level 3, 3.1.1): perpendiculars to it through two corners
    are its start and its end.
    """
    angle = _ANGLES[requested.direction] if requested.angle is None else requested.angle
    turn = math.radians(angle)
    across, up = math.sin(turn), math.cos(turn)
    length = abs(size[0] * across) + abs(size[1] * up)
    centred = pyvips.Image.xyz(*size) + [0.5 - size[0] / 2, 0.5 - size[1] / 2]
    way: Image = (centred[0] * across - centred[1] * up) / length + 0.5
    start, stop = requested.start / 100, requested.stop / 100
    if stop == start:
        return (way >= start).ifthenelse(1.0, 0.0)
    ramp = (way - start) / (stop - start)
    return (ramp < 0).ifthenelse(0.0, (ramp > 1).ifthenelse(1.0, ramp))

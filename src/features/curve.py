"""Adjust tones by curves: first each channel by its own, then all channels by a common one."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.errors import InvalidParameter
from imaging.ops.alpha import beside_alpha
from imaging.ops.geometry import level_scale
from imaging.params.model import Params, hint
from imaging.params.types import Numbers
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_STRAIGHT = Numbers(0, 0, 255, 255)


class Curve(Params):
    """Adjust tones by curves: first each channel by its own, then all channels by a common one.

    A curve is a list of points `x,y,x,y,…`: x is the level before and y the level after, both from 0 to 255, and x
    ascends. Between the points the curve is a natural cubic spline; outside them it is constant.
    """

    all: Annotated[
        Numbers, Meta(examples=["0,0,128,150,255,255"], description="Curve of all channels", extra=hint(main=True))
    ] = _STRAIGHT
    red: Annotated[Numbers, Meta(examples=["0,0,128,150,255,255"], description="Curve of the red channel")] = _STRAIGHT
    green: Annotated[Numbers, Meta(examples=["0,0,128,150,255,255"], description="Curve of the green channel")] = (
        _STRAIGHT
    )
    blue: Annotated[Numbers, Meta(examples=["0,0,128,150,255,255"], description="Curve of the blue channel")] = (
        _STRAIGHT
    )

    def check(self) -> None:
        """Raise InvalidParameter unless each curve has 1 to 64 points within 0 to 255, with x ascending."""
        for name in ("all", "red", "green", "blue"):
            points: Numbers = getattr(self, name)
            inputs = points[::2]
            ascend = all(one < other for one, other in pairwise(inputs))
            if len(points) % 2 or len(points) > 128 or not ascend or not all(0 <= level <= 255 for level in points):
                expected = "1 to 64 points x,y from 0 to 255 with x ascending"
                raise InvalidParameter(f"curve.{name}", expected, points)


@feature(Curve, group="colour", cost=each_pixel(0.004))
def curve(picture: Picture, requested: Curve, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    image = picture.image
    is_per_channel = not requested.red == requested.green == requested.blue
    if is_per_channel and image.bands < 3:
        image = image.colourspace("rgb16" if image.format == "ushort" else "srgb")
    shared = levels(requested.all)
    channels = [
        levels(points)
        for points in ((requested.red, requested.green, requested.blue) if is_per_channel else (requested.red,))
    ]
    scale = level_scale(image)
    rows = [[at * scale, *(shared[round(each[at])] * scale for each in channels)] for at in range(256)]
    table = pyvips.Image.new_from_array(rows).buildlut().rint().cast(image.format)
    # maplut takes the interpretation of the table; the image's own is restored.
    return picture.with_image(
        beside_alpha(image, lambda pixels: pixels.maplut(table).copy(interpretation=pixels.interpretation))
    )


def levels(points: Numbers) -> list[float]:
    """Return the value of the natural cubic spline through the points for each level from 0 to 255.

    The spline is evaluated from its second derivatives at the points (Numerical Recipes, section 3.3).
    """
    x, y = points[::2], points[1::2]
    bends = _second_derivatives(x, y)
    values = []
    for at in range(256):
        if at <= x[0] or at >= x[-1]:
            values.append(y[0] if at <= x[0] else y[-1])
            continue
        # The level is between the points k and k + 1: a and b are the weights of a linear interpolation, and the bend
        # adds the cubic terms.
        k = max(index for index, start in enumerate(x) if start <= at)
        step = x[k + 1] - x[k]
        b = (at - x[k]) / step
        a = 1 - b
        bend = ((a**3 - a) * bends[k] + (b**3 - b) * bends[k + 1]) * step * step / 6
        values.append(min(255.0, max(0.0, a * y[k] + b * y[k + 1] + bend)))
    return values


def _second_derivatives(x: tuple[float, ...], y: tuple[float, ...]) -> list[float]:
    """Return the spline's second derivatives at the points; they are 0 at both ends (a natural spline).

    They solve a tridiagonal system of equations: the first loop eliminates forwards, the second substitutes backwards.
    """
    bends, rest = [0.0] * len(x), [0.0] * len(x)
    for k in range(1, len(x) - 1):
        before, after = x[k] - x[k - 1], x[k + 1] - x[k]
        share = before / (before + after)
        pivot = share * bends[k - 1] + 2
        slopes = (y[k + 1] - y[k]) / after - (y[k] - y[k - 1]) / before
        bends[k] = (share - 1) / pivot
        rest[k] = (6 * slopes / (before + after) - share * rest[k - 1]) / pivot
    for k in range(len(x) - 2, -1, -1):
        bends[k] = bends[k] * bends[k + 1] + rest[k]
    return bends

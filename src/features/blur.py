"""Blur the image."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import Cost, Shape
from imaging.errors import InvalidParameter
from imaging.ops.alpha import premultiplied
from imaging.ops.softening import LARGE_SIGMA, gaussian_blur, padded_pixel_ratio
from imaging.params.model import Params, hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Blur(Params):
    """Blur the image."""

    sigma: (
        Annotated[
            float,
            Meta(
                ge=0.3,
                le=1000,
                description="Standard deviation of the Gaussian. Default: a fast, mild blur of 3 x 3 pixels",
                extra=hint(main=True, unit="px", usual=(0.3, 50)),
            ),
        ]
        | None
    ) = None
    min_amplitude: Annotated[
        float,
        Meta(
            ge=0.001,
            le=1,
            description="Where the Gaussian is cut off, as a fraction of its peak; for a radius r that is exp(-(r"
            " + 0.5)² / (2 sigma²))",
        ),
    ] = 0.2
    precision: Annotated[
        Literal["integer", "float", "approximate"],
        Meta(description="Precision of the computation; integer is the fastest"),
    ] = "integer"

    def check(self) -> None:
        """Raise InvalidParameter if the mild blur, which has no sigma, is given other parameters."""
        if self.sigma is None and self != Blur():
            raise InvalidParameter("blur.sigma", "given with minAmplitude or precision", None)


_SMALL_REACH = 20


def _cost(requested: Blur, shape: Shape) -> Cost:
    if requested.sigma is None:
        return Cost(0.002 if shape.sample == 1 else 0.02)
    reach = requested.sigma * math.sqrt(-2 * math.log(min(requested.min_amplitude, 0.99)))
    if requested.sigma >= LARGE_SIGMA:
        return Cost(0.02 + 0.003 * padded_pixel_ratio(shape.size, requested.sigma, requested.min_amplitude), 4)
    if requested.precision == "approximate":
        return Cost(0.065)
    # libvips is faster with 8-bit integers, and with small masks of floating-point numbers.
    by_row = 0.007 if reach < _SMALL_REACH else 0.018
    if requested.precision == "integer":
        by_row = 0.0004 if shape.sample == 1 else 0.0095
    return Cost(0.002 + by_row * reach, 2 + 0.02 * reach)


@feature(Blur, group="effect", cost=_cost, reads="neighbours")
def blur(picture: Picture, requested: Blur, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    def blur_premultiplied(image: pyvips.Image) -> pyvips.Image:
        return gaussian_blur(image, requested.sigma, requested.min_amplitude, requested.precision).cast(image.format)

    return picture.each_frame(lambda frame: premultiplied(frame, blur_premultiplied))

"""Sharpen the lightness of the image, with separate strengths for flat and jagged areas."""

from __future__ import annotations

from typing import Annotated

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import Cost, Shape
from imaging.errors import InvalidParameter
from imaging.ops.alpha import beside_transparency, premultiplied
from imaging.params.model import Params, hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_REACH = 2.2
"""Standard deviations to which libvips' mask extends."""


class Sharpen(Params):
    """Sharpen the lightness of the image, with separate strengths for flat and jagged areas."""

    sigma: (
        Annotated[
            float,
            Meta(
                ge=0.000001,
                le=10,
                description="Standard deviation of the Gaussian mask, 1 + radius / 2. Default: a fast, mild sharpening",
                extra=hint(main=True, unit="px", usual=(0.3, 10)),
            ),
        ]
        | None
    ) = None
    m1: Annotated[
        float, Meta(ge=0, le=1_000_000, description="Strength of sharpening in flat areas", extra=hint(usual=(0, 50)))
    ] = 1.0
    m2: Annotated[
        float, Meta(ge=0, le=1_000_000, description="Strength of sharpening in jagged areas", extra=hint(usual=(0, 50)))
    ] = 2.0
    x1: Annotated[
        float,
        Meta(ge=0, le=1_000_000, description="Threshold between flat and jagged areas", extra=hint(usual=(0, 50))),
    ] = 2.0
    y2: Annotated[
        float, Meta(ge=0, le=1_000_000, description="Maximum amount of brightening", extra=hint(usual=(0, 50)))
    ] = 10.0
    y3: Annotated[
        float, Meta(ge=0, le=1_000_000, description="Maximum amount of darkening", extra=hint(usual=(0, 50)))
    ] = 20.0

    def check(self) -> None:
        """Raise InvalidParameter if the mild sharpening, which has no sigma, is given other parameters."""
        if self.sigma is None and self != Sharpen():
            raise InvalidParameter("sharpen.sigma", "given with m1, m2, x1, y2 or y3", None)


def _cost(requested: Sharpen, _shape: Shape) -> Cost:
    return Cost(0.02) if requested.sigma is None else Cost(0.075 + 0.008 * requested.sigma, 2.5)


@feature(Sharpen, group="effect", cost=_cost, reads="neighbours", keeps_gain_map=True)
def sharpen(picture: Picture, requested: Sharpen, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    sigma = requested.sigma
    if sigma is None:
        return picture.each_frame(lambda frame: premultiplied(frame, _sharpened_mildly))
    return picture.each_frame(
        lambda frame: beside_transparency(frame, lambda image: _sharpened(image, sigma, requested), _REACH * sigma)
    )


def _sharpened_mildly(image: pyvips.Image) -> pyvips.Image:
    kernel = pyvips.Image.new_from_array([[-1, -1, -1], [-1, 32, -1], [-1, -1, -1]], scale=24)
    return image.conv(kernel, precision="integer")


def _sharpened(image: pyvips.Image, sigma: float, requested: Sharpen) -> pyvips.Image:
    return image.sharpen(
        sigma=sigma, m1=requested.m1, m2=requested.m2, x1=requested.x1, y2=requested.y2, y3=requested.y3
    )

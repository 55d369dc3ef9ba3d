"""Convolve the image with a kernel: each pixel becomes a weighted sum of its neighbourhood."""

from __future__ import annotations

import math
from typing import Annotated

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import Cost
from imaging.errors import InvalidParameter
from imaging.ops.alpha import premultiplied
from imaging.ops.geometry import level_scale
from imaging.params.model import Params, hint
from imaging.params.types import Numbers
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Convolve(Params):
    """Convolve the image with a kernel: each pixel becomes a weighted sum of its neighbourhood."""

    kernel: Annotated[
        Numbers,
        Meta(
            examples=["0,-1,0,-1,5,-1,0,-1,0"], description="Weights of the kernel, row by row", extra=hint(main=True)
        ),
    ]
    width: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=1001,
                description="Columns of the kernel. Default: the number of weights divided by height, or that of a "
                "square",
            ),
        ]
        | None
    ) = None
    height: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=1001,
                description="Rows of the kernel. Default: the number of weights divided by width, or that of a square",
            ),
        ]
        | None
    ) = None
    scale: (
        Annotated[
            float,
            Meta(
                ge=0.000001,
                le=1e9,
                description="Divisor of the weighted sum. Default: the sum of the weights, at least 1",
            ),
        ]
        | None
    ) = None
    offset: Annotated[float, Meta(ge=-1e6, le=1e6, description="Added to the quotient, in levels of 0 to 255")] = 0.0

    @property
    def columns(self) -> int:
        """The width of the kernel."""
        return self.width or (len(self.kernel) // self.height if self.height else math.isqrt(len(self.kernel)))

    def check(self) -> None:
        """Raise InvalidParameter unless the weights fill the kernel."""
        columns = self.columns
        rows = self.height or (len(self.kernel) // columns if self.width else columns)
        if columns * rows != len(self.kernel):
            raise InvalidParameter("convolve.kernel", "width x height numbers, or a square number of them", self.kernel)


@feature(
    Convolve,
    group="effect",
    cost=lambda requested, _shape: Cost(0.002 + 0.0022 * len(requested.kernel), 1),
    reads="neighbours",
)
def convolve(picture: Picture, requested: Convolve, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    scale = requested.scale or max(1.0, sum(requested.kernel))

    def convolve_premultiplied(image: pyvips.Image) -> pyvips.Image:
        offset = requested.offset * level_scale(image)
        kernel = pyvips.Image.new_from_array(requested.kernel.rows(requested.columns), scale=scale, offset=offset)
        # The cast discards fractions, as sharp does.
        return image.conv(kernel, precision="float").cast(image.format)

    return picture.each_frame(lambda frame: premultiplied(frame, convolve_premultiplied))

"""Recombine the channels by a matrix: each row computes one channel from red, green, blue (and alpha)."""

from __future__ import annotations

from typing import Annotated

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.errors import InvalidParameter
from imaging.ops.alpha import beside_alpha
from imaging.params.model import Params, hint
from imaging.params.types import Numbers
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Recomb(Params):
    """Recombine the channels by a matrix: each row computes one channel from red, green, blue (and alpha)."""

    matrix: Annotated[
        Numbers,
        Meta(
            examples=["0,0,1,0,1,0,1,0,0"],
            description="3 x 3 numbers, or 4 x 4 with alpha, row by row",
            extra=hint(main=True),
        ),
    ]

    def check(self) -> None:
        """Raise InvalidParameter unless the matrix has 3 x 3 or 4 x 4 numbers."""
        if len(self.matrix) not in (9, 16):
            raise InvalidParameter("recomb.matrix", "9 or 16 numbers", self.matrix)


@feature(Recomb, group="colour", cost=each_pixel(0.012))
def recomb(picture: Picture, requested: Recomb, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    image = picture.image
    if image.bands < 3:
        image = image.colourspace("rgb16" if image.format == "ushort" else "srgb")

    def recombine(pixels: pyvips.Image) -> pyvips.Image:
        matrix = pyvips.Image.new_from_array(requested.matrix.rows(3 if len(requested.matrix) == 9 else 4))
        return pixels.recomb(matrix).cast(image.format)

    if len(requested.matrix) == 9:
        return picture.with_image(beside_alpha(image, recombine))
    return picture.with_image(recombine(image if image.hasalpha() else image.addalpha()))

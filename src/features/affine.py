"""Shear, scale and rotate the image by a matrix; the canvas grows to hold its corners."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import Cost, Shape
from imaging.errors import InvalidParameter
from imaging.ops.geometry import Size, on_background, premultiply_levels, refuse_larger
from imaging.params.model import Params, hint
from imaging.params.types import Color, Numbers
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Affine(Params):
    """Shear, scale and rotate the image by a matrix; the canvas grows to hold its corners.

    A point (x, y) moves to (a x + b y, c x + d y).
    """

    matrix: Annotated[
        Numbers,
        Meta(
            examples=["1,0.3,0.1,0.7"],
            description="The numbers a, b, c, d; a d - b c must not be 0",
            extra=hint(main=True),
        ),
    ]
    background: Annotated[Color, Meta(description="Colour of the areas that the transformed image does not cover")] = (
        Color(0, 0, 0)
    )
    idx: Annotated[
        float, Meta(ge=-1e6, le=1e6, description="Horizontal offset before the transformation", extra=hint(unit="px"))
    ] = 0.0
    idy: Annotated[
        float, Meta(ge=-1e6, le=1e6, description="Vertical offset before the transformation", extra=hint(unit="px"))
    ] = 0.0
    odx: Annotated[
        float, Meta(ge=-1e6, le=1e6, description="Horizontal offset after the transformation", extra=hint(unit="px"))
    ] = 0.0
    ody: Annotated[
        float, Meta(ge=-1e6, le=1e6, description="Vertical offset after the transformation", extra=hint(unit="px"))
    ] = 0.0
    interpolator: Annotated[
        Literal["nearest", "bilinear", "bicubic", "lbb", "nohalo", "vsqbs"],
        Meta(
            description="Interpolation method",
            extra=hint(synonyms={"locallyboundedbicubic": "lbb", "vertexsplitquadraticbasisspline": "vsqbs"}),
        ),
    ] = "bicubic"

    def check(self) -> None:
        """Raise InvalidParameter unless the matrix has four numbers and can be inverted."""
        if len(self.matrix) != 4 or abs(self.matrix[0] * self.matrix[3] - self.matrix[1] * self.matrix[2]) < 1e-6:
            raise InvalidParameter("affine.matrix", "4 numbers a, b, c, d with a d - b c not 0", self.matrix)


_SECONDS = {"nearest": 0.007, "bilinear": 0.012, "bicubic": 0.017, "lbb": 0.12, "nohalo": 0.23, "vsqbs": 0.017}
"""Seconds for one megapixel of the result."""


def _cost(requested: Affine, _shape: Shape) -> Cost:
    return Cost(_SECONDS[requested.interpolator])


@feature(Affine, group="geometry", cost=_cost, reads="whole", size=lambda requested, size, _: _size(requested, size))
def affine(picture: Picture, requested: Affine, context: Context) -> Picture:
    size = _size(requested, (picture.width, picture.height))
    if not min(size):
        raise InvalidParameter("affine.matrix", "a matrix whose result has at least one pixel", requested.matrix)
    refuse_larger("affine.matrix", size, picture.frames, context)
    shifts: dict[str, Any] = {"idx": requested.idx, "idy": requested.idy, "odx": requested.odx, "ody": requested.ody}
    interpolate = pyvips.Interpolate.new(requested.interpolator)

    def transform(frame: pyvips.Image) -> pyvips.Image:
        image, background = on_background(frame, requested.background)
        # libvips premultiplies the image here, but not the background.
        corners = premultiply_levels(image, background)
        transformed = image.affine(list(requested.matrix), background=corners, interpolate=interpolate, **shifts)
        return transformed.cast(image.format)

    return picture.materialized().each_frame(transform)


def _size(requested: Affine, size: Size) -> Size:
    """Return the width and height of the transformed corners' bounding box, rounded as libvips rounds."""
    a, b, c, d = requested.matrix
    across = [a * x + b * y for x in (0, size[0]) for y in (0, size[1])]
    down = [c * x + d * y for x in (0, size[0]) for y in (0, size[1])]
    return (math.floor(max(across) - min(across) + 0.5), math.floor(max(down) - min(down) + 0.5))

"""The parameters of resize."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from imaging.errors import InvalidParameter
from imaging.ops.geometry import Size
from imaging.params.model import Params, hint
from imaging.params.types import Color, CropPosition, Point, Position, Ratio


class Resize(Params):
    """Resize to a width, a height or both; with only one of them the image keeps its aspect ratio."""

    width: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=65_535,
                description="Width to resize to; 0 or left out: computed from the height",
                extra=hint(unit="px", usual=(0, 2000)),
            ),
        ]
        | None
    ) = None
    height: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=65_535,
                description="Height to resize to; 0 or left out: computed from the width",
                extra=hint(unit="px", usual=(0, 2000)),
            ),
        ]
        | None
    ) = None
    fit: Annotated[
        Literal["cover", "contain", "fill", "inside", "outside"],
        Meta(
            description="How the image fits a given width and height. cover: fill this size and crop the rest; "
            "contain: fit inside and fill the rest with the background; fill: stretch; inside: at "
            "most this size; outside: at least this size"
        ),
    ] = "cover"
    position: Annotated[
        CropPosition,
        Meta(
            description="Part that cover keeps, or place where contain puts the image. attention and entropy find"
            " the most interesting part for cover; with any other fit they mean center",
            extra=hint(aliases=("gravity", "strategy")),
        ),
    ] = CropPosition("center")
    focal_point: Annotated[
        Point | None,
        Meta(description="Point that cover keeps, as fractions of the width and the height; replaces position"),
    ] = None
    focal_x: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=1_000_000,
                description="Distance of the focal point from the left edge; requires focalY",
                extra=hint(unit="px"),
            ),
        ]
        | None
    ) = None
    focal_y: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=1_000_000,
                description="Distance of the focal point from the top edge; requires focalX",
                extra=hint(unit="px"),
            ),
        ]
        | None
    ) = None
    background: Annotated[Color, Meta(description="Colour that contain fills the rest with")] = Color(0, 0, 0)
    kernel: Annotated[
        Literal["nearest", "linear", "cubic", "mitchell", "lanczos2", "lanczos3", "mks2013", "mks2021"],
        Meta(description="Interpolation kernel for reducing; enlarging uses the matching interpolator"),
    ] = "lanczos3"
    dpr: Annotated[float, Meta(ge=1, le=5, description="Device pixel ratio: multiplies width and height")] = 1.0
    ratio: (
        Annotated[
            float,
            Meta(
                gt=0,
                le=100,
                description="Scale factor of width and height, or of the image's own size if neither is given",
                extra=hint(usual=(0.1, 4)),
            ),
        ]
        | None
    ) = None
    aspect_ratio: Annotated[
        Ratio | None, Meta(description="Ratio of width to height, such as 16:9; computes the side that is not given")
    ] = None
    keep: Annotated[
        Literal["width", "height"] | None,
        Meta(description="Side whose length is kept; replaces the parameter of that side"),
    ] = None
    adaptive: Annotated[
        bool, Meta(description="Swap width and height if the image has the other orientation (portrait or landscape)")
    ] = False
    centred: Annotated[
        bool,
        Meta(
            description="Align the edges of the image when enlarging, as Pillow does; otherwise it can shift by "
            "up to half a pixel"
        ),
    ] = False
    without_enlargement: Annotated[bool, Meta(description="Do not enlarge the image")] = False
    without_reduction: Annotated[bool, Meta(description="Do not reduce the image")] = False

    def check(self) -> None:
        """Raise InvalidParameter for parameters that contradict each other.

        An aspect ratio needs exactly one side; a focal point needs `fit=cover` and the default position.
        """
        if (self.focal_x is None) != (self.focal_y is None):
            raise InvalidParameter("resize.focalX", "given together with focalY", self.focal_x)
        if self.focal_point and self.focal_x is not None:
            raise InvalidParameter("resize.focalPoint", "left out with focalX and focalY", self.focal_point)
        if self.keep and getattr(self, self.keep):
            raise InvalidParameter(f"resize.{self.keep}", f"left out with keep={self.keep}", getattr(self, self.keep))
        if self.aspect_ratio and bool(self.width) == bool(self.height):
            raise InvalidParameter("resize.aspectRatio", "given with either width or height", self.aspect_ratio)
        name, focal = ("focalPoint", self.focal_point) if self.focal_point else ("focalX", self.focal_x)
        if focal is not None and self.fit != "cover":
            raise InvalidParameter(f"resize.{name}", f"left out with fit {self.fit}", focal)
        if focal is not None and self.position != "center":
            raise InvalidParameter(f"resize.{name}", "left out with a position", focal)

    def kept_part(self, full: Size) -> Position | Point:
        """Return the position or point that cover keeps of an image of this size."""
        if self.focal_x is not None and self.focal_y is not None:
            return Point(min(1.0, self.focal_x / full[0]), min(1.0, self.focal_y / full[1]))
        return self.focal_point or self.position

"""Resize to a width, a height or both; with only one of them the image keeps its aspect ratio."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import pyvips
from msgspec import Meta
from msgspec.structs import replace

from imaging.context import Context
from imaging.cost import Cost, Shape
from imaging.errors import InvalidParameter, TooLarge
from imaging.ops.alpha import premultiplied
from imaging.ops.geometry import (
    PixelBox,
    Size,
    embed_in_canvas,
    find_crop,
    find_crop_memory,
    refuse_larger,
    round_half_up,
)
from imaging.params.model import Params, hint
from imaging.params.types import Color, CropPosition, Point, Position, Ratio
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_LONGEST = 1_000_000
"""Longest side in pixels of an image that is scaled and then cropped; libvips itself allows ten times as much."""


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


class Plan(NamedTuple):
    """The sizes of an image during and after the resize."""

    scaled: Size
    """The size of the whole image after scaling."""
    result: Size
    """The size after cropping or filling."""
    exact: tuple[float, float]
    """The scaled width and height before rounding."""


def plan(requested: Resize, full: Size) -> Plan:
    """Return the sizes for an image of this size, which are those of sharp."""
    width, height = _target(requested, full)
    across, down = _shrinks(requested, full, (width, height))
    scaled = (_scaled_side(full[0], across), _scaled_side(full[1], down))
    result = scaled
    if requested.fit == "cover":
        result = (min(width or scaled[0], scaled[0]), min(height or scaled[1], scaled[1]))
    elif requested.fit == "contain":
        result = (max(width, scaled[0]), max(height, scaled[1]))
    return Plan(scaled, result, (full[0] / across, full[1] / down))


def _scaled_side(side: int, shrink: float) -> int:
    """Return the rounded length of a scaled side, at least 1.

    As in libvips, enlarging multiplies and reducing divides; the two can differ when half a pixel is rounded.
    """
    return max(1, round_half_up(side * (1 / shrink) if shrink < 1 else side / shrink))


def _target(requested: Resize, full: Size) -> Size:
    """Return the width and height to resize to in device pixels; 0 means that the other side decides."""
    width, height = requested.width or 0, requested.height or 0
    if requested.keep:
        width, height = (full[0], height) if requested.keep == "width" else (width, full[1])
    if requested.adaptive and width and height and (full[0] - full[1]) * (width - height) < 0:
        width, height = height, width
    if requested.aspect_ratio:
        width = width or max(1, round_half_up(height * requested.aspect_ratio))
        height = height or max(1, round_half_up(width / requested.aspect_ratio))
    if requested.ratio and not width and not height:
        width, height = full
    factor = requested.dpr * (requested.ratio or 1.0)
    return (width and max(1, round_half_up(width * factor)), height and max(1, round_half_up(height * factor)))


def _shrinks(requested: Resize, full: Size, target: Size) -> tuple[float, float]:
    """Return the factors by which width and height are divided; below 1 they enlarge."""
    across = full[0] / target[0] if target[0] else None
    down = full[1] / target[1] if target[1] else None
    if requested.fit == "fill":
        pair = (across or 1.0, down or 1.0)
    else:
        given = [shrink for shrink in (across, down) if shrink is not None] or [1.0]
        both = min(given) if requested.fit in ("cover", "outside") else max(given)
        pair = (both, both)
    if requested.without_enlargement:
        pair = (max(1.0, pair[0]), max(1.0, pair[1]))
    if requested.without_reduction:
        pair = (min(1.0, pair[0]), min(1.0, pair[1]))
    return (min(pair[0], float(full[0])), min(pair[1], float(full[1])))


def preshrink(requested: Resize, full: Size) -> float:
    """Return the largest factor by which the decoder may reduce the image; below 1, a vector image may be enlarged."""
    scaled = plan(requested, full).scaled
    return min(full[0] / scaled[0], full[1] / scaled[1])


def asks_nothing(requested: Resize) -> bool:
    """Return whether the request gives no size, so that the resize has no effect."""
    return not (requested.width or requested.height or requested.ratio or requested.keep)


_ENLARGING = {"nearest": 0.003, "linear": 0.012}
"""Seconds for one megapixel of the result; all other kernels use the cubic interpolator."""


def _cost(requested: Resize, shape: Shape) -> Cost:
    full = shape.full or shape.size
    planned = plan(requested, full)
    enlarges = planned.scaled[0] * planned.scaled[1] > full[0] * full[1]
    searched = planned.scaled[0] * planned.scaled[1] * shape.frames
    # The search for the most interesting part needs the whole scaled image in memory.
    is_searched = requested.fit == "cover" and requested.position.searches
    base = shape.bands * searched + find_crop_memory(requested.position) if is_searched else 0
    seconds = _ENLARGING.get(requested.kernel, 0.037) if enlarges else 0.005 * (2 * shape.sample - 1)
    return Cost(seconds, 2, base_seconds=0.03 * searched / 1e6 if base else 0.0, base_memory=base)


@feature(
    Resize,
    group="geometry",
    cost=_cost,
    size=lambda requested, full, _: plan(requested, full).result,
    preshrink=preshrink,
    is_noop=asks_nothing,
)
def resize(picture: Picture, requested: Resize, context: Context) -> Picture:
    full = picture.full
    planned = plan(requested, full)
    scaled, result = planned.scaled, planned.result
    field = "resize.height" if requested.height and not requested.width else "resize.width"
    refuse_larger(field, result, picture.frames, context)
    if max(scaled) > _LONGEST:
        raise TooLarge(f"`{field}` must not scale a side beyond {_LONGEST} pixels, got {scaled[0]} x {scaled[1]}")

    def scale(frame: pyvips.Image) -> pyvips.Image:
        return _scaled(frame, planned, requested)

    if scaled == result:
        resized = picture.each_frame(scale)
    elif requested.fit == "contain":
        across, down = requested.position.ratios
        corner = (int((result[0] - scaled[0]) * across), int((result[1] - scaled[1]) * down))
        resized = picture.each_frame(lambda frame: embed_in_canvas(scale(frame), corner, result, requested.background))
        resized = resized.with_view((-corner[0], -corner[1], *result), scaled)
    elif requested.position.searches:
        refuse_larger(field, scaled, picture.frames, context)
        whole = picture.each_frame(scale).materialized()
        resized = PixelBox(*find_crop(whole, result, requested.position), *result).cut(whole)
    else:
        box = PixelBox(*requested.kept_part(full).place(scaled, result), *result)
        resized = picture.each_frame(lambda frame: scale(frame).crop(*box)).with_view(box, scaled)
    return replace(resized, shrunk_from=None)


def _scaled(image: pyvips.Image, planned: Plan, requested: Resize) -> pyvips.Image:
    """Return the image in its planned size."""
    if (image.width, image.height) == planned.scaled:
        return image

    def scale_to(pixels: pyvips.Image, size: tuple[float, float]) -> pyvips.Image:
        across, down = size[0] / pixels.width, size[1] / pixels.height
        if requested.centred and max(across, down) > 1:
            pixels = pixels.resize(min(1.0, across), vscale=min(1.0, down), kernel=requested.kernel)
            return _centred(pixels, (max(1.0, across), max(1.0, down)), planned.scaled)
        return pixels.resize(across, vscale=down, kernel=requested.kernel)

    def scale_exactly(pixels: pyvips.Image) -> pyvips.Image:
        # Factors that are not rounded to whole pixels keep the exact proportions; libvips distributes the remaining
        # fraction of a pixel over both edges.
        scaled = scale_to(pixels, planned.exact)
        return scaled if (scaled.width, scaled.height) == planned.scaled else scale_to(pixels, planned.scaled)

    return scale_exactly(image) if requested.kernel == "nearest" else premultiplied(image, scale_exactly)


def _centred(image: pyvips.Image, factors: tuple[float, float], size: Size) -> pyvips.Image:
    """Return the image, enlarged so that its edges, and not its first pixels, coincide with those of the result."""
    across, down = factors
    return image.affine(
        [across, 0, 0, down], interpolate=pyvips.Interpolate.new("bicubic"), extend="copy",
        idx=(across - 1) / 2 / across, idy=(down - 1) / 2 / down, oarea=[0, 0, *size],
    )  # fmt: skip

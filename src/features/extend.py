"""Add a border around the image, or place it on a larger canvas."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from imaging.context import Context
from imaging.cost import Size, each_pixel
from imaging.errors import InvalidParameter
from imaging.ops.geometry import embed_in_canvas, refuse_larger, round_half_up
from imaging.params.model import Params, hint
from imaging.params.types import Color, Gravity, Length
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Extend(Params):
    """Add a border around the image, or place it on a larger canvas."""

    all: Annotated[
        Length,
        Meta(
            description="Width of the border on each side that has no value of its own",
            extra=hint(main=True, unit="px or %"),
        ),
    ] = Length(0)
    top: Annotated[
        Length | None,
        Meta(
            description="Width of the border at the top; percentages refer to the image's height",
            extra=hint(unit="px or %"),
        ),
    ] = None
    left: Annotated[
        Length | None,
        Meta(
            description="Width of the border on the left; percentages refer to the image's width",
            extra=hint(unit="px or %"),
        ),
    ] = None
    bottom: Annotated[
        Length | None,
        Meta(
            description="Width of the border at the bottom; percentages refer to the image's height",
            extra=hint(unit="px or %"),
        ),
    ] = None
    right: Annotated[
        Length | None,
        Meta(
            description="Width of the border on the right; percentages refer to the image's width",
            extra=hint(unit="px or %"),
        ),
    ] = None
    background: Annotated[Color, Meta(description="Colour of the border with mode background")] = Color(0, 0, 0)
    width: Annotated[
        float,
        Meta(
            ge=0,
            le=1_000_000,
            description="Width of a canvas that the image is placed on where it is larger than the image; replaces the "
            "borders",
            extra=hint(unit="px", usual=(0, 2000)),
        ),
    ] = 0.0
    height: Annotated[
        float,
        Meta(
            ge=0,
            le=1_000_000,
            description="Height of such a canvas; 0 or left out: the image's height",
            extra=hint(unit="px", usual=(0, 2000)),
        ),
    ] = 0.0
    only_ratio: Annotated[
        bool,
        Meta(description="Use width and height as an aspect ratio: the canvas is the smallest that holds the image"),
    ] = False
    anchor: Annotated[Gravity, Meta(description="Where the image is placed on the canvas, with offsets")] = Gravity(
        "ce"
    )
    dpr: Annotated[
        float,
        Meta(
            gt=0,
            le=100,
            description="Device pixel ratio: multiplies lengths in pixels. Behind a resize with rules=imgproxy the "
            "ratio that was applied counts",
            extra=hint(usual=(1, 5)),
        ),
    ] = 1.0
    mode: Annotated[
        Literal["background", "copy", "repeat", "mirror"],
        Meta(
            description="Content of the border. background: one colour; copy: the pixels at the edge; repeat: the"
            " image, tiled; mirror: the image, mirrored",
            extra=hint(aliases=("extendWith",)),
        ),
    ] = "background"

    def check(self) -> None:
        """Raise InvalidParameter if a width is negative."""
        for name in ("all", "top", "left", "bottom", "right"):
            length: Length | None = getattr(self, name)
            if length and length.value < 0:
                raise InvalidParameter(f"extend.{name}", "0 or more", length)
            if length and length.value and (self.width or self.height):
                raise InvalidParameter(f"extend.{name}", "left out with width or height", length)
        if self.only_ratio and not (self.width and self.height):
            raise InvalidParameter("extend.onlyRatio", "given with width and height", got=True)
        if self.anchor.searches:
            raise InvalidParameter("extend.anchor", "another one than sm", self.anchor)


def _canvas(requested: Extend, size: Size, dpr: float) -> Size:
    """Return the size of the canvas for an image of this size."""
    width, height = (round_half_up(side * dpr) for side in (requested.width, requested.height))
    if not requested.only_ratio:
        return max(size[0], width), max(size[1], height)
    if not width or not height:
        return size
    if width / size[0] > height / size[1]:
        return max(size[0], round_half_up(size[1] * width / height)), size[1]
    return size[0], max(size[1], round_half_up(size[0] * height / width))


def _sides(requested: Extend, size: Size, dpr: float) -> tuple[int, int, int, int]:
    """Return the width of the border on the left, at the top, on the right and at the bottom, in pixels."""
    left, right = (_border(side or requested.all, size[0], dpr) for side in (requested.left, requested.right))
    top, bottom = (_border(side or requested.all, size[1], dpr) for side in (requested.top, requested.bottom))
    return left, top, right, bottom


def _border(length: Length, whole: int, dpr: float) -> int:
    """Return a border in pixels; with a device pixel ratio halves are rounded to even numbers, as in imgproxy."""
    return length.of(whole) if length.percent or dpr == 1 else round(length.value * dpr)


def _place(requested: Extend, size: Size, dpr: float) -> tuple[Size, Size]:
    """Return left and top of the image, and the size of the result."""
    if requested.width or requested.height:
        canvas = _canvas(requested, size, dpr)
        return requested.anchor.place(canvas, size, dpr), canvas
    left, top, right, bottom = _sides(requested, size, dpr)
    return (left, top), (left + size[0] + right, top + size[1] + bottom)


def _bound(requested: Extend, size: Size, _overlay: Size) -> Size:
    """Return an upper bound of the size: a resize may have applied less than the ratio, or 1 instead of less."""
    return _place(requested, size, max(1.0, requested.dpr))[1]


@feature(
    Extend,
    group="geometry",
    cost=each_pixel(0.003),
    reads=lambda requested: "pixels" if requested.mode == "background" else "whole",
    size=_bound,
    keeps_gain_map=lambda requested: requested.mode == "background" and requested.background.alpha == 1,
)
def extend(picture: Picture, requested: Extend, context: Context) -> Picture:
    own = (picture.width, picture.height)
    (left, top), size = _place(requested, own, picture.dpr or requested.dpr)
    if size == own:
        return picture
    refuse_larger("extend", size, picture.frames, context)
    if requested.mode != "background":
        in_memory = picture.materialized()
        return in_memory.each_frame(lambda frame: frame.embed(left, top, *size, extend=requested.mode))
    extended = picture.each_frame(lambda frame: embed_in_canvas(frame, (left, top), size, requested.background))
    return extended.with_view((-left, -top, *size), own)

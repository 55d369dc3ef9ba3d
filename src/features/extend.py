"""Add a border around the image."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from imaging.context import Context
from imaging.cost import Size, each_pixel
from imaging.errors import InvalidParameter
from imaging.ops.geometry import embed_in_canvas, refuse_larger
from imaging.params.model import Params, hint
from imaging.params.types import Color, Length
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Extend(Params):
    """Add a border around the image."""

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


def _sides(requested: Extend, size: Size) -> tuple[int, int, int, int]:
    """Return the width of the border on the left, at the top, on the right and at the bottom, in pixels."""
    left, right = ((side or requested.all).of(size[0]) for side in (requested.left, requested.right))
    top, bottom = ((side or requested.all).of(size[1]) for side in (requested.top, requested.bottom))
    return left, top, right, bottom


def _result(requested: Extend, size: Size, _overlay: Size = (0, 0)) -> Size:
    left, top, right, bottom = _sides(requested, size)
    return (left + size[0] + right, top + size[1] + bottom)


@feature(
    Extend,
    group="geometry",
    cost=each_pixel(0.003),
    reads=lambda requested: "pixels" if requested.mode == "background" else "whole",
    size=_result,
)
def extend(picture: Picture, requested: Extend, context: Context) -> Picture:
    width, height = picture.width, picture.height
    left, top, _, _ = _sides(requested, (width, height))
    size = _result(requested, (width, height))
    if size == (width, height):
        return picture
    refuse_larger("extend", size, picture.frames, context)
    if requested.mode != "background":
        in_memory = picture.materialized()
        return in_memory.each_frame(lambda frame: frame.embed(left, top, *size, extend=requested.mode))
    return picture.each_frame(lambda frame: embed_in_canvas(frame, (left, top), size, requested.background))

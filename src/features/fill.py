"""Place the image on a larger canvas: a colour, the image's average colour, or the image itself, blurred."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import Cost, Shape
from imaging.ops.alpha import premultiplied
from imaging.ops.geometry import Size, embed_in_canvas, on_background, refuse_larger
from imaging.ops.overlay import stretch
from imaging.ops.softening import gaussian_blur
from imaging.params.model import Params, hint
from imaging.params.types import Color, Position
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_RADIUS = 50.0
"""Pixels: what Thumbor's filter blurs by."""


class Fill(Params):
    """Place the image on a larger canvas: a colour, the image's average colour, or the image itself, blurred."""

    mode: Annotated[
        Literal["color", "mean", "blur"],
        Meta(
            description="Content of the canvas. color: one colour; mean: the image's average colour; blur: the "
            "image, stretched and blurred",
            extra=hint(main=True, synonyms={"auto": "mean", "colour": "color"}),
        ),
    ] = "color"
    width: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=65_535,
                description="Width of the canvas; 0, left out or less than the image's: the image's width",
                extra=hint(unit="px"),
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
                description="Height of the canvas; 0, left out or less than the image's: the image's height",
                extra=hint(unit="px"),
            ),
        ]
        | None
    ) = None
    color: Annotated[
        Color, Meta(description="Colour of the canvas with mode color", extra=hint(aliases=("colour", "background")))
    ] = Color(0, 0, 0)
    position: Annotated[
        Position, Meta(description="Where the image is placed on the canvas", extra=hint(aliases=("gravity",)))
    ] = Position("center")
    adaptive: Annotated[
        bool, Meta(description="Swap width and height if the image has the other orientation (portrait or landscape)")
    ] = False
    behind: Annotated[bool, Meta(description="Show the canvas through transparent parts of the image, too")] = False


def _canvas(requested: Fill, own: Size, _overlay: Size = (0, 0)) -> Size:
    """Width and height of the canvas for a picture of that size."""
    asked = (requested.width or 0, requested.height or 0)
    if requested.adaptive and all(asked) and (own[0] - own[1]) * (asked[0] - asked[1]) < 0:
        asked = (asked[1], asked[0])
    return (max(own[0], asked[0]), max(own[1], asked[1]))


def _cost(requested: Fill, _shape: Shape) -> Cost:
    return Cost({"color": 0.002, "mean": 0.004, "blur": 0.02}[requested.mode], 2)


@feature(
    Fill,
    group="geometry",
    cost=_cost,
    reads=lambda requested: "pixels" if requested.mode == "color" else "whole",
    size=_canvas,
)
def fill(picture: Picture, requested: Fill, context: Context) -> Picture:
    own = (picture.width, picture.height)
    size = _canvas(requested, own)
    if size == own and not (requested.behind and picture.has_alpha):
        return picture
    refuse_larger("fill.width", size, picture.frames, context)
    # Half a pixel is cut off, as in Thumbor.
    across, down = requested.position.ratios
    corner = (int((size[0] - own[0]) * across), int((size[1] - own[1]) * down))
    if requested.mode == "blur":
        picture = picture.materialized()
        return picture.each_frame(lambda frame: _laid(frame, _soft(frame, size), corner, requested))
    if requested.mode == "mean":
        picture = picture.materialized()
    color = _mean(picture.image) if requested.mode == "mean" else requested.color

    def put(frame: pyvips.Image) -> pyvips.Image:
        made = embed_in_canvas(frame, corner, size, color)
        if not requested.behind or not made.hasalpha():
            return made
        image, background = on_background(made, color)
        canvas = image.new_from_image(background).cast(image.format).copy(interpretation=image.interpretation)
        return _opaque_again(canvas.composite2(image, "over"), color.alpha == 1)

    return picture.each_frame(put)


def _soft(frame: pyvips.Image, size: Size) -> pyvips.Image:
    """The frame, blurred and stretched over the canvas."""
    reach = math.exp(-((_RADIUS + 0.5) ** 2) / (2 * _RADIUS**2))
    return stretch(premultiplied(frame, lambda image: gaussian_blur(image, _RADIUS, reach)), size)


def _laid(frame: pyvips.Image, canvas: pyvips.Image, corner: Size, requested: Fill) -> pyvips.Image:
    return (
        canvas.composite2(frame, "over", x=corner[0], y=corner[1])
        if requested.behind and frame.hasalpha()
        else (canvas.insert(frame, *corner))
    )


def _opaque_again(image: pyvips.Image, is_opaque: bool) -> pyvips.Image:
    return image[: image.bands - 1] if is_opaque else image


def _mean(image: pyvips.Image) -> Color:
    """The mean of all pixels, each weighed by its alpha; opaque."""
    weighed = image.premultiply() if image.hasalpha() else image
    means = [weighed[band].avg() for band in range(weighed.bands)]
    top = 65_535 if image.format == "ushort" else 255
    share = means.pop() / top if image.hasalpha() else 1.0
    levels = [round(min(255.0, mean / max(share, 1e-9) * 255 / top)) for mean in means]
    red, green, blue = levels if len(levels) == 3 else levels * 3
    return Color(red, green, blue)

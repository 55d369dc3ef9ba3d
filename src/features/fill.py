"""Place the image on a larger canvas: a colour, the image's average colour, or the image itself, blurred."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import Cost, Shape
from imaging.ops.alpha import premultiplied
from imaging.ops.geometry import PixelBox, Size, embed_in_canvas, on_background, refuse_larger
from imaging.ops.overlay import stretch
from imaging.ops.softening import gaussian_blur
from imaging.params.model import Params, hint
from imaging.params.types import Color, Position
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_RADIUS = 50.0
"""Blur radius of Thumbor's `fill` filter, in pixels."""


class Fill(Params):
    """Place the image on a larger canvas: a colour, the image's average colour, or the image itself, blurred."""

    mode: Annotated[
        Literal["color", "mean", "corner", "blur"],
        Meta(
            description="Content of the canvas. color: one colour; mean: the image's average colour; corner: the "
            "colour of its top left pixel; blur: the image, stretched and blurred",
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
    overflow: Annotated[
        Literal["grow", "cut", "turned"],
        Meta(
            description="Where the image extends beyond the canvas: grow enlarges the canvas, cut cuts the image off; "
            "turned does as well, on a canvas for the image as it was before a rotation by a quarter"
        ),
    ] = "grow"
    within_original: Annotated[
        bool, Meta(description="Make no side of the canvas larger than that of the original")
    ] = False
    behind: Annotated[bool, Meta(description="Show the canvas through transparent parts of the image, too")] = False


def _canvas(requested: Fill, own: Size, _overlay: Size = (0, 0)) -> Size:
    """Return the size of the canvas for an image of this size, or more where the original's size limits it."""
    width, height = requested.width or 0, requested.height or 0
    if requested.adaptive and width and height and (own[0] - own[1]) * (width - height) < 0:
        width, height = height, width
    if requested.overflow == "cut":
        return (width or own[0], height or own[1])
    if requested.overflow == "turned":
        own = (own[1], own[0])
    return (max(own[0], width), max(own[1], height))


def _limit(size: Size, largest: Size) -> Size:
    """Return the size with no side larger than that of the other size."""
    return (min(size[0], largest[0]), min(size[1], largest[1]))


def _cut_to(picture: Picture, size: Size) -> Picture:
    """Return the middle of the picture, no larger than the size. Half pixels are cut off at the left and the top."""
    own = (picture.width, picture.height)
    left, top = (max(0, (side - room + 1) // 2) for side, room in zip(own, size, strict=True))
    return PixelBox(left, top, *_limit(own, size)).cut(picture)


def _cost(requested: Fill, _shape: Shape) -> Cost:
    return Cost({"color": 0.002, "mean": 0.004, "corner": 0.003, "blur": 0.02}[requested.mode], 2)


@feature(
    Fill,
    group="geometry",
    cost=_cost,
    reads=lambda requested: "pixels" if requested.mode == "color" else "whole",
    size=_canvas,
    keeps_gain_map=lambda requested: requested.mode != "blur" and requested.color.alpha == 1,
)
def fill(picture: Picture, requested: Fill, context: Context) -> Picture:
    size = _canvas(requested, (picture.width, picture.height))
    if requested.within_original:
        size = _limit(size, picture.source.upright)
    # The canvas is at least as large as what is put on it.
    if requested.overflow != "grow":
        picture = _cut_to(picture, size)
    own = (picture.width, picture.height)
    size = (max(size[0], own[0]), max(size[1], own[1]))
    if size == own and not (requested.behind and picture.has_alpha):
        return picture
    refuse_larger("fill.width", size, picture.frames, context)
    # Half pixels are rounded down, as in Thumbor.
    across, down = requested.position.ratios
    corner = (int((size[0] - own[0]) * across), int((size[1] - own[1]) * down))
    if requested.mode == "blur":
        picture = picture.materialized()
        return picture.each_frame(lambda frame: _place(frame, _blurred_canvas(frame, size), corner, requested))
    color = requested.color
    if requested.mode != "color":
        picture = picture.materialized()
        color = _mean(picture.image) if requested.mode == "mean" else _corner_color(picture.image)

    def put(frame: pyvips.Image) -> pyvips.Image:
        placed = embed_in_canvas(frame, corner, size, color)
        if not requested.behind or not placed.hasalpha():
            return placed
        image, background = on_background(placed, color)
        canvas = image.new_from_image(background).cast(image.format).copy(interpretation=image.interpretation)
        composite = canvas.composite2(image, "over")
        return composite[: composite.bands - 1] if color.alpha == 1 else composite

    return picture.each_frame(put).with_view((-corner[0], -corner[1], *size), own)


def _blurred_canvas(frame: pyvips.Image, size: Size) -> pyvips.Image:
    """Return the frame, blurred and stretched to the size of the canvas."""
    min_amplitude = math.exp(-((_RADIUS + 0.5) ** 2) / (2 * _RADIUS**2))
    return stretch(premultiplied(frame, lambda image: gaussian_blur(image, _RADIUS, min_amplitude)), size)


def _place(frame: pyvips.Image, canvas: pyvips.Image, corner: Size, requested: Fill) -> pyvips.Image:
    """Return the canvas with the frame on it; it shows through the frame only if `behind` is set."""
    if requested.behind and frame.hasalpha():
        return canvas.composite2(frame, "over", x=corner[0], y=corner[1])
    return canvas.insert(frame, *corner)


def _corner_color(image: pyvips.Image) -> Color:
    """Return the colour of the top left pixel, as an opaque colour."""
    scale = 255 / (65_535 if image.format == "ushort" else 255)
    levels = [round(level * scale) for level in image(0, 0)][: image.bands - int(image.hasalpha())]
    red, green, blue = levels if len(levels) == 3 else levels * 3
    return Color(red, green, blue)


def _mean(image: pyvips.Image) -> Color:
    """Return the average colour of all pixels, weighted by their alpha, as an opaque colour."""
    premultiplied_image = image.premultiply() if image.hasalpha() else image
    means = [premultiplied_image[band].avg() for band in range(premultiplied_image.bands)]
    maximum = 65_535 if image.format == "ushort" else 255
    share = means.pop() / maximum if image.hasalpha() else 1.0
    levels = [round(min(255.0, mean / max(share, 1e-9) * 255 / maximum)) for mean in means]
    red, green, blue = levels if len(levels) == 3 else levels * 3
    return Color(red, green, blue)

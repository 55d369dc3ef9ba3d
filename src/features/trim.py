"""Trim edges of one colour, and transparent edges; an image without any other content is not changed."""

from __future__ import annotations

from typing import Annotated, Literal

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.deadlines.vips_watchdog import watched
from imaging.ops.geometry import PixelBox, level_scale, on_background, to_levels
from imaging.params.model import Params, hint
from imaging.params.types import Color
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_SMALLEST = 3
"""Shortest side in pixels with which libvips can smooth the image before it searches for edges."""


class Trim(Params):
    """Trim edges of one colour, and transparent edges; an image without any other content is not changed."""

    threshold: Annotated[
        float,
        Meta(
            ge=0,
            le=255,
            description="Largest difference from the background colour that counts as background, in levels of 0 "
            "to 255",
            extra=hint(main=True),
        ),
    ] = 10.0
    background: Annotated[
        Color | None, Meta(description="Colour of the edges. Default: the colour of the pixel in the corner")
    ] = None
    corner: Annotated[
        Literal["top-left", "top-right", "bottom-left", "bottom-right"],
        Meta(description="Corner whose pixel gives the background colour"),
    ] = "top-left"
    line_art: Annotated[bool, Meta(description="Count single pixels and thin lines as content")] = False
    matte: Annotated[
        Color | None,
        Meta(
            description="Colour on which a transparent image is laid before its edges are compared. Default: colour "
            "and transparency are compared separately"
        ),
    ] = None
    equal_horizontal: Annotated[
        bool, Meta(description="Trim as much on the left as on the right, which is the smaller part of both")
    ] = False
    equal_vertical: Annotated[
        bool, Meta(description="Trim as much at the top as at the bottom, which is the smaller part of both")
    ] = False
    margin: Annotated[
        int,
        Meta(ge=0, le=8192, description="Background to keep around the content", extra=hint(unit="px", usual=(0, 200))),
    ] = 0


Edges = tuple[int, int, int, int]
"""Left, top, right and bottom edge of the content."""


@feature(Trim, group="geometry", cost=each_pixel(0.18, 2), reads="whole", keeps_gain_map=True)
def trim(picture: Picture, requested: Trim, context: Context) -> Picture:
    picture = picture.materialized()
    frames = [_on_matte(frame, requested) for frame in picture.split()]
    background = _background(frames[0], requested)
    found = [edges for frame in frames for edges in _content_edges(frame, background, requested, context)]
    if not found:
        return picture
    left, top = (max(0, min(edges[side] for edges in found) - requested.margin) for side in (0, 1))
    right, bottom = (max(edges[side] for edges in found) + requested.margin for side in (2, 3))
    right, bottom = min(right, picture.width), min(bottom, picture.height)
    if requested.equal_horizontal:
        left = min(left, picture.width - right)
        right = picture.width - left
    if requested.equal_vertical:
        top = min(top, picture.height - bottom)
        bottom = picture.height - top
    return PixelBox(left, top, right - left, bottom - top).cut(picture)


def _on_matte(image: pyvips.Image, requested: Trim) -> pyvips.Image:
    """Return the image without transparency where the parameters name a colour to lay it on."""
    if requested.matte is None or not image.hasalpha():
        return image
    image, levels = on_background(image, Color(*requested.matte.rgb))
    return image.flatten(background=levels[:-1])


def _background(image: pyvips.Image, requested: Trim) -> list[float]:
    """Return the background colour in the levels of the image, one number per band."""
    if requested.background is None:
        down, across = requested.corner.split("-")
        return [*image(image.width - 1 if across == "right" else 0, image.height - 1 if down == "bottom" else 0)]
    return to_levels(image, requested.background)


def _content_edges(image: pyvips.Image, background: list[float], requested: Trim, context: Context) -> list[Edges]:
    """Return the edges of the content that differs from the background in colour, and of that which does in alpha."""
    colours = image.bands - 1 if image.hasalpha() else image.bands
    # Line art is not smoothed, which libvips could not do with so small an image.
    thin = requested.line_art or min(image.width, image.height) < _SMALLEST
    parts = [(image, background[:colours])]
    if image.hasalpha():
        parts.append((image[colours], background[colours:]))
    with watched(image, context.deadline):
        boxes = [
            part.find_trim(threshold=requested.threshold * level_scale(image), background=level, line_art=thin)
            for part, level in parts
        ]
    return [(left, top, left + width, top + height) for left, top, width, height in boxes if width and height]

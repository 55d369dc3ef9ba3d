"""Place another image over the image, on every frame."""

from __future__ import annotations

import math

import pyvips

from features.watermark.parameters import Watermark
from features.watermark.sizes import cut_to_box, find_size
from imaging.context import Context
from imaging.cost import Cost, Shape
from imaging.ops.alpha import premultiplied
from imaging.ops.backdrop import render_in_memory
from imaging.ops.layers import Image, cast_shadow, paint
from imaging.ops.overlay import Size, load_overlay
from imaging.params.types import Length
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_CAN_CLEAR = frozenset(("clear", "source", "in", "out", "dest-in", "dest-out", "dest-atop", "xor"))
"""Blend modes that can make opaque pixels transparent."""


def _cost(requested: Watermark, _shape: Shape) -> Cost:
    """Estimate the cost, which grows with the area of the overlay; without a width it may cover the whole image."""
    share = 1.0 if requested.tile or requested.repeat or requested.width is None else requested.width / 100
    finish = (0.05 if requested.rotate % 360 else 0.0) + (0.06 if requested.shadow else 0.0)
    return Cost(0.006 + ((0.034 if requested.blend == "over" else 0.07) + finish) * share, 4 + 60 * finish)


@feature(
    Watermark,
    group="overlay",
    cost=_cost,
    overlay_size=find_size,
    objects=lambda requested: (requested.ref,),
)
def watermark(picture: Picture, requested: Watermark, context: Context) -> Picture:
    room = (picture.width, picture.height)
    mark = load_overlay(requested.ref, "watermark", context, lambda full: find_size(requested, room, full))
    mark = cut_to_box(mark if mark.hasalpha() else mark.addalpha(), requested, room)
    margin = 0
    if requested.rotate % 360 or requested.shadow is not None:
        mark, margin = _turned_with_shadow(mark, requested)
        # A later resize reads the same pixels many times, and would rotate and blur them again each time.
        mark = render_in_memory(mark)
    mark = _faded(mark, requested.opacity)
    dpr = picture.dpr or requested.dpr
    if requested.gap_x or requested.gap_y:
        mark = _spaced(mark, (round(requested.gap_x * dpr), round(requested.gap_y * dpr)))
    if requested.chessboard:
        clear = mark * 0
        mark = pyvips.Image.arrayjoin([mark, clear, clear, mark], across=2).cast(mark.format)
    left, top = _place(requested, room, (mark.width - 2 * margin, mark.height - 2 * margin), dpr)
    left, top = left - margin, top - margin
    if requested.tile:
        mark, left, top = _tiled(mark, (left, top), room), 0, 0
    elif requested.repeat == "x":
        mark, left = _in_a_row(mark, room[0], is_dense=requested.dense), 0
    elif requested.repeat == "y":
        mark, top = _in_a_row(mark.rot270(), room[1], is_dense=requested.dense).rot90(), 0

    def compose(frame: pyvips.Image) -> pyvips.Image:
        both = frame.composite2(mark, requested.blend, x=left, y=top)
        return both if frame.hasalpha() or requested.blend in _CAN_CLEAR else both[: both.bands - 1]

    return picture.each_frame(compose)


def _faded(image: pyvips.Image, opacity: float) -> pyvips.Image:
    """Return the image with its alpha channel multiplied by the opacity in percent."""
    factors = [1.0] * (image.bands - 1) + [opacity / 100]
    return image.linear(factors, [0.0] * image.bands, uchar=True)


def _turned_with_shadow(mark: Image, requested: Watermark) -> tuple[Image, int]:
    """Return the overlay at its angle and over its shadow, and the margin around it that the shadow needs."""
    if requested.rotate % 90 == 0:
        mark = mark.rot(f"d{round(requested.rotate) % 360}")
    else:
        mark = premultiplied(mark, lambda it: it.similarity(angle=requested.rotate, background=[0] * it.bands))
    if requested.shadow is None:
        return mark, 0
    offset = (requested.shadow_x, requested.shadow_y)
    # Beyond three sigma a shadow cannot be seen.
    margin = math.ceil(max(map(abs, offset)) + 3 * requested.shadow_blur)
    mark = mark if mark.bands > 2 else mark.colourspace("srgb")
    mark = mark.embed(margin, margin, mark.width + 2 * margin, mark.height + 2 * margin)
    alpha = mark[mark.bands - 1]
    shade = paint(cast_shadow(alpha, offset, requested.shadow_blur), requested.shadow)
    return shade.composite2(mark, "over").cast("uchar"), margin


def _spaced(image: pyvips.Image, gaps: Size) -> pyvips.Image:
    """Return the image with half of each gap on both sides, transparent."""
    size = (image.width + gaps[0], image.height + gaps[1])
    return image.embed(gaps[0] // 2, gaps[1] // 2, *size, extend="background", background=[0.0] * image.bands)


def _place(requested: Watermark, room: Size, size: Size, dpr: float) -> Size:
    """Return the left and top edge of the overlay, or of the tile from which the others are repeated."""
    if requested.anchor is not None and not requested.tile:
        return requested.anchor.place(room, size, dpr, overflows=True)
    if requested.tile:
        # As in sharp, which crops the image's area out of the tiles, half pixels are rounded the other way.
        left, top = (-edge for edge in requested.position.place(size, room))
    else:
        left, top = requested.position.place(room, size)
    if requested.left is not None:
        left = _edge(requested.left, room[0], size[0])
    if requested.top is not None:
        top = _edge(requested.top, room[1], size[1])
    return (left, top)


def _edge(length: Length, whole: int, own: int) -> int:
    """Return where the overlay begins on one axis; fractions are rounded down, as in AWS's handler."""
    return math.floor(length.exactly(whole)) + (whole - own if length.value < 0 else 0)


def _in_a_row(image: pyvips.Image, room: int, *, is_dense: bool) -> pyvips.Image:
    """Return copies of the image side by side, at most as wide as the room, as Thumbor's filter `watermark` repeats it.

    As many copies as fit share the rest of the room as gaps. Where only one fits, a second one follows after 10 pixels
    and is cut off at the edge (thumbor/filters/watermark.py, on_image_ready).
    """
    if is_dense:
        return image.replicate(-(-room // image.width), 1).crop(0, 0, room, image.height)
    copies, rest = divmod(room, image.width)
    if room < 2 * image.width:
        copies, rest = -(-room // image.width), 10
    gap = rest // (max(copies, 2) - 1)
    row = image.embed(0, 0, image.width + gap, image.height).replicate(copies, 1)
    return row.crop(0, 0, min(row.width, room), image.height)


def _tiled(image: pyvips.Image, place: Size, room: Size) -> pyvips.Image:
    """Return copies of the image that cover the room, one of them at the given place."""
    before = (-place[0] % image.width, -place[1] % image.height)
    across, down = -(-(before[0] + room[0]) // image.width), -(-(before[1] + room[1]) // image.height)
    return image.replicate(across, down).crop(*before, *room)

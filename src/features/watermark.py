"""Place another image over the image, on every frame."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import pyvips
from msgspec import Meta

from imaging.context import Context, ObjectRef
from imaging.cost import Cost, Shape
from imaging.errors import InvalidParameter
from imaging.ops.geometry import round_half_up
from imaging.ops.overlay import Size, load_overlay
from imaging.params.model import Params, hint
from imaging.params.types import Gravity, Length, Position
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_CAN_CLEAR = frozenset(("clear", "source", "in", "out", "dest-in", "dest-out", "dest-atop", "xor"))
"""Blend modes that can make opaque pixels transparent."""


class Watermark(Params):
    """Place another image over the image, on every frame.

    With `width` and `height` the overlay fits inside both. With neither it has its own size, reduced if it is
    larger than the image.
    """

    key: Annotated[str, Meta(min_length=1, max_length=1024, description="Key of the overlay", extra=hint(main=True))]
    bucket: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=255,
                description="Source that the overlay is read from. Default: the first source",
            ),
        ]
        | None
    ) = None
    position: Annotated[Position, Meta(description="Where the overlay is placed", extra=hint(aliases=("gravity",)))] = (
        Position("center")
    )
    left: Annotated[
        Length | None,
        Meta(
            description="Distance from the left edge or, if negative, from the right edge; replaces the "
            "horizontal position",
            extra=hint(unit="px or %"),
        ),
    ] = None
    top: Annotated[
        Length | None,
        Meta(
            description="Distance from the top edge or, if negative, from the bottom edge; replaces the vertical "
            "position",
            extra=hint(unit="px or %"),
        ),
    ] = None
    width: (
        Annotated[
            float,
            Meta(
                gt=0,
                le=100,
                description="Width relative to the image's; its aspect ratio is kept",
                extra=hint(unit="%"),
            ),
        ]
        | None
    ) = None
    height: (
        Annotated[
            float,
            Meta(
                gt=0,
                le=100,
                description="Height relative to the image's; its aspect ratio is kept",
                extra=hint(unit="%"),
            ),
        ]
        | None
    ) = None
    anchor: Annotated[
        Gravity | None,
        Meta(
            description="Where the overlay is placed in imgproxy's words, such as soea:10:20, and by its rules: "
            "replaces position, left and top, keeps the size of a larger overlay and enlarges a smaller one to the "
            "width and height"
        ),
    ] = None
    gap_x: Annotated[
        float,
        Meta(ge=0, le=65_535, description="Gap between tiles, horizontally", extra=hint(unit="px", usual=(0, 200))),
    ] = 0.0
    gap_y: Annotated[
        float,
        Meta(ge=0, le=65_535, description="Gap between tiles, vertically", extra=hint(unit="px", usual=(0, 200))),
    ] = 0.0
    dpr: Annotated[
        float,
        Meta(
            gt=0,
            le=100,
            description="Device pixel ratio: multiplies gaps and the offsets of the anchor. Behind a resize with "
            "rules=imgproxy the ratio that was applied counts",
            extra=hint(usual=(1, 5)),
        ),
    ] = 1.0
    tile: Annotated[bool, Meta(description="Repeat the overlay over the whole image")] = False
    repeat: (
        Annotated[
            Literal["x", "y"],
            Meta(description="Repeat the overlay from one edge to the other along one axis, in equal distances"),
        ]
        | None
    ) = None
    opacity: Annotated[
        float,
        Meta(ge=0, le=100, description="Opacity of the overlay; 0: invisible, 100: unchanged", extra=hint(unit="%")),
    ] = 100.0
    blend: Annotated[
        Literal[
            "over", "multiply", "screen", "overlay", "darken", "lighten", "colour-dodge", "colour-burn", "hard-light",
            "soft-light", "difference", "exclusion", "add", "saturate", "clear", "source", "in", "out", "atop", "dest",
            "dest-over", "dest-in", "dest-out", "dest-atop", "xor",
        ],
        Meta(
            description="Blend mode of the overlay",
            extra=hint(synonyms={"color-dodge": "colour-dodge", "color-burn": "colour-burn"}),
        ),
    ] = "over"  # fmt: skip

    def check(self) -> None:
        """Raise InvalidParameter for gaps without tiles, and for an anchor that searches."""
        if (self.gap_x or self.gap_y) and not self.tile:
            raise InvalidParameter("watermark.gapX", "left out without tile", self.gap_x)
        if self.anchor and self.anchor.searches:
            raise InvalidParameter("watermark.anchor", "another one than sm", self.anchor)

    @property
    def ref(self) -> ObjectRef:
        """The object that holds the overlay."""
        return ObjectRef(self.bucket or "", self.key)


def _size(requested: Watermark, room: Size, full: Size) -> Size:
    """Return the size of the overlay: the given shares of the image, or its own size, reduced to fit the image."""
    if requested.anchor is not None:
        return _size_by_rules(requested, room, full)
    shares = [
        max(1, int(share * space / 100)) / side
        for share, space, side in ((requested.width, room[0], full[0]), (requested.height, room[1], full[1]))
        if share is not None
    ]
    scale = min(shares or [1.0, room[0] / full[0], room[1] / full[1]])
    return (max(1, round(full[0] * scale)), max(1, round(full[1] * scale)))


def _size_by_rules(requested: Watermark, room: Size, full: Size) -> Size:
    """Return the size by imgproxy's rules: the given shares, or the overlay's own size."""
    shares = [
        side / max(1, round(space * share / 100))
        for share, space, side in ((requested.width, room[0], full[0]), (requested.height, room[1], full[1]))
        if share is not None
    ]
    scale = 1 / max(shares or [1.0])
    return (max(1, round_half_up(full[0] * scale)), max(1, round_half_up(full[1] * scale)))


def _cost(requested: Watermark, _shape: Shape) -> Cost:
    """Estimate the cost, which grows with the area of the overlay; without a width it may cover the whole image."""
    share = 1.0 if requested.tile or requested.repeat or requested.width is None else requested.width / 100
    return Cost(0.006 + (0.034 if requested.blend == "over" else 0.07) * share, 4)


@feature(
    Watermark,
    group="overlay",
    cost=_cost,
    overlay_size=_size,
    objects=lambda requested: (requested.ref,),
)
def watermark(picture: Picture, requested: Watermark, context: Context) -> Picture:
    room = (picture.width, picture.height)
    mark = _faded(
        load_overlay(requested.ref, "watermark", context, lambda full: _size(requested, room, full)), requested.opacity
    )
    dpr = picture.dpr or requested.dpr
    if requested.gap_x or requested.gap_y:
        mark = _spaced(mark, (round(requested.gap_x * dpr), round(requested.gap_y * dpr)))
    left, top = _place(requested, room, (mark.width, mark.height), dpr)
    if requested.tile:
        mark, left, top = _tiled(mark, (left, top), room), 0, 0
    elif requested.repeat == "x":
        mark, left = _in_a_row(mark, room[0]), 0
    elif requested.repeat == "y":
        mark, top = _in_a_row(mark.rot270(), room[1]).rot90(), 0

    def compose(frame: pyvips.Image) -> pyvips.Image:
        both = frame.composite2(mark, requested.blend, x=left, y=top)
        return both if frame.hasalpha() or requested.blend in _CAN_CLEAR else both[: both.bands - 1]

    return picture.each_frame(compose)


def _faded(image: pyvips.Image, opacity: float) -> pyvips.Image:
    """Return the image with an alpha channel, multiplied by the opacity in percent."""
    image = image if image.hasalpha() else image.addalpha()
    factors = [1.0] * (image.bands - 1) + [opacity / 100]
    return image.linear(factors, [0.0] * image.bands, uchar=True)


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


def _in_a_row(image: pyvips.Image, room: int) -> pyvips.Image:
    """Return copies of the image side by side, at most as wide as the room, as Thumbor's filter `watermark` repeats it.

    As many copies as fit share the rest of the room as gaps. Where only one fits, a second one follows after 10 pixels
    and is cut off at the edge (thumbor/filters/watermark.py, on_image_ready).
    """
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

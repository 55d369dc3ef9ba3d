"""Lay another picture over this one."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import pyvips
from msgspec import Meta

from features._cost import Cost, Shape
from features._feature import Params, feature, hint
from features._overlay import Size, overlay
from features._picture import Picture
from features._ports import Context, ObjectRef
from features._types import Length, Position

_LETS_THROUGH = frozenset(("clear", "source", "in", "out", "dest-in", "dest-out", "dest-atop", "xor"))
"""Blend modes that may leave clear what was opaque."""


class Watermark(Params):
    """Lay another picture over this one, on every frame."""

    key: Annotated[str, Meta(min_length=1, max_length=1024, description="Key of the overlay", extra=hint(main=True))]
    bucket: (
        Annotated[str, Meta(min_length=1, max_length=255, description="Its source bucket; nothing: the default one")]
        | None
    ) = None
    position: Annotated[Position, Meta(description="Where the overlay stands", extra=hint(aliases=("gravity",)))] = (
        Position("center")
    )
    left: Annotated[
        Length | None,
        Meta(
            description="In place of the position: from the left, or if negative, from the right",
            extra=hint(unit="px or %"),
        ),
    ] = None
    top: Annotated[
        Length | None,
        Meta(
            description="In place of the position: from the top, or if negative, from the bottom",
            extra=hint(unit="px or %"),
        ),
    ] = None
    width: (
        Annotated[
            float,
            Meta(gt=0, le=100, description="Share of the picture's width; proportions stay", extra=hint(unit="%")),
        ]
        | None
    ) = None
    height: (
        Annotated[
            float,
            Meta(gt=0, le=100, description="Share of the picture's height; proportions stay", extra=hint(unit="%")),
        ]
        | None
    ) = None
    tile: Annotated[bool, Meta(description="Cover the whole picture with copies")] = False
    opacity: Annotated[
        float, Meta(ge=0, le=100, description="100: as it is, 0: not to be seen", extra=hint(unit="%"))
    ] = 100.0
    blend: Annotated[
        Literal[
            "over", "multiply", "screen", "overlay", "darken", "lighten", "colour-dodge", "colour-burn", "hard-light",
            "soft-light", "difference", "exclusion", "add", "saturate", "clear", "source", "in", "out", "atop", "dest",
            "dest-over", "dest-in", "dest-out", "dest-atop", "xor",
        ],
        Meta(
            description="How the overlay's colours meet the picture's",
            extra=hint(synonyms={"color-dodge": "colour-dodge", "color-burn": "colour-burn"}),
        ),
    ] = "over"  # fmt: skip

    @property
    def ref(self) -> ObjectRef:
        """The object that holds the overlay."""
        return ObjectRef(self.bucket or "", self.key)


def _size(wanted: Watermark, room: Size, full: Size) -> Size:
    """The shares asked for, without distortion; else the overlay's own size, reduced to what there is room for."""
    shares = [
        max(1, int(share * space / 100)) / side
        for share, space, side in ((wanted.width, room[0], full[0]), (wanted.height, room[1], full[1]))
        if share is not None
    ]
    scale = min(shares or [1.0, room[0] / full[0], room[1] / full[1]])
    return (max(1, round(full[0] * scale)), max(1, round(full[1] * scale)))


def _cost(wanted: Watermark, _shape: Shape) -> Cost:
    """Blending takes time where the overlay lies; without a size it may be as large as the picture."""
    share = 1.0 if wanted.tile or wanted.width is None else wanted.width / 100
    return Cost(0.006 + (0.034 if wanted.blend == "over" else 0.07) * share, 4)


@feature(
    Watermark,
    group="overlay",
    cost=_cost,
    overlay_size=_size,
    objects=lambda wanted: (wanted.ref,),
)
def watermark(picture: Picture, wanted: Watermark, context: Context) -> Picture:
    room = (picture.width, picture.height)
    mark = _faded(overlay(wanted.ref, "watermark", context, lambda full: _size(wanted, room, full)), wanted.opacity)
    left, top = _place(wanted, room, (mark.width, mark.height))
    if wanted.tile:
        mark, left, top = _tiled(mark, (left, top), room), 0, 0

    def composed(frame: pyvips.Image) -> pyvips.Image:
        both = frame.composite2(mark, wanted.blend, x=left, y=top)
        return both if frame.hasalpha() or wanted.blend in _LETS_THROUGH else both[: both.bands - 1]

    return picture.each_frame(composed)


def _faded(image: pyvips.Image, opacity: float) -> pyvips.Image:
    """The image with an alpha channel, that many percent of what it was."""
    image = image if image.hasalpha() else image.addalpha()
    factors = [1.0] * (image.bands - 1) + [opacity / 100]
    return image.linear(factors, [0.0] * image.bands, uchar=True)


def _place(wanted: Watermark, room: Size, size: Size) -> Size:
    """Left and top of the overlay; of the tile that the others lie around, if there are many."""
    if wanted.tile:
        # Half a pixel is rounded the other way, as in sharp, which cuts the picture's part out of the tiles.
        left, top = (-edge for edge in wanted.position.place(size, room))
    else:
        left, top = wanted.position.place(room, size)
    if wanted.left is not None:
        left = _edge(wanted.left, room[0], size[0])
    if wanted.top is not None:
        top = _edge(wanted.top, room[1], size[1])
    return (left, top)


def _edge(length: Length, whole: int, own: int) -> int:
    """Where the overlay begins along a side; parts of a pixel do not count, as in AWS's handler."""
    return math.floor(length.exactly(whole)) + (whole - own if length.value < 0 else 0)


def _tiled(image: pyvips.Image, place: Size, room: Size) -> pyvips.Image:
    """Copies enough to cover the room, one of them at the place."""
    before = (-place[0] % image.width, -place[1] % image.height)
    across, down = -(-(before[0] + room[0]) // image.width), -(-(before[1] + room[1]) // image.height)
    return image.replicate(across, down).crop(*before, *room)

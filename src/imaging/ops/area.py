"""The region that `crop` cuts out before a resize, and `extract` after it."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from msgspec import Meta

from imaging.cost import Cost, Reads, Shape
from imaging.errors import InvalidParameter
from imaging.ops.geometry import PixelBox, Size, find_crop, find_crop_memory, round_half_up
from imaging.params.model import Params, hint
from imaging.params.types import CropPosition, Gravity, Length, Point, Ratio
from imaging.picture import Picture

OUT_OF_BOUNDS = "Crop::AreaOutOfBounds"


class Area(Params):
    """A region of the image."""

    left: Annotated[Length | None, Meta(description="Left edge of the region", extra=hint(unit="px or %"))] = None
    top: Annotated[Length | None, Meta(description="Top edge of the region", extra=hint(unit="px or %"))] = None
    width: Annotated[
        Length | None,
        Meta(description="Width of the region. Default: up to the right edge of the image", extra=hint(unit="px or %")),
    ] = None
    height: Annotated[
        Length | None,
        Meta(
            description="Height of the region. Default: up to the bottom edge of the image", extra=hint(unit="px or %")
        ),
    ] = None
    aspect_ratio: Annotated[
        Ratio | None,
        Meta(
            description="Ratio of width to height, such as 16:9; computes the side that is not given, or the "
            "largest region if neither is",
            extra=hint(aliases=("ratio",)),
        ),
    ] = None
    position: Annotated[
        CropPosition,
        Meta(
            description="Where the region is placed if left and top are not given; attention and entropy find the"
            " most interesting part",
            extra=hint(aliases=("gravity",)),
        ),
    ] = CropPosition("center")
    focal_point: Annotated[
        Point | None,
        Meta(description="Centre of the region, as fractions of the width and the height; replaces position"),
    ] = None
    anchor: Annotated[
        Gravity | None,
        Meta(
            description="Where the region is placed in imgproxy's words, such as soea:10:20, and with its rounding; "
            "replaces position"
        ),
    ] = None
    clamp: Annotated[
        bool,
        Meta(description="Reduce a region that extends beyond the image to the part inside, instead of refusing it"),
    ] = False
    optional: Annotated[
        bool,
        Meta(description="With clamp: leave the image as it is, instead of refusing it, if the region is outside"),
    ] = False

    def check(self) -> None:
        """Raise InvalidParameter for an aspect ratio beside both sides, and for a focal point beside a position."""
        name = _name(self)
        if self.aspect_ratio and self.width and self.height:
            raise InvalidParameter(
                f"{name}.aspectRatio", "left out where width and height are given", self.aspect_ratio
            )
        if self.focal_point and self.position != "center":
            raise InvalidParameter(f"{name}.focalPoint", "left out with a position", self.focal_point)
        if self.anchor and (self.focal_point or self.position != "center"):
            raise InvalidParameter(f"{name}.anchor", "left out with a position or a focal point", self.anchor)

    @property
    def searched(self) -> CropPosition | None:
        """The strategy by which the position is searched, None if the pixels do not decide it."""
        if self.anchor:
            return CropPosition("attention") if self.anchor.searches else None
        return self.position if self.position.searches else None


def _name(requested: Area) -> str:
    """Return the name of the feature, for messages."""
    return type(requested).__name__.lower()


def cut_area(picture: Picture, requested: Area) -> Picture:
    """Return the part of the picture that the parameters ask for; InvalidParameter where it reaches past an edge."""
    room = (picture.width, picture.height)
    across = _Span.of(requested.left, requested.width, room[0])
    down = _Span.of(requested.top, requested.height, room[1])
    if requested.clamp:
        across, down = across.within(room[0]), down.within(room[1])
        if requested.optional and not (across.is_inside and down.is_inside):
            return picture
    _refuse_outside(requested, ("left", "width"), across, room[0])
    _refuse_outside(requested, ("top", "height"), down, room[1])
    size = _size(requested, across, down, (room[0] - (across.start or 0), room[1] - (down.start or 0)))
    # The position or the focal point places the box along each side for which no left or top is given.
    is_placed = across.start is None or down.start is None
    if is_placed and requested.searched is not None:
        picture = picture.materialized()
        left, top = find_crop(picture, size, requested.searched)
    else:
        left, top = (requested.anchor or requested.focal_point or requested.position).place(room, size)
    if across.start is not None:
        left = across.start
    if down.start is not None:
        top = down.start
    return PixelBox(left, top, *size).cut(picture)


def area_size(requested: Area, size: Size, _overlay: Size) -> Size:
    """Return the width and height of the part of a picture of that size, or an upper bound."""
    if requested.optional:
        spans = (_Span.of(requested.left, requested.width, size[0]), _Span.of(requested.top, requested.height, size[1]))
        if not all(span.within(whole).is_inside for span, whole in zip(spans, size, strict=True)):
            return size
    sides = zip((requested.width, requested.height), size, strict=True)
    across, down = (min(whole, max(1, length.of(whole))) if length else whole for length, whole in sides)
    return across, down


def area_reads(requested: Area) -> Reads:
    """Return which pixels are read: the whole picture where the pixels decide the position."""
    return "whole" if requested.searched else "pixels"


def area_is_fixed(requested: Area) -> bool:
    """Return whether the pixels have no part in the decision which of them are kept."""
    return requested.searched is None


def area_cost(requested: Area, _shape: Shape) -> Cost:
    """Return the cost, which is next to nothing unless the pixels decide the position."""
    if requested.searched is None:
        return Cost(0.002, 1)
    return Cost(0.009, 1, base_memory=find_crop_memory(requested.searched))


class _Span(NamedTuple):
    """The extent of a box along one side of the picture, in pixels; None for what the parameters leave open."""

    start: int | None
    length: int | None

    @classmethod
    def of(cls, start: Length | None, length: Length | None, whole: int) -> _Span:
        """Return the extent along a side of `whole` pixels.

        Where both values are percentages, both edges are rounded and the length is their distance. Rounding the length
        by itself could make a box of 50p that starts at 50p end one pixel past the edge.
        """
        begin = start and start.of(whole)
        if start and begin == whole and start.percent and start.value < 100:
            # A start of less than 100 percent that rounds up to the edge still leaves one pixel.
            begin = whole - 1
        if not length:
            return cls(begin, None)
        pixels = length.of(whole)
        if start and begin is not None and start.percent and length.percent:
            pixels = Length(start.value + length.value, True).of(whole) - begin
        # A percentage above zero is at least one pixel. A length of zero is refused later.
        return cls(begin, max(1, pixels) if length.percent and length.value > 0 else pixels)

    @property
    def is_inside(self) -> bool:
        """Whether a span that `within` has limited still has a pixel."""
        return self.length is None or self.length > 0

    def within(self, whole: int) -> _Span:
        """Return the part of it that is within a side of `whole` pixels."""
        begin = max(0, self.start or 0)
        if self.length is None:
            return self
        # An absent start stays absent, so that the position still decides.
        return _Span(self.start and begin, min((self.start or 0) + self.length, whole) - begin)


def _size(requested: Area, across: _Span, down: _Span, room: Size) -> Size:
    """Return width and height of the box; a side that is not given follows from the ratio, or takes all the room."""
    width, height, ratio = across.length, down.length, requested.aspect_ratio
    if not ratio:
        return (width or room[0], height or room[1])
    if not width and not height:
        # The largest box of that ratio fills the height where the room is wider than the ratio, and else the width.
        width, height = (0, room[1]) if room[0] > room[1] * ratio else (room[0], 0)
    size = (
        width or max(1, round_half_up((height or 1) * ratio)),
        height or max(1, round_half_up((width or 1) / ratio)),
    )
    if size[0] > room[0] or size[1] > room[1]:
        expected = f"one whose box fits: {size[0]} x {size[1]} pixels in {room[0]} x {room[1]}"
        raise InvalidParameter(f"{_name(requested)}.aspectRatio", expected, ratio, code=OUT_OF_BOUNDS)
    return size


def _refuse_outside(requested: Area, fields: tuple[str, str], span: _Span, whole: int) -> None:
    """Raise InvalidParameter where the span begins or ends outside a side of `whole` pixels."""
    start, length = (getattr(requested, field) for field in fields)
    begin = span.start or 0
    if not 0 <= begin < whole:
        expected = f"from 0 to {whole - 1} pixels in a picture of {whole}"
        raise InvalidParameter(f"{_name(requested)}.{fields[0]}", expected, start, code=OUT_OF_BOUNDS)
    if span.length is not None and not 1 <= span.length <= whole - begin:
        expected = f"from 1 to {whole - begin} pixels in a picture of {whole}" + (f", from {begin} on" if begin else "")
        raise InvalidParameter(f"{_name(requested)}.{fields[1]}", expected, length, code=OUT_OF_BOUNDS)

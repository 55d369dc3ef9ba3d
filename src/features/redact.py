"""Hide regions of the image and detected faces, objects or text for good, before any other edit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Annotated, Literal

import pyvips
from msgspec import Meta, structs

from imaging.context import Context
from imaging.cost import Cost, Shape
from imaging.deadlines.vips_watchdog import watched
from imaging.detection import Found, Kind, Region
from imaging.errors import InvalidParameter
from imaging.ops.alpha import premultiplied
from imaging.ops.geometry import PixelBox, on_background
from imaging.ops.rounded import ellipse_mask
from imaging.ops.softening import average_squares
from imaging.params.model import Params, hint
from imaging.params.types import Boxes, Color, DetectionKinds, Length, Names
from imaging.picture import Picture
from imaging.pipeline.feature import Redacts, feature

_KINDS: tuple[Kind, ...] = ("faces", "objects", "text")
_MARGINS = {"faces": Length(25, True), "objects": Length(10, True), "text": Length(10, True)}
"""Usual margins. With that of faces, an ellipse covers the whole box of the detector, corners included."""
_MIN_SQUARE = 8
"""Pixels of the original that a square has at least on each side, so that small regions are hidden as well."""
_NEAR_FRAMES = 2
"""Frames before and after one whose detections hold for it too: a detector can miss a face in a single frame."""
_LINE = 300
"""The lines of `draw` have this fraction of the longer side of the image as their width."""


_AT_ONCE = 16
"""Boxes after which the pixels are computed, because libvips asks every one of them for every part of the image."""


class Redact(Params):
    """Hide regions of the image and detected faces, objects or text for good, before any other edit.

    Only the mean colours of some squares of a region are left in the result, or none with mode=fill, so nothing
    can bring the region back. Previews in the metadata are removed, too. In `ALWAYS`, it applies to everything that is
    sent. Each frame of an animation and each page is looked at, in images of at most 60 frames.

    Without `detect` and `areas`, faces are hidden. Faces are found as the setting `VISION` says; objects and text are
    found with Rekognition. No detector finds everything: look at what you publish.
    """

    detect: Annotated[
        DetectionKinds | None,
        Meta(
            description="What to find and hide: faces, objects or text. Default: faces, if no areas are given",
            extra=hint(main=True),
        ),
    ] = None
    labels: Annotated[
        Names | None,
        Meta(
            description="Objects that count, as Rekognition names them, such as Car; a parent includes its "
            "children. Default: all objects"
        ),
    ] = None
    areas: Annotated[
        Boxes | None,
        Meta(
            description="Regions to hide: left, top, width and height of each in pixels or percent of the upright "
            "original",
            extra=hint(unit="px or %"),
        ),
    ] = None
    mode: Annotated[
        Literal["blur", "pixelate", "fill"],
        Meta(description="blur: smooth squares; pixelate: squares; fill: one colour, which suits text best"),
    ] = "blur"
    squares: Annotated[
        int, Meta(ge=1, le=8, description="Squares along the longer side of a region, for blur and pixelate")
    ] = 5
    color: Annotated[
        Color, Meta(description="Opaque colour of mode fill, and of the lines of draw", extra=hint(aliases=("colour",)))
    ] = Color(0, 0, 0)
    shape: Annotated[
        Literal["box", "ellipse"], Meta(description="Shape of what is hidden: the region, or an ellipse within it")
    ] = "box"
    margin: Annotated[
        Length | None,
        Meta(
            description="Space that is hidden around each region, in pixels or in percent of its sides. Default: 25 % "
            "around faces, 10 % around objects and text, none around areas",
            extra=hint(unit="px or %"),
        ),
    ] = None
    overlays: Annotated[
        bool, Meta(description="Hide what is detected in overlays as well, which ALWAYS needs where clients name them")
    ] = False
    draw: Annotated[
        bool,
        Meta(
            description="Draw the boxes instead, to check what is found. Needs a signature or the operator's token, "
            "unless PUBLIC_FEATURES lists `redact`"
        ),
    ] = False

    def check(self) -> None:
        """Raise InvalidParameter for an unknown kind, and for parameters that would have no effect."""
        if self.labels is not None and "objects" not in self.kinds:
            raise InvalidParameter("redact.labels", "left out unless objects are detected", self.labels)
        if self.color.alpha < 1:
            raise InvalidParameter("redact.color", "an opaque colour", self.color)
        if self.margin is not None and self.margin.value < 0:
            raise InvalidParameter("redact.margin", "0 or more", self.margin)
        if self.overlays and not self.kinds:
            raise InvalidParameter("redact.overlays", "left out unless something is detected", got=True)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What is to be found."""
        if self.detect is None:
            return () if self.areas else ("faces",)
        return tuple(kind for kind in _KINDS if kind in self.detect)


def _cost(requested: Redact, shape: Shape) -> Cost:
    looks, full = len(requested.kinds), shape.full or shape.size
    # Detected regions count as the whole image.
    hidden = looks + sum(
        min(1.0, width.exactly(full[0]) / full[0]) * min(1.0, height.exactly(full[1]) / full[1])
        for _, _, width, height in (requested.areas.boxes() if requested.areas else ())
    )
    by_region = 0.05 if requested.shape == "ellipse" else 0.03
    base_memory = 150_000_000 if looks else 0
    return Cost(0.005 + by_region * hidden, 6, base_seconds=0.2 * looks * shape.frames, base_memory=base_memory)


def _redacts(requested: Redact) -> Redacts:
    return "all" if requested.overlays else "original"


@feature(
    Redact,
    group="effect",
    cost=_cost,
    reads="whole",
    expensive=lambda requested: bool(requested.kinds),
    billed=lambda requested: bool(requested.kinds),
    is_private=lambda requested: requested.draw,
    redacts=_redacts,
    # Areas are those of the original alone.
    for_overlay=lambda requested: structs.replace(requested, areas=None, detect=DetectionKinds(requested.kinds)),
    scale_free=True,
)
def redact(picture: Picture, requested: Redact, context: Context) -> Picture:
    picture = picture.materialized().reserve(picture.width * picture.height * picture.image.bands)
    first = context.page if picture.frames == 1 and context.overlay is None else 0
    found = [
        (kind, each)
        for kind in requested.kinds
        for each in context.vision.find(kind, range(first, first + picture.frames), context.overlay)
        if kind != "objects" or _counts(each, requested)
    ]
    areas = list(_areas(requested, picture)) if context.overlay is None else []
    numbers = itertools.count(first)

    def hide(frame: pyvips.Image) -> pyvips.Image:
        number = next(numbers)
        near = (item for item in found if abs(item[1].frame - number) <= _NEAR_FRAMES)
        boxes = [*areas, *(_box(each.region, requested.margin or _MARGINS[kind], picture) for kind, each in near)]
        return _drawn(frame, boxes, requested) if requested.draw else _hidden(frame, boxes, requested, picture, context)

    return picture.each_frame(hide)


def _counts(found: Found, requested: Redact) -> bool:
    """Return whether the label of an object is listed, itself or by a parent."""
    named = {name.casefold() for name in requested.labels or ()}
    return not named or not named.isdisjoint(name.casefold() for name in (found.name, *found.above))


def _areas(requested: Redact, picture: Picture) -> Iterator[PixelBox]:
    """Yield the given regions. Raises InvalidParameter for one that is outside of the image."""
    full = picture.full
    for left, top, width, height in requested.areas.boxes() if requested.areas else ():
        region = Region.clamped(
            left.exactly(full[0]) / full[0], top.exactly(full[1]) / full[1],
            width.exactly(full[0]) / full[0], height.exactly(full[1]) / full[1],
        )  # fmt: skip
        if region is None:
            given = ",".join(map(str, (left, top, width, height)))
            raise InvalidParameter("redact.areas", f"regions of an image of {full[0]} x {full[1]} pixels", given)
        yield _box(region, requested.margin or Length(0), picture)


def _box(region: Region, margin: Length, picture: Picture) -> PixelBox:
    """Return all pixels that a region with its margin touches."""
    left, right = _span(region.left, region.width, margin, picture.width, picture.full[0])
    top, bottom = _span(region.top, region.height, margin, picture.height, picture.full[1])
    return PixelBox(left, top, right - left, bottom - top)


def _span(start: float, length: float, margin: Length, side: int, full: int) -> tuple[int, int]:
    space = margin.exactly(full) / full if not margin.percent else margin.exactly(1) * length
    # Rounding must not hide one more line because of the last bit of a fraction.
    first = max(0, math.floor((start - space) * side + 1e-6))
    last = min(side, math.ceil((start + length + space) * side - 1e-6))
    return min(first, side - 1), max(first + 1, last)


def _hidden(
    frame: pyvips.Image, boxes: list[PixelBox], requested: Redact, picture: Picture, context: Context
) -> pyvips.Image:
    ink: list[float] = []
    if requested.mode == "fill":
        frame, ink = on_background(frame, requested.color)
    for number, box in enumerate(boxes, 1):
        # A box that overlaps another one is cut out after that is hidden, so that its corners show nothing of it.
        part = frame.crop(*box)
        cover = _plain(box, ink, frame) if ink else _squares(part, requested, picture)
        if requested.shape == "ellipse":
            half = (box.width / 2, box.height / 2)
            cover = ellipse_mask((box.width, box.height), half, half).ifthenelse(cover, part, blend=True)
        cover = cover.copy(interpretation=frame.interpretation)
        context.deadline.check()
        # The engine watches the image that a step returns, and this one is computed before that.
        with watched(cover, context.deadline):
            frame = frame.insert(cover.copy_memory(), box.left, box.top)
        if number % _AT_ONCE == 0:
            frame = frame.copy_memory()
    return frame


def _plain(box: PixelBox, ink: list[float], frame: pyvips.Image) -> pyvips.Image:
    """Return pixels of one colour, of the frame's kind."""
    plain = (pyvips.Image.black(box.width, box.height, bands=frame.bands) + ink).cast(frame.format)
    return plain.copy(interpretation=frame.interpretation)


def _squares(part: pyvips.Image, requested: Redact, picture: Picture) -> pyvips.Image:
    """Return a region of which only the mean colours of some squares are left."""
    longer = max(part.width, part.height)
    pixels = longer * picture.full[0] / picture.width
    count = max(1, min(requested.squares, int(pixels / _MIN_SQUARE)))
    side = math.ceil(longer / count)

    def soften(image: pyvips.Image) -> pyvips.Image:
        if requested.mode == "pixelate":
            return average_squares(image, side)
        means = image.shrink(side, side, ceil=True)
        smooth = means.resize(side, kernel="cubic") if side > 1 else means
        return smooth.crop(0, 0, image.width, image.height)

    return premultiplied(part, soften)


def _drawn(frame: pyvips.Image, boxes: list[PixelBox], requested: Redact) -> pyvips.Image:
    """Return the frame with lines around the boxes."""
    frame, ink = on_background(frame, requested.color)
    usual = max(2, round(max(frame.width, frame.height) / _LINE))
    for number, (left, top, width, height) in enumerate(boxes, 1):
        line = min(usual, width, height)
        for side in (
            PixelBox(left, top, width, line), PixelBox(left, top + height - line, width, line),
            PixelBox(left, top, line, height), PixelBox(left + width - line, top, line, height),
        ):  # fmt: skip
            frame = frame.insert(_plain(side, ink, frame), side.left, side.top)
        if number % _AT_ONCE == 0:
            frame = frame.copy_memory()
    return frame

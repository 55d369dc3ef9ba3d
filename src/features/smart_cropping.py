"""Crop around the most important part, before any other edit: faces, objects or the salient region."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from imaging.context import Context
from imaging.cost import Cost
from imaging.detection import Region, SalientRegion
from imaging.errors import InvalidParameter
from imaging.ops.alpha import premultiplied
from imaging.ops.geometry import PixelBox, Size, find_crop, refuse_larger, round_half_up
from imaging.params.model import Params, hint
from imaging.params.types import CropPosition, Length
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_SHARE = 2 / 3
"""Of each side, for a box around what draws the eye when no shape is asked for."""
_ROOM = Length(50, True)
"""Padding in a given shape, where none is asked for: a face with hair and shoulders."""
_ABOVE = 0.42
"""Where a face stands in a box that is higher than it: a little above the middle, as portraits have it."""
_AS_GOOD = 0.99
"""Of the most of a figure that a crop may hold: with so much, the nearer to its middle the better."""
_ENOUGH = 0.4
"""The same from above: with so much, the higher the better, as heads are on top; less may be an arm or a spire."""
_HEADROOM = 0.05
"""Of the crop's height, above a figure that is cut off below."""
_TRIED = 128
"""Places along a side."""


class SmartCropping(Params):
    """Crop around the most important part, before any other edit: faces, objects or the salient region.

    With `width` and `height`, the crop has their aspect ratio, and the result has that size. If the original is
    large enough, the crop is at least as large as the result, so that nothing is enlarged. With only one of them,
    the crop keeps the aspect ratio of the region. With neither, the result is the region with its padding, in its
    own size, as in AWS's handler.

    The setting `VISION` chooses what detects faces: Rekognition, or a model on the machine. The salient region is
    found by U²-Net if its weights are installed, and otherwise by libvips from colours and edges. A subject that
    does not fit into the crop is cut where the least of it is lost, and rather at the bottom than at the top, where
    heads are. The original is analysed once for all of its variants.
    """

    subject: Annotated[
        Literal["auto", "faces", "objects", "salient"],
        Meta(
            description="What to crop around; if there is none, the salient region. auto: faces; if there are "
            "none and Rekognition is used, objects",
            extra=hint(main=True),
        ),
    ] = "auto"
    width: (
        Annotated[int, Meta(ge=1, le=65_535, description="Width of the result", extra=hint(unit="px", usual=(1, 2000)))]
        | None
    ) = None
    height: (
        Annotated[
            int, Meta(ge=1, le=65_535, description="Height of the result", extra=hint(unit="px", usual=(1, 2000)))
        ]
        | None
    ) = None
    face_index: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=99,
                description="A single face, counted from 0: the largest first, or in Rekognition's order. Default: "
                "all faces together",
            ),
        ]
        | None
    ) = None
    padding: Annotated[
        Length | None,
        Meta(
            description="Space around the region, in pixels or in percent of its sides, as far as the image "
            "reaches. Default: 50 % if width and height are given, otherwise 0",
            extra=hint(unit="px or %"),
        ),
    ] = None

    def check(self) -> None:
        """Only faces are counted; padding is not negative."""
        if self.face_index is not None and self.subject not in ("auto", "faces"):
            raise InvalidParameter("smartCropping.faceIndex", f"left out with {self.subject}", self.face_index)
        if self.padding and self.padding.value < 0:
            code = "SmartCrop::PaddingOutOfBounds"
            raise InvalidParameter("smartCropping.padding", "0 or more", self.padding, code=code)


def _result(requested: SmartCropping, size: Size, _overlay: Size) -> Size:
    """The size that is asked for; of one side the other follows, about as in the whole picture."""
    width = requested.width or round_half_up(size[0] * (requested.height or size[1]) / size[1])
    return (max(1, width), max(1, requested.height or round_half_up(size[1] * width / size[0])))


@feature(
    SmartCropping,
    group="geometry",
    cost=lambda _wanted, _shape: Cost(0.02, 2, base_seconds=1.6, base_memory=300_000_000),
    reads="neighbours",
    size=_result,
    expensive=True,
    billed=True,
)
def smart_cropping(picture: Picture, requested: SmartCropping, context: Context) -> Picture:
    seen, is_face = _subject(requested, context)
    region = seen.region if isinstance(seen, SalientRegion) else seen
    region = _in_view(region, picture.view) if region is not None else None
    room = (picture.width, picture.height)
    if region is None:
        # Only the pixels can say, and they are read more than once.
        picture = picture.materialized()
        box = _eye_catcher(picture, _shape(requested, room))
    else:
        box = _around(region, requested, room, _ABOVE if is_face else 0.5)
        if isinstance(seen, SalientRegion) and requested.width and requested.height:
            box = _fullest(box, seen, region, picture)
    return _sized(box.cut(picture), requested, context)


def _in_view(region: Region, view: tuple[float, float, float, float]) -> Region | None:
    """A part of the original as a part of what is shown of it; None where it is not shown."""
    left, top, width, height = view
    across = sorted(((region.left - left) / width, (region.left + region.width - left) / width))
    down = sorted(((region.top - top) / height, (region.top + region.height - top) / height))
    return Region.clamped(across[0], down[0], across[1] - across[0], down[1] - down[0])


def _subject(requested: SmartCropping, context: Context) -> tuple[Region | SalientRegion | None, bool]:
    """What matters, and whether it is faces; None where nothing was found that has edges."""
    vision = context.vision
    if requested.subject in ("auto", "faces"):
        faces = vision.faces()
        if faces:
            return _chosen(faces, requested.face_index), True
    if requested.subject == "objects" or (requested.subject == "auto" and vision.finds_objects):
        things = vision.objects()
        if things:
            return _union(things), False
    return vision.salient(), False


def _chosen(faces: tuple[Region, ...], index: int | None) -> Region:
    if index is None:
        return _union(faces)
    if index >= len(faces):
        expected = f"from 0 to {len(faces) - 1}: that many faces are there"
        raise InvalidParameter("smartCropping.faceIndex", expected, index, code="SmartCrop::FaceIndexOutOfRange")
    return faces[index]


def _union(regions: tuple[Region, ...]) -> Region:
    left, top = min(region.left for region in regions), min(region.top for region in regions)
    right = max(region.left + region.width for region in regions)
    bottom = max(region.top + region.height for region in regions)
    return Region(left, top, right - left, bottom - top)


def _around(region: Region, requested: SmartCropping, room: Size, above: float) -> PixelBox:
    """The region with its padding, as large and of such a shape as was asked for, within the picture."""
    padding = (
        requested.padding
        if requested.padding is not None
        else _ROOM
        if requested.width and requested.height
        else Length(0)
    )
    left, right = _span(region.left, region.width, room[0], padding)
    top, bottom = _span(region.top, region.height, room[1], padding)
    if not (requested.width and requested.height):
        return PixelBox(left, top, right - left, bottom - top)
    width, height = _shaped((right - left, bottom - top), (requested.width, requested.height), room)
    # The middle of what matters, not of what is left of its padding at an edge of the picture.
    across = (region.left + region.width / 2) * room[0] - width / 2
    down = (region.top + region.height / 2) * room[1] - height * above
    return PixelBox(_within(across, width, room[0]), _within(down, height, room[1]), width, height)


def _span(start: float, length: float, whole: int, padding: Length) -> tuple[int, int]:
    """First and last pixel of a share of a side, with padding on both, clamped to the side; at least one pixel."""
    pixels = padding.of(round_half_up(length * whole))
    first = min(max(0, int(start * whole) - pixels), whole - 1)
    return first, max(first + 1, min(whole, round_half_up((start + length) * whole) + pixels))


def _shaped(least: Size, asked: Size, room: Size) -> Size:
    """The smallest size of the asked proportions that holds `least` and the asked pixels, as far as there is room."""
    scale = max(least[0] / asked[0], least[1] / asked[1], 1.0)
    scale = min(scale, room[0] / asked[0], room[1] / asked[1])
    width, height = round_half_up(asked[0] * scale), round_half_up(asked[1] * scale)
    return (min(max(1, width), room[0]), min(max(1, height), room[1]))


def _within(start: float, length: int, whole: int) -> int:
    return max(0, min(round_half_up(start), whole - length))


def _fullest(box: PixelBox, figure: SalientRegion, region: Region, picture: Picture) -> PixelBox:
    """A box of that size where it holds most of the figure, or its head, if the whole is too large for it.

    The sides are sought one after the other: too small for the figure in one direction, a box is as long as the picture
    in the other.
    """
    left, top, across, down = picture.view
    if box.width < region.width * picture.width:
        held = _held(figure.across, (left, across), box.width, picture.width)
        most = max(held.values()) * _AS_GOOD
        box = box._replace(left=min((at for at in held if held[at] >= most), key=lambda at: abs(at - box.left)))
    if box.height < region.height * picture.height:
        held = _held(figure.down, (top, down), box.height, picture.height)
        most = max(held.values()) * _ENOUGH
        highest = _within(region.top * picture.height - _HEADROOM * box.height, box.height, picture.height)
        box = box._replace(top=max(highest, min(at for at in held if held[at] >= most)))
    return box


def _held(reached: tuple[float, ...], view: tuple[float, float], length: int, whole: int) -> dict[int, float]:
    """What a window of that length holds of the figure, by where it starts."""
    places = {round_half_up(step * (whole - length) / _TRIED) for step in range(_TRIED + 1)}
    ends = {at: [_before(reached, view[0] + view[1] * end / whole) for end in (at, at + length)] for at in places}
    return {at: abs(last - first) for at, (first, last) in sorted(ends.items())}


def _before(reached: tuple[float, ...], place: float) -> float:
    """The share that lies before a place of the original, 0 to 1, between two lines in proportion."""
    at = min(max(place, 0.0), 1.0) * (len(reached) - 1)
    line = min(int(at), len(reached) - 2)
    return reached[line] + (reached[line + 1] - reached[line]) * (at - line)


def _shape(requested: SmartCropping, room: Size) -> Size:
    """The size of a box around what draws the eye: the largest of the asked shape, or a share of the picture."""
    if requested.width and requested.height:
        return _shaped(room, (requested.width, requested.height), room)
    return (max(1, round_half_up(room[0] * _SHARE)), max(1, round_half_up(room[1] * _SHARE)))


def _eye_catcher(picture: Picture, size: Size) -> PixelBox:
    return PixelBox(*find_crop(picture, size, CropPosition("attention")), *size)


def _sized(picture: Picture, requested: SmartCropping, context: Context) -> Picture:
    """The crop in the asked size; of one side the other follows."""
    if not requested.width and not requested.height:
        return picture
    width = requested.width or max(1, round_half_up(picture.width * (requested.height or 1) / picture.height))
    height = requested.height or max(1, round_half_up(picture.height * width / picture.width))
    refuse_larger("smartCropping.width", (width, height), picture.frames, context)
    across, down = width / picture.width, height / picture.height
    return picture.each_frame(lambda frame: premultiplied(frame, lambda image: image.resize(across, vscale=down)))

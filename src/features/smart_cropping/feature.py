"""Crop around the most important part, before any other edit: faces, objects or the salient region."""

from __future__ import annotations

from features.smart_cropping.parameters import SmartCropping
from imaging.context import Context
from imaging.cost import Cost
from imaging.detection import Region, SalientRegion
from imaging.errors import InvalidParameter
from imaging.ops.alpha import premultiplied
from imaging.ops.geometry import PixelBox, Size, find_crop, refuse_larger, round_half_up
from imaging.params.types import CropPosition, Length
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_SHARE = 2 / 3
"""Fraction of each side that a crop around the most interesting part keeps if no size is given."""
_ROOM = Length(50, True)
"""Default padding if width and height are given: it shows a face with hair and shoulders."""
_ABOVE = 0.42
"""Height at which a face is placed in a taller crop, as a fraction: slightly above the middle, as in portraits."""
_AS_GOOD = 0.99
"""Crops that contain this fraction of the best one's share of the subject count as equal; the most central is used."""
_ENOUGH = 0.4
"""The same for the vertical axis, where the highest crop is used because heads are at the top.

A crop that contains less may show only an arm or a spire."""
_HEADROOM = 0.05
"""Space above a subject that is cut at the bottom, as a fraction of the crop's height."""
_TRIED = 128
"""Number of positions that are tried on each axis."""


def _result(requested: SmartCropping, size: Size, _overlay: Size) -> Size:
    """Return the requested size; a missing side is estimated from the aspect ratio of the whole image."""
    width = requested.width or round_half_up(size[0] * (requested.height or size[1]) / size[1])
    return (max(1, width), max(1, requested.height or round_half_up(size[1] * width / size[0])))


@feature(
    SmartCropping,
    group="geometry",
    cost=lambda _requested, _shape: Cost(0.02, 2, base_seconds=1.6, base_memory=300_000_000),
    reads="neighbours",
    size=_result,
    expensive=True,
    billed=True,
    keeps_gain_map=True,
)
def smart_cropping(picture: Picture, requested: SmartCropping, context: Context) -> Picture:
    seen, is_face = _subject(requested, context)
    region = seen.region if isinstance(seen, SalientRegion) else seen
    region = _in_view(region, picture.view) if region is not None else None
    room = (picture.width, picture.height)
    if region is None:
        # libvips searches the pixels, which reads them more than once.
        picture = picture.materialized()
        box = _most_interesting_box(picture, _shape(requested, room))
    else:
        is_placed = requested.zoom or requested.place_x is not None or requested.place_y is not None
        above = _ABOVE if is_face else 0.5
        box = _around(region, requested, room, above)
        if is_placed:
            box = _placed(region, requested, room, (box.width, box.height), above)
        elif isinstance(seen, SalientRegion) and requested.width and requested.height:
            box = _fullest(box, seen, region, picture)
    return _sized(box.cut(picture), requested, context)


def _in_view(region: Region, view: tuple[float, float, float, float]) -> Region | None:
    """Convert a region of the original to a region of the visible part; None if it is not visible."""
    left, top, width, height = view
    across = sorted(((region.left - left) / width, (region.left + region.width - left) / width))
    down = sorted(((region.top - top) / height, (region.top + region.height - top) / height))
    return Region.clamped(across[0], down[0], across[1] - across[0], down[1] - down[0])


def _subject(requested: SmartCropping, context: Context) -> tuple[Region | SalientRegion | None, bool]:
    """Return what to crop around and whether it is faces; None if no detector found anything."""
    vision = context.vision
    may_be_object = requested.subject == "objects" or (requested.subject == "auto" and vision.finds_objects)
    # Objects that are named come before faces, and faces before the most prominent objects.
    if requested.labels and may_be_object and (named := _labelled(requested.labels, context)):
        return _union(named), False
    if requested.subject in ("auto", "faces"):
        faces = vision.faces()
        if faces:
            return _chosen(faces, requested.face_index), True
    if may_be_object and not requested.labels:
        objects = vision.objects()
        if objects:
            return _union(objects), False
    return vision.salient(), False


def _labelled(labels: tuple[str, ...], context: Context) -> tuple[Region, ...]:
    """Return the objects that have one of these labels, themselves or by a class above it."""
    named = {name.casefold() for name in labels}
    found = context.vision.find("objects", range(context.page, context.page + 1), None)
    return tuple(each.region for each in found if named & {name.casefold() for name in (each.name, *each.above)})


def _chosen(faces: tuple[Region, ...], index: int | None) -> Region:
    if index is None:
        return _union(faces)
    if index >= len(faces):
        expected = f"from 0 to {len(faces) - 1}, because {len(faces)} faces were detected"
        raise InvalidParameter("smartCropping.faceIndex", expected, index, code="SmartCrop::FaceIndexOutOfRange")
    return faces[index]


def _union(regions: tuple[Region, ...]) -> Region:
    left, top = min(region.left for region in regions), min(region.top for region in regions)
    right = max(region.left + region.width for region in regions)
    bottom = max(region.top + region.height for region in regions)
    return Region(left, top, right - left, bottom - top)


def _around(region: Region, requested: SmartCropping, room: Size, above: float) -> PixelBox:
    """Return the crop: the region with its padding, extended to the requested aspect ratio and size."""
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
    # The crop is centred on the region itself, because its padding may be cut at an edge of the image.
    across = (region.left + region.width / 2) * room[0] - width / 2
    down = (region.top + region.height / 2) * room[1] - height * above
    return PixelBox(_within(across, width, room[0]), _within(down, height, room[1]), width, height)


def _placed(region: Region, requested: SmartCropping, room: Size, size: Size, above: float) -> PixelBox:
    """Return the crop of which the subject takes the share, and in which it stands where it is meant to.

    `size` is that of the crop without a share, and `above` the height at which the subject's middle then is.
    """
    width, height = region.width * room[0], region.height * room[1]
    if requested.zoom is not None:
        target = (requested.width, requested.height) if requested.width and requested.height else (width, height)
        # The scale at which the subject takes that share of one side, and no more of the other.
        scale = max(width / target[0], height / target[1]) * 100 / requested.zoom
        scale = min(scale, room[0] / target[0], room[1] / target[1])
        size = (
            min(room[0], max(1, round_half_up(target[0] * scale))),
            min(room[1], max(1, round_half_up(target[1] * scale))),
        )
    left = region.left * room[0] + width / 2 - size[0] / 2
    top = region.top * room[1] + height / 2 - size[1] * above
    if requested.place_x is not None:
        left = region.left * room[0] - (size[0] - width) * requested.place_x / 100
    if requested.place_y is not None:
        top = region.top * room[1] - (size[1] - height) * requested.place_y / 100
    return PixelBox(_within(left, size[0], room[0]), _within(top, size[1], room[1]), *size)


def _span(start: float, length: float, whole: int, padding: Length) -> tuple[int, int]:
    """Return the first and last pixel of a span with padding on both sides, within the side; at least one pixel."""
    pixels = padding.of(round_half_up(length * whole))
    first = min(max(0, int(start * whole) - pixels), whole - 1)
    return first, max(first + 1, min(whole, round_half_up((start + length) * whole) + pixels))


def _shaped(content: Size, target: Size, room: Size) -> Size:
    """Return the smallest size with the aspect ratio of `target` that holds it and `content`, limited by `room`."""
    scale = max(content[0] / target[0], content[1] / target[1], 1.0)
    scale = min(scale, room[0] / target[0], room[1] / target[1])
    width, height = round_half_up(target[0] * scale), round_half_up(target[1] * scale)
    return (min(max(1, width), room[0]), min(max(1, height), room[1]))


def _within(start: float, length: int, whole: int) -> int:
    return max(0, min(round_half_up(start), whole - length))


def _fullest(box: PixelBox, figure: SalientRegion, region: Region, picture: Picture) -> PixelBox:
    """Move a box that is too small for the figure to where it contains most of it, and its top.

    Each axis is searched by itself: a box that is too small for the figure on one axis spans the whole image on the
    other.
    """
    left, top, across, down = picture.view
    if box.width < region.width * picture.width:
        held = _held(figure.across, (left, across), box.width, picture.width)
        enough = max(held.values()) * _AS_GOOD
        box = box._replace(left=min((at for at in held if held[at] >= enough), key=lambda at: abs(at - box.left)))
    if box.height < region.height * picture.height:
        held = _held(figure.down, (top, down), box.height, picture.height)
        enough = max(held.values()) * _ENOUGH
        highest = _within(region.top * picture.height - _HEADROOM * box.height, box.height, picture.height)
        box = box._replace(top=max(highest, min(at for at in held if held[at] >= enough)))
    return box


def _held(reached: tuple[float, ...], view: tuple[float, float], length: int, whole: int) -> dict[int, float]:
    """Return for each start of a window of this length the share of the figure inside it."""
    places = {round_half_up(step * (whole - length) / _TRIED) for step in range(_TRIED + 1)}
    ends = {at: [_before(reached, view[0] + view[1] * end / whole) for end in (at, at + length)] for at in places}
    return {at: abs(last - first) for at, (first, last) in sorted(ends.items())}


def _before(reached: tuple[float, ...], place: float) -> float:
    """Return the share of the figure before a place of the original, 0 to 1, interpolated between two lines."""
    at = min(max(place, 0.0), 1.0) * (len(reached) - 1)
    line = min(int(at), len(reached) - 2)
    return reached[line] + (reached[line + 1] - reached[line]) * (at - line)


def _shape(requested: SmartCropping, room: Size) -> Size:
    """Return the size of a crop around the most interesting part: as large as possible, or 2/3 without a given size."""
    if requested.width and requested.height:
        return _shaped(room, (requested.width, requested.height), room)
    return (max(1, round_half_up(room[0] * _SHARE)), max(1, round_half_up(room[1] * _SHARE)))


def _most_interesting_box(picture: Picture, size: Size) -> PixelBox:
    return PixelBox(*find_crop(picture, size, CropPosition("attention")), *size)


def _sized(picture: Picture, requested: SmartCropping, context: Context) -> Picture:
    """Return the crop in the requested size; a missing side is computed from its aspect ratio."""
    if not requested.width and not requested.height:
        return picture
    width = requested.width or max(1, round_half_up(picture.width * (requested.height or 1) / picture.height))
    height = requested.height or max(1, round_half_up(picture.height * width / picture.width))
    refuse_larger("smartCropping.width", (width, height), picture.frames, context)
    across, down = width / picture.width, height / picture.height
    return picture.each_frame(lambda frame: premultiplied(frame, lambda image: image.resize(across, vscale=down)))

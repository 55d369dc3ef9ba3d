"""The size of the overlay of `watermark`."""

from __future__ import annotations

import pyvips

from features.watermark.parameters import Watermark
from imaging.ops.geometry import round_half_up
from imaging.ops.overlay import Size


def find_size(requested: Watermark, room: Size, full: Size) -> Size:
    """Return the size of the overlay: the given shares of the image, or its own size, reduced to fit the image."""
    if requested.box_width or requested.box_height:
        return _size_in_box(requested, room, full)
    if requested.anchor is not None:
        return _size_by_rules(requested, room, full)
    shares = [
        max(1, int(share * space / 100)) / side
        for share, space, side in ((requested.width, room[0], full[0]), (requested.height, room[1], full[1]))
        if share is not None
    ]
    scale = min(shares or [1.0, room[0] / full[0], room[1] / full[1]])
    return (max(1, round(full[0] * scale)), max(1, round(full[1] * scale)))


def _box(requested: Watermark, room: Size) -> tuple[int | None, int | None]:
    """Return width and height of the box that the overlay is resized to, None for a side that is left out."""
    lengths = zip((requested.box_width, requested.box_height), room, strict=True)
    width, height = (max(1, length.of(side)) if length else None for length, side in lengths)
    return width, height


def _size_in_box(requested: Watermark, room: Size, full: Size) -> Size:
    """Return the size in or around a box, or that of the box itself."""
    box = _box(requested, room)
    scales = [side / own for side, own in zip(box, full, strict=True) if side is not None]
    if requested.box_fit == "fill" and len(scales) == 2:
        return (max(1, round(full[0] * scales[0])), max(1, round(full[1] * scales[1])))
    bounds = {"cover": max(scales), "contain": min(scales)}
    scale = bounds.get(requested.box_fit, min(1.0, *scales))
    return (max(1, round_half_up(full[0] * scale)), max(1, round_half_up(full[1] * scale)))


def cut_to_box(mark: pyvips.Image, requested: Watermark, room: Size) -> pyvips.Image:
    """Return the middle of an overlay that covers its box."""
    if requested.box_fit != "cover" or not (requested.box_width or requested.box_height):
        return mark
    box = _box(requested, room)
    width, height = (min(side or own, own) for side, own in zip(box, (mark.width, mark.height), strict=True))
    return mark.crop((mark.width - width) // 2, (mark.height - height) // 2, width, height)


def _size_by_rules(requested: Watermark, room: Size, full: Size) -> Size:
    """Return the size by imgproxy's rules: the given shares, or the overlay's own size."""
    shares = [
        side / max(1, round(space * share / 100))
        for share, space, side in ((requested.width, room[0], full[0]), (requested.height, room[1], full[1]))
        if share is not None
    ]
    scale = 1 / max(shares or [1.0])
    return (max(1, round_half_up(full[0] * scale)), max(1, round_half_up(full[1] * scale)))

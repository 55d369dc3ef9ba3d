"""Cut out a part of the original, before any resize."""

from __future__ import annotations

from features._area import Area, cost, cut, reads, result
from features._feature import feature
from features._picture import Picture
from features._ports import Context


class Crop(Area):
    """Cut out a part of the original, before any resize."""


@feature(Crop, group="geometry", cost=cost, reads=reads, size=result)
def crop(picture: Picture, wanted: Crop, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    return cut(picture, wanted)

"""Cut out a part of the original, before any resize."""

from __future__ import annotations

from imaging.context import Context
from imaging.ops.area import Area, cost, cut, reads, result
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Crop(Area):
    """Cut out a part of the original, before any resize."""


@feature(Crop, group="geometry", cost=cost, reads=reads, size=result)
def crop(picture: Picture, requested: Crop, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    return cut(picture, requested)

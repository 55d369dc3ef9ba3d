"""Cut out a part of what the resize left."""

from __future__ import annotations

from features._area import Area, cost, cut, reads, result
from features._feature import feature
from features._picture import Picture
from features._ports import Context


class Extract(Area):
    """Cut out a part of what the resize left."""


@feature(Extract, group="geometry", cost=cost, reads=reads, size=result)
def extract(picture: Picture, wanted: Extract, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    return cut(picture, wanted)

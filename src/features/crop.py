"""Crop a region of the original, before any resize."""

from __future__ import annotations

from imaging.context import Context
from imaging.ops.area import Area, area_cost, area_is_fixed, area_reads, area_size, cut_area
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Crop(Area):
    """Crop a region of the original, before any resize."""


@feature(
    Crop,
    group="geometry",
    cost=area_cost,
    reads=area_reads,
    size=area_size,
    any_color_space=area_is_fixed,
    keeps_gain_map=True,
)
def crop(picture: Picture, requested: Crop, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    return cut_area(picture, requested)

"""Distribute the levels of each channel evenly over the full range (histogram equalisation)."""

from __future__ import annotations

import pyvips

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.ops.alpha import beside_alpha
from imaging.params.model import Params
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Equalise(Params):
    """Distribute the levels of each channel evenly over the full range (histogram equalisation)."""


@feature(Equalise, group="colour", cost=each_pixel(0.015), reads="whole")
def equalise(picture: Picture, requested: Equalise, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    picture = picture.materialized()
    return picture.with_image(beside_alpha(picture.image, _even))


def _even(image: pyvips.Image) -> pyvips.Image:
    """Each level becomes (c - c₀) / (n - c₀) of the range: c pixels are at most as bright, c₀ have the lowest level."""
    count = image.width * image.height
    most = 65_535 if image.format == "ushort" else 255
    up_to = image.hist_find().hist_cum()
    tables = []
    for channel in up_to.bandsplit():
        lowest = next(number for number in channel.tolist()[0] if number)
        # One level alone stays what it is.
        even = (channel - lowest) * (most / (count - lowest)) if lowest < count else pyvips.Image.xyz(most + 1, 1)[0]
        tables.append(even.rint().cast(image.format))
    table, *others = tables
    for other in others:
        table = table.bandjoin(other)
    # The result of a table is interpreted as the table is.
    return image.maplut(table).copy(interpretation=image.interpretation)

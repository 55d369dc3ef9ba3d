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
    return picture.with_image(beside_alpha(picture.image, _equalised))


def _equalised(image: pyvips.Image) -> pyvips.Image:
    """Return the image with equalised channels.

    Of n pixels, c are at most as bright as a level and c₀ have the lowest level that occurs. Each level becomes
    (c - c₀) / (n - c₀) of the full range.
    """
    count = image.width * image.height
    maximum = 65_535 if image.format == "ushort" else 255
    cumulative = image.hist_find().hist_cum()
    tables = []
    for channel in cumulative.bandsplit():
        lowest = next(number for number in channel.tolist()[0] if number)
        # A channel with a single level is not changed.
        if lowest < count:
            equalised = (channel - lowest) * (maximum / (count - lowest))
        else:
            equalised = pyvips.Image.xyz(maximum + 1, 1)[0]
        tables.append(equalised.rint().cast(image.format))
    table, *others = tables
    for other in others:
        table = table.bandjoin(other)
    # maplut takes the interpretation of the table; the image's own is restored.
    return image.maplut(table).copy(interpretation=image.interpretation)

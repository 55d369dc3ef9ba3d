"""Local contrast."""

from __future__ import annotations

from typing import Annotated

import pyvips
from msgspec import Meta

from features._alpha import beside_alpha
from features._cost import Cost, Shape
from features._errors import InvalidParameter
from features._feature import Params, feature, hint
from features._geometry import refuse_wider_window
from features._picture import Picture
from features._ports import Context


class Clahe(Params):
    """Bring out detail in dark and in light parts (contrast limited adaptive histogram equalisation)."""

    width: Annotated[int, Meta(ge=1, le=65_535, description="Of the window", extra=hint(unit="px"))]
    height: Annotated[int, Meta(ge=1, le=65_535, description="Of the window", extra=hint(unit="px"))]
    max_slope: Annotated[int, Meta(ge=0, le=100, description="Most that contrast grows; 0: without limit")] = 3


def _cost(wanted: Clahe, _shape: Shape) -> Cost:
    return Cost(0.65 + 0.005 * wanted.height, 2)


@feature(Clahe, group="colour", cost=_cost, reads="whole")
def clahe(picture: Picture, wanted: Clahe, context: Context) -> Picture:
    for name, asked, room in (("width", wanted.width, picture.width), ("height", wanted.height, picture.height)):
        if asked > room:
            raise InvalidParameter(f"clahe.{name}", f"at most the picture's own, {room}", asked)
    refuse_wider_window("clahe.height", wanted.height, picture, context, work=wanted.height)

    def local(image: pyvips.Image) -> pyvips.Image:
        # libvips counts levels of eight bits alone.
        eight = image.msb() if image.format == "ushort" else image
        made = eight.hist_local(wanted.width, wanted.height, max_slope=wanted.max_slope)
        return (made * 257).cast("ushort").copy(interpretation=image.interpretation) if eight is not image else made

    return picture.materialized().each_frame(lambda frame: beside_alpha(frame, local))

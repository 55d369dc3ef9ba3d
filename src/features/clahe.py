"""Enhance local contrast in dark and bright areas (contrast limited adaptive histogram equalisation)."""

from __future__ import annotations

from typing import Annotated

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import Cost, Shape
from imaging.errors import InvalidParameter
from imaging.ops.alpha import beside_alpha
from imaging.ops.geometry import refuse_wider_window
from imaging.params.model import Params, hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Clahe(Params):
    """Enhance local contrast in dark and bright areas (contrast limited adaptive histogram equalisation)."""

    width: Annotated[
        int, Meta(ge=1, le=65_535, description="Width of the window; at most the image's", extra=hint(unit="px"))
    ]
    height: Annotated[
        int, Meta(ge=1, le=65_535, description="Height of the window; at most the image's", extra=hint(unit="px"))
    ]
    max_slope: Annotated[int, Meta(ge=0, le=100, description="Limit of the contrast; 0: no limit")] = 3


def _cost(requested: Clahe, _shape: Shape) -> Cost:
    return Cost(0.65 + 0.005 * requested.height, 2)


@feature(Clahe, group="colour", cost=_cost, reads="whole")
def clahe(picture: Picture, requested: Clahe, context: Context) -> Picture:
    for name, window, side in (("width", requested.width, picture.width), ("height", requested.height, picture.height)):
        if window > side:
            raise InvalidParameter(f"clahe.{name}", f"at most the image's {name}, {side}", window)
    refuse_wider_window("clahe.height", requested.height, picture, context, work=requested.height)

    def equalise(image: pyvips.Image) -> pyvips.Image:
        # The histograms of libvips's hist_local have 8-bit levels.
        bytes_only = image.msb() if image.format == "ushort" else image
        equalised = bytes_only.hist_local(requested.width, requested.height, max_slope=requested.max_slope)
        if bytes_only is image:
            return equalised
        return (equalised * 257).cast("ushort").copy(interpretation=image.interpretation)

    return picture.materialized().each_frame(lambda frame: beside_alpha(frame, equalise))

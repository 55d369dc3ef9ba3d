"""Give each pixel the median of those around it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from features._alpha import premultiplied
from features._cost import Cost, Shape
from features._errors import InvalidParameter
from features._feature import Params, feature, hint
from features._geometry import refuse_wider_window
from features._picture import Picture
from features._ports import Context


class Median(Params):
    """Give each pixel the median of those around it: specks go, edges stay."""

    size: Annotated[
        int, Meta(ge=1, le=1000, description="Side of the square that is looked at", extra=hint(main=True, unit="px"))
    ] = 3


_SORTED = 2.5
"""What one of 16 bits costs: libvips sorts them, and counts only those of 8."""


def _cost(wanted: Median, shape: Shape) -> Cost:
    return Cost(0.15 + 0.0035 * wanted.size if shape.sample == 1 else 0.03 * wanted.size**2, 1)


@feature(Median, group="effect", cost=_cost, reads="neighbours")
def median(picture: Picture, wanted: Median, context: Context) -> Picture:
    shorter = min(picture.width, picture.height)
    if wanted.size > shorter:
        raise InvalidParameter("median.size", f"at most the picture's shorter side, {shorter}", wanted.size)
    work = wanted.size if picture.image.format == "uchar" else _SORTED * wanted.size**2
    refuse_wider_window("median.size", wanted.size, picture, context, work=work)
    return picture.each_frame(lambda frame: premultiplied(frame, lambda image: image.median(wanted.size)))

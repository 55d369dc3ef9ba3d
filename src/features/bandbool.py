"""Join the bits of all channels."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from features._cost import each_pixel
from features._feature import Params, feature, hint
from features._picture import Picture
from features._ports import Context


class Bandbool(Params):
    """Join the bits of all channels, alpha too, into one: a grey picture."""

    operator: Annotated[Literal["and", "or", "eor"], Meta(description="How; eor: exclusive or", extra=hint(main=True))]


@feature(Bandbool, group="colour", cost=each_pixel(0.002))
def bandbool(picture: Picture, wanted: Bandbool, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    grey = "grey16" if picture.image.format == "ushort" else "b-w"
    return picture.with_image(picture.image.bandbool(wanted.operator).copy(interpretation=grey))

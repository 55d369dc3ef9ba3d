"""Combine the bits of all channels, alpha included, into one greyscale channel."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.params.model import Params, hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Bandbool(Params):
    """Combine the bits of all channels, alpha included, into one greyscale channel."""

    operator: Annotated[
        Literal["and", "or", "eor"], Meta(description="Bitwise operator; eor: exclusive or", extra=hint(main=True))
    ]


@feature(Bandbool, group="colour", cost=each_pixel(0.002))
def bandbool(picture: Picture, requested: Bandbool, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    grey = "grey16" if picture.image.format == "ushort" else "b-w"
    return picture.with_image(picture.image.bandbool(requested.operator).copy(interpretation=grey))

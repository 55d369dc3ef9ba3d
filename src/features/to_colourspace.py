"""Convert to colour or greyscale, with 8 or 16 bits per channel."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.params.model import Params, hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class ToColourspace(Params):
    """Convert to colour or greyscale, with 8 or 16 bits per channel.

    Only a TIFF is written with 16 bits, every other format with 8.
    """

    colourspace: Annotated[
        Literal["srgb", "b-w", "rgb16", "grey16"],
        Meta(
            description="srgb: colour, b-w: greyscale; rgb16 and grey16: the same with 16 bits per channel",
            extra=hint(main=True, aliases=("colorspace",)),
        ),
    ]


@feature(ToColourspace, group="colour", cost=each_pixel(0.005))
def to_colourspace(picture: Picture, requested: ToColourspace, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    return picture.with_image(picture.image.colourspace(requested.colourspace))

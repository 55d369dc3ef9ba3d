"""Extract one channel as a greyscale image."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.errors import InvalidParameter
from imaging.params.model import Params, hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_CHANNELS = ("red", "green", "blue")


class ExtractChannel(Params):
    """Extract one channel as a greyscale image."""

    channel: Annotated[
        Literal["red", "green", "blue", "alpha"],
        Meta(
            description="Channel to extract; red, green and blue of a greyscale image are equal",
            extra=hint(main=True, synonyms={"0": "red", "1": "green", "2": "blue", "3": "alpha"}),
        ),
    ]


@feature(ExtractChannel, group="colour", cost=each_pixel(0.002))
def extract_channel(picture: Picture, requested: ExtractChannel, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    image = picture.image
    if requested.channel == "alpha":
        if not picture.has_alpha:
            raise InvalidParameter(
                "extractChannel.channel", "a channel that the image has; it has no alpha channel", "alpha"
            )
        band = image[image.bands - 1]
    else:
        band = image[_CHANNELS.index(requested.channel) if image.bands > 2 else 0]
    return picture.with_image(band.copy(interpretation="grey16" if image.format == "ushort" else "b-w"))

"""Add an alpha channel if the image has none."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.params.model import Params, hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class EnsureAlpha(Params):
    """Add an alpha channel if the image has none."""

    alpha: Annotated[
        float,
        Meta(ge=0, le=1, description="Opacity of the new channel; 0: transparent, 1: opaque", extra=hint(main=True)),
    ] = 1.0


@feature(EnsureAlpha, group="colour", cost=each_pixel(0.003), adds_alpha=True)
def ensure_alpha(picture: Picture, requested: EnsureAlpha, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    if picture.has_alpha:
        return picture
    image = picture.image
    maximum = 65_535 if image.format == "ushort" else 255
    return picture.with_image(image.bandjoin(requested.alpha * maximum).cast(image.format))

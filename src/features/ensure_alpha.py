"""See to it that there is an alpha channel."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from features._cost import each_pixel
from features._feature import Params, feature, hint
from features._picture import Picture
from features._ports import Context


class EnsureAlpha(Params):
    """Give the picture an alpha channel if it has none."""

    alpha: Annotated[float, Meta(ge=0, le=1, description="0: clear, 1: opaque", extra=hint(main=True))] = 1.0


@feature(EnsureAlpha, group="colour", cost=each_pixel(0.003), adds_alpha=True)
def ensure_alpha(picture: Picture, wanted: EnsureAlpha, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    if picture.has_alpha:
        return picture
    image = picture.image
    most = 65_535 if image.format == "ushort" else 255
    return picture.with_image(image.bandjoin(wanted.alpha * most).cast(image.format))

"""Blur the whole picture."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from features._feature import Params, feature, hint
from features._picture import Picture
from features._ports import Context


class Blur(Params):
    """Blur the whole picture."""

    sigma: Annotated[
        float, Meta(ge=0.3, le=1000, description="Gaussian sigma in pixels", extra=hint(main=True, unit="px"))
    ] = 3.0


@feature(Blur, group="effect")
def blur(picture: Picture, wanted: Blur, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    return picture.each_frame(lambda frame: frame.gaussblur(wanted.sigma))

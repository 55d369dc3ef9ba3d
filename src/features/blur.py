"""Blur the whole picture."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from features._alpha import premultiplied
from features._feature import Params, feature, hint
from features._picture import Picture
from features._ports import Context
from features._softening import blurred


class Blur(Params):
    """Blur the whole picture."""

    sigma: (
        Annotated[
            float,
            Meta(
                ge=0.3,
                le=1000,
                description="Sigma of the Gaussian; nothing: a mild blur of 3 x 3 pixels",
                extra=hint(main=True, unit="px"),
            ),
        ]
        | None
    ) = None


@feature(Blur, group="effect")
def blur(picture: Picture, wanted: Blur, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    return picture.each_frame(lambda frame: premultiplied(frame, lambda image: blurred(image, wanted.sigma)))

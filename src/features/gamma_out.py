"""Brighten: each level, from 0 to 1, is raised to the power 1 / gamma."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.ops.alpha import beside_alpha
from imaging.params.model import Params, hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class GammaOut(Params):
    """Brighten: each level, from 0 to 1, is raised to the power 1 / gamma."""

    gamma: Annotated[float, Meta(ge=1, le=3, description="1 has no effect", extra=hint(main=True))] = 2.2


@feature(GammaOut, group="colour", cost=each_pixel(0.004))
def gamma_out(picture: Picture, requested: GammaOut, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    return picture.with_image(beside_alpha(picture.image, lambda image: image.gamma(exponent=requested.gamma)))

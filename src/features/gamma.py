"""Darken before the resize and brighten after it (gamma correction), which preserves fine bright detail."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.ops.alpha import beside_alpha
from imaging.params.model import Params, hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Gamma(Params):
    """Darken before the resize and brighten after it (gamma correction), which preserves fine bright detail.

    Before the resize, each level, from 0 to 1, is raised to the power gamma. After the overlays, `gammaOut`
    reverses this, with the same gamma unless you give it another.
    """

    gamma: Annotated[float, Meta(ge=1, le=3, description="Exponent; 1 has no effect", extra=hint(main=True))] = 2.2


@feature(
    Gamma, group="colour", cost=each_pixel(0.004), implies=lambda requested: ("gammaOut", {"gamma": requested.gamma})
)
def gamma(picture: Picture, requested: Gamma, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    return picture.with_image(beside_alpha(picture.image, lambda image: image.gamma(exponent=1 / requested.gamma)))

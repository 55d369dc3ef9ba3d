"""Add monochrome noise; the same seed always gives the same noise."""

from __future__ import annotations

from typing import Annotated

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.ops.alpha import beside_alpha
from imaging.ops.geometry import level_scale
from imaging.params.model import Params, hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature


class Noise(Params):
    """Add monochrome noise; the same seed always gives the same noise."""

    amount: Annotated[
        int,
        Meta(
            ge=0,
            le=255,
            description="Strength of the noise, in levels of 0 to 255; its standard deviation is amount / √12",
            extra=hint(main=True),
        ),
    ]
    seed: Annotated[int, Meta(ge=0, le=2_147_483_647, description="Seed of the random numbers")] = 0


@feature(Noise, group="effect", cost=each_pixel(0.06, 2))
def noise(picture: Picture, requested: Noise, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    if not requested.amount:
        return picture
    image = picture.image
    sigma = requested.amount / 12**0.5 * level_scale(image)
    grain = pyvips.Image.gaussnoise(image.width, image.height, sigma=sigma, mean=0, seed=requested.seed)
    return picture.with_image(beside_alpha(image, lambda pixels: (pixels + grain).rint().cast(image.format)))

"""Make colours more or less vivid; their perceived brightness is kept."""

from __future__ import annotations

from typing import Annotated

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.ops.alpha import beside_alpha
from imaging.params.model import Params, hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_WEIGHTS = [[0.299, 0.587, 0.114]]
"""Weights of squared red, green and blue in the perceived brightness (HSP colour model by Darel Rex Finley)."""


class Vividness(Params):
    """Make colours more or less vivid; their perceived brightness is kept."""

    factor: Annotated[
        float,
        Meta(
            ge=0,
            le=100,
            description="Factor of the distance from grey; 0: grey, 1 has no effect, 2: twice as vivid",
            extra=hint(main=True),
        ),
    ]


@feature(Vividness, group="colour", cost=each_pixel(0.035, 4.5))
def vividness(picture: Picture, requested: Vividness, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    if picture.image.bands < 3:
        return picture

    def change_distance(image: pyvips.Image) -> pyvips.Image:
        grey = (image * image).recomb(pyvips.Image.new_from_array(_WEIGHTS)) ** 0.5
        moved = grey + (image - grey) * requested.factor
        return moved.rint().cast(image.format).copy(interpretation=image.interpretation)

    return picture.with_image(beside_alpha(picture.image, change_distance))

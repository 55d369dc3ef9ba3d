"""Change the contrast: the distance of each level from 128 is multiplied by ((100 + amount) / 100)²."""

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


class Contrast(Params):
    """Change the contrast: the distance of each level from 128 is multiplied by ((100 + amount) / 100)²."""

    amount: Annotated[
        float,
        Meta(
            ge=-100,
            le=100,
            description="-100: uniform grey, 0 has no effect, 100: four times the contrast",
            extra=hint(main=True, unit="%"),
        ),
    ]


@feature(Contrast, group="colour", cost=each_pixel(0.006))
def contrast(picture: Picture, requested: Contrast, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    # This is the formula of Thumbor's `contrast` filter, so that its URLs give the same result.
    factor = ((100 + requested.amount) / 100) ** 2
    middle = 128.0 * (257 if picture.image.format == "ushort" else 1)

    def change_contrast(image: pyvips.Image) -> pyvips.Image:
        return image.linear([factor], [middle * (1 - factor)]).rint().cast(image.format)

    return picture.with_image(beside_alpha(picture.image, change_contrast))

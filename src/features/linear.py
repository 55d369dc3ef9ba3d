"""Multiply each level by a and add b (linear transformation)."""

from __future__ import annotations

from typing import Annotated

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import each_pixel
from imaging.errors import InvalidParameter
from imaging.ops.alpha import beside_alpha
from imaging.ops.geometry import level_scale
from imaging.params.model import Params, hint
from imaging.params.types import Numbers
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_GIVEN = (1, 3, 4)


class Linear(Params):
    """Multiply each level by a and add b (linear transformation).

    Each of them is one number for all channels, three for red, green and blue, or four with alpha.
    """

    a: Annotated[Numbers, Meta(examples=["1.2"], description="Factors", extra=hint(main=True))] = Numbers(1)
    b: Annotated[Numbers, Meta(examples=["10,0,-10"], description="Summands, in levels of 0 to 255")] = Numbers(0)

    def check(self) -> None:
        """As many numbers as there are channels."""
        for name, numbers in (("a", self.a), ("b", self.b)):
            if len(numbers) not in _GIVEN:
                raise InvalidParameter(f"linear.{name}", "1, 3 or 4 numbers", numbers)


@feature(Linear, group="colour", cost=each_pixel(0.01))
def linear(picture: Picture, requested: Linear, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    image = picture.image
    most = max(len(requested.a), len(requested.b))
    if most > 1 and image.bands < 3:
        image = image.colourspace("rgb16" if image.format == "ushort" else "srgb")
    if most == 4 and not image.hasalpha():
        image = image.addalpha()
    a, b = (_for_all(numbers, most, alpha) for numbers, alpha in ((requested.a, 1.0), (requested.b, 0.0)))
    added = [level * level_scale(image) for level in b]

    def stretched(pixels: pyvips.Image) -> pyvips.Image:
        if pixels.format == "uchar":
            return pixels.linear(a, added, uchar=True)
        return pixels.linear(a, added).rint().cast(pixels.format)

    return picture.with_image(stretched(image) if most == 4 else beside_alpha(image, stretched))


def _for_all(numbers: Numbers, most: int, alpha: float) -> list[float]:
    """As many numbers as the other parameter has; what says nothing of alpha leaves it alone."""
    if len(numbers) == 1 and most > 1:
        numbers = Numbers(*numbers * 3)
    return [*numbers, *([alpha] if len(numbers) < most else [])]

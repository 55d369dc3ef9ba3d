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

_COUNTS = (1, 3, 4)


class Linear(Params):
    """Multiply each level by a and add b (linear transformation).

    Each of them is one number for all channels, three for red, green and blue, or four with alpha.
    """

    a: Annotated[Numbers, Meta(examples=["1.2"], description="Factors", extra=hint(main=True))] = Numbers(1)
    b: Annotated[Numbers, Meta(examples=["10,0,-10"], description="Summands, in levels of 0 to 255")] = Numbers(0)

    def check(self) -> None:
        """Raise InvalidParameter unless a and b have 1, 3 or 4 numbers."""
        for name, numbers in (("a", self.a), ("b", self.b)):
            if len(numbers) not in _COUNTS:
                raise InvalidParameter(f"linear.{name}", "1, 3 or 4 numbers", numbers)


@feature(Linear, group="colour", cost=each_pixel(0.01))
def linear(picture: Picture, requested: Linear, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    image = picture.image
    count = max(len(requested.a), len(requested.b))
    if count > 1 and image.bands < 3:
        image = image.colourspace("rgb16" if image.format == "ushort" else "srgb")
    if count == 4 and not image.hasalpha():
        image = image.addalpha()
    a, b = (_expand(numbers, count, alpha) for numbers, alpha in ((requested.a, 1.0), (requested.b, 0.0)))
    added = [level * level_scale(image) for level in b]

    def transform(pixels: pyvips.Image) -> pyvips.Image:
        if pixels.format == "uchar":
            return pixels.linear(a, added, uchar=True)
        return pixels.linear(a, added).rint().cast(pixels.format)

    return picture.with_image(transform(image) if count == 4 else beside_alpha(image, transform))


def _expand(numbers: Numbers, count: int, alpha: float) -> list[float]:
    """Return `count` numbers: repeat a single one for each colour, and add `alpha` if its number is missing."""
    if len(numbers) == 1 and count > 1:
        numbers = Numbers(*numbers * 3)
    return [*numbers, *([alpha] if len(numbers) < count else [])]

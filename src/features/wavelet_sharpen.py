"""Sharpen details of a chosen size by an à trous wavelet, as Thumbor's `sharpen` filter does."""

from __future__ import annotations

import math
from typing import Annotated

import pyvips
from msgspec import Meta

from imaging.context import Context
from imaging.cost import Cost
from imaging.ops.alpha import beside_transparency
from imaging.params.model import Params, hint
from imaging.picture import Picture
from imaging.pipeline.feature import feature

_LEVELS = 5
_REACH = 2**_LEVELS - 1
"""Pixels to which the gaps of all levels add up."""
_LUMA = [[0.299, 0.587, 0.114]]


class WaveletSharpen(Params):
    """Sharpen details of a chosen size by an à trous wavelet, as Thumbor's `sharpen` filter does."""

    amount: Annotated[
        float,
        Meta(ge=-10, le=10, description="Strength of the sharpening; below 0: softening", extra=hint(main=True)),
    ]
    radius: Annotated[
        float, Meta(ge=-10, le=10, description="Size of the details: 0 is about 1 pixel, and each step of 1 doubles it")
    ] = 0.5
    luminance: Annotated[bool, Meta(description="Sharpen the luminance only; colours are kept")] = True


@feature(
    WaveletSharpen,
    group="effect",
    # What threads hold at least, however small the image is, is most of it for a small one.
    cost=lambda requested, _shape: Cost(*((0.065, 8) if requested.luminance else (0.14, 19)), base_memory=20_000_000),
    reads="neighbours",
    keeps_gain_map=True,
)
def wavelet_sharpen(picture: Picture, requested: WaveletSharpen, context: Context) -> Picture:  # noqa: ARG001 - every feature has one shape
    def sharpen(image: pyvips.Image) -> pyvips.Image:
        if requested.luminance and image.bands >= 3:
            luma = image.recomb(pyvips.Image.new_from_array(_LUMA))
            sharpened = image + (_sharpened(luma, requested) - luma)
        else:
            sharpened = _sharpened(image, requested)
        return sharpened.rint().cast(image.format).copy(interpretation=image.interpretation)

    return picture.each_frame(lambda frame: beside_transparency(frame, sharpen, _REACH))


def _sharpened(image: pyvips.Image, requested: WaveletSharpen) -> pyvips.Image:
    """Return the weighted sum of the details of each size and of the image without details.

    Details of level n are multiplied by 1 + amount · exp(-(n - radius)² / 1.5).
    """
    low = image.cast("float")
    total: pyvips.Image | None = None
    for level in range(_LEVELS):
        # Each level smooths with a kernel that has twice as many gaps ("à trous": with holes) as the one before; the
        # difference between two levels is the detail of one size.
        gap = [0.0] * (2**level - 1)
        hat = pyvips.Image.new_from_array([[1.0, *gap, 2.0, *gap, 1.0]], scale=4)
        lower = low.convsep(hat)
        factor = 1 + requested.amount * math.exp(-((level - requested.radius) ** 2) / 1.5)
        details = (low - lower) * factor
        total = details if total is None else total + details
        low = lower
    return low if total is None else low + total

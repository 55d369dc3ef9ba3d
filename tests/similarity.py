"""How far two pictures are apart. Differences are in levels of 255, whatever the pictures' depth."""

from __future__ import annotations

import math
from typing import Any

Image = Any
"""A pyvips image; pyvips has no types of its own."""


def mean_difference(one: Image, other: Image) -> float:
    """The mean over all pixels and bands."""
    return float(_difference(one, other).avg())


def worst_block(one: Image, other: Image, side: int = 16) -> float:
    """The mean difference in the square of `side` pixels where it is largest."""
    difference = _difference(one, other)
    grey = difference.bandmean() if difference.bands > 1 else difference
    blocks_across, blocks_down = math.ceil(grey.width / side), math.ceil(grey.height / side)
    padded = grey.embed(0, 0, blocks_across * side, blocks_down * side, extend="copy")
    return float(padded.shrink(side, side).max())


def ssim(one: Image, other: Image) -> float:
    """Mean structural similarity of the lightness, in Gaussian windows of sigma 1.5 (Wang et al., 2004); 1 is equal."""
    first, second = _levels(one).colourspace("b-w")[0], _levels(other).colourspace("b-w")[0]
    first, second = first.cast("float"), second.cast("float")

    def smooth(image: Image) -> Image:
        return image.gaussblur(1.5, min_ampl=0.01, precision="float")

    mean_1, mean_2 = smooth(first), smooth(second)
    variance_1, variance_2 = smooth(first * first) - mean_1 * mean_1, smooth(second * second) - mean_2 * mean_2
    covariance = smooth(first * second) - mean_1 * mean_2
    steady_1, steady_2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    likeness = (mean_1 * mean_2 * 2 + steady_1) * (covariance * 2 + steady_2)
    likeness = likeness / ((mean_1**2 + mean_2**2 + steady_1) * (variance_1 + variance_2 + steady_2))
    return float(likeness.avg())


def _difference(one: Image, other: Image) -> Image:
    shapes = [(image.width, image.height, image.bands) for image in (one, other)]
    assert shapes[0] == shapes[1], f"width, height, bands: {shapes[0]} and {shapes[1]}"
    return (_levels(one).cast("float") - _levels(other).cast("float")).abs()


def _levels(image: Image) -> Image:
    """The image in 255 levels."""
    return image / 257 if image.format == "ushort" else image

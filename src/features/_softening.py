"""How detail is taken out of pixels: for the features that blur and pixelate, and for what may not be seen."""

from __future__ import annotations

import math

import pyvips

_LARGE = 32.0
"""From this sigma on a reduced copy is blurred: libvips' time grows with sigma, beyond 200 out of all bounds."""
_REDUCED = 8.0
"""Sigma, about, on that copy."""


def blurred(image: pyvips.Image, sigma: float | None) -> pyvips.Image:
    """The image, which has no alpha or is premultiplied, blurred; without a sigma by 3 x 3 pixels."""
    if sigma is None:
        return image.conv(pyvips.Image.new_from_array([[1, 1, 1]] * 3, scale=9), precision="integer")
    # Beyond five times the longer side next to nothing is left but the mean of the edges.
    sigma = min(sigma, 5.0 * max(image.width, image.height))
    return image.gaussblur(sigma) if sigma < _LARGE else _blurred_small(image, sigma)


def _blurred_small(image: pyvips.Image, sigma: float) -> pyvips.Image:
    """The blur of a reduced copy, enlarged again: on average less than 1/255 from the blur itself."""
    factor = int(sigma / _REDUCED)
    margin = math.ceil(2 * sigma / factor) * factor
    size = (image.width + 2 * margin, image.height + 2 * margin)
    small = image.embed(margin, margin, *size, extend="copy").shrink(factor, factor, ceil=True)
    soft = small.gaussblur(sigma / factor, precision="float").resize(factor, kernel="linear")
    return soft.crop(margin, margin, image.width, image.height).rint().cast(image.format)


def coarse(image: pyvips.Image, size: int) -> pyvips.Image:
    """The image in squares of so many pixels, each in the mean of its colours."""
    squares = image.shrink(size, size, ceil=True).zoom(size, size)
    return squares.crop(0, 0, image.width, image.height)

"""How detail is taken out of pixels: for the features that blur and pixelate, and for what may not be seen."""

from __future__ import annotations

import math

import pyvips

LARGE_SIGMA = 32.0
"""From this sigma on a reduced copy is blurred: libvips' time grows with sigma, beyond 200 out of all bounds."""
_REDUCED = 8.0
"""Sigma, about, on that copy."""


def gaussian_blur(
    image: pyvips.Image, sigma: float | None, min_amplitude: float = 0.2, precision: str = "integer"
) -> pyvips.Image:
    """The image, which has no alpha or is premultiplied, blurred; without a sigma by 3 x 3 pixels.

    The bell is cut off where it has fallen to `min_amplitude` of its height.
    """
    if sigma is None:
        return image.conv(pyvips.Image.new_from_array([[1, 1, 1]] * 3, scale=9), precision="integer")
    # Beyond five times the longer side next to nothing is left but the mean of the edges.
    sigma = _bounded(sigma, (image.width, image.height))
    if sigma < LARGE_SIGMA:
        return image.gaussblur(sigma, min_ampl=min_amplitude, precision=precision)
    return _blurred_small(image, sigma, min_amplitude)


def _blurred_small(image: pyvips.Image, sigma: float, min_amplitude: float) -> pyvips.Image:
    """The blur of a reduced copy, enlarged again: on average less than 1/255 from the blur itself."""
    factor = int(sigma / _REDUCED)
    margin = _margin(sigma, min_amplitude)
    size = (image.width + 2 * margin, image.height + 2 * margin)
    small = image.embed(margin, margin, *size, extend="copy").shrink(factor, factor, ceil=True)
    # Held, for each part of the result is made of nearly all of it.
    soft = small.gaussblur(sigma / factor, precision="float", min_ampl=min_amplitude).copy_memory()
    return (
        soft.resize(factor, kernel="linear").crop(margin, margin, image.width, image.height).rint().cast(image.format)
    )


def _margin(sigma: float, min_amplitude: float) -> int:
    """Pixels by which a picture is continued on each side before it is reduced and blurred."""
    factor = int(sigma / _REDUCED)
    return math.ceil(max(2.0, math.sqrt(-2 * math.log(min_amplitude))) * sigma / factor) * factor


def _bounded(sigma: float, size: tuple[int, int]) -> float:
    return min(sigma, 5.0 * max(size))


def padded_pixel_ratio(size: tuple[int, int], sigma: float, min_amplitude: float) -> float:
    """How many times as many pixels as a picture has are looked at for a blur of a large sigma."""
    margin = _margin(max(LARGE_SIGMA, _bounded(sigma, size)), min_amplitude)
    return (size[0] + 2 * margin) * (size[1] + 2 * margin) / (size[0] * size[1])


def average_squares(image: pyvips.Image, size: int) -> pyvips.Image:
    """The image in squares of so many pixels, each in the mean of its colours."""
    squares = image.shrink(size, size, ceil=True).zoom(size, size)
    return squares.crop(0, 0, image.width, image.height)

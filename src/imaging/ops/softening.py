"""Blurring and pixelating, for the features of those names and for moderation."""

from __future__ import annotations

import math

import pyvips

LARGE_SIGMA = 32.0
"""The sigma from which a reduced copy is blurred: libvips' time grows with sigma, and beyond 200 without bounds."""
_REDUCED = 8.0
"""About the sigma by which the reduced copy is blurred."""


def gaussian_blur(
    image: pyvips.Image, sigma: float | None, min_amplitude: float = 0.2, precision: str = "integer"
) -> pyvips.Image:
    """Return the image blurred by a Gaussian of `sigma` pixels; without a sigma, by the mean of 3 x 3 pixels.

    The image must have no alpha or be premultiplied. The kernel ends where the Gaussian has fallen to `min_amplitude`
    of its height.
    """
    if sigma is None:
        return image.conv(pyvips.Image.new_from_array([[1, 1, 1]] * 3, scale=9), precision="integer")
    # A larger sigma than five times the longer side hardly changes the result any more.
    sigma = _bounded(sigma, (image.width, image.height))
    if sigma < LARGE_SIGMA:
        return image.gaussblur(sigma, min_ampl=min_amplitude, precision=precision)
    return _blurred_small(image, sigma, min_amplitude)


def _blurred_small(image: pyvips.Image, sigma: float, min_amplitude: float) -> pyvips.Image:
    """Return the blur of a reduced copy, enlarged again, which is less than 1/255 off the true blur on average."""
    factor = int(sigma / _REDUCED)
    margin = _margin(sigma, min_amplitude)
    size = (image.width + 2 * margin, image.height + 2 * margin)
    small = image.embed(margin, margin, *size, extend="copy").shrink(factor, factor, ceil=True)
    # In memory, because each part of the result reads nearly all of it.
    soft = small.gaussblur(sigma / factor, precision="float", min_ampl=min_amplitude).copy_memory()
    return (
        soft.resize(factor, kernel="linear").crop(margin, margin, image.width, image.height).rint().cast(image.format)
    )


def _margin(sigma: float, min_amplitude: float) -> int:
    """Return by how many pixels an image is extended on each side before it is reduced and blurred.

    That is the reach of the kernel, at least two sigma, rounded up to whole pixels of the reduced copy.
    """
    factor = int(sigma / _REDUCED)
    return math.ceil(max(2.0, math.sqrt(-2 * math.log(min_amplitude))) * sigma / factor) * factor


def _bounded(sigma: float, size: tuple[int, int]) -> float:
    return min(sigma, 5.0 * max(size))


def padded_pixel_ratio(size: tuple[int, int], sigma: float, min_amplitude: float) -> float:
    """Return the pixels that a blur of a large sigma reads, as a multiple of those of the image."""
    margin = _margin(max(LARGE_SIGMA, _bounded(sigma, size)), min_amplitude)
    return (size[0] + 2 * margin) * (size[1] + 2 * margin) / (size[0] * size[1])


def average_squares(image: pyvips.Image, size: int) -> pyvips.Image:
    """Return the image in squares of `size` x `size` pixels, each filled with the mean of its colours."""
    squares = image.shrink(size, size, ceil=True).zoom(size, size)
    return squares.crop(0, 0, image.width, image.height)

"""How similar an answer is to the lossless resize: SSIM on Y, Cb and Cr of what a viewer decodes."""

from __future__ import annotations

from typing import NamedTuple

import pyvips

from bench.pictures import Image

# BT.601, full range, as JPEG has it, with Cb and Cr around 128.
YCBCR = [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
CENTRE = [0, 128, 128]
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


class Similarity(NamedTuple):
    """Mean SSIM, 1.0 for equal planes."""

    y: float
    cb: float
    cr: float


def _planes(image: Image) -> Image:
    rgb = image.colourspace("srgb")
    rgb = rgb.flatten() if rgb.hasalpha() else rgb
    planes = rgb.extract_band(0, n=3).cast("float").recomb(YCBCR)
    return planes.linear(1, CENTRE).copy_memory()


def _mean(plane: Image) -> Image:
    # An 11 x 11 Gaussian window of sigma 1.5, as Wang et al. (2004) define SSIM.
    return plane.gaussblur(1.5, min_ampl=0.0035, precision="float")


def similarity(answer: bytes, reference: Image) -> Similarity:
    """SSIM of each plane of an encoded picture against an RGB reference of the same size."""
    a, b = _planes(pyvips.Image.new_from_buffer(answer, "")), _planes(reference)
    if (a.width, a.height) != (b.width, b.height):
        raise ValueError(f"answer must be {b.width} x {b.height}, got {a.width} x {a.height}")
    mean_a, mean_b = _mean(a), _mean(b)
    var_a = _mean(a * a) - mean_a * mean_a
    var_b = _mean(b * b) - mean_b * mean_b
    covariance = _mean(a * b) - mean_a * mean_b
    ssim = ((mean_a * mean_b * 2 + C1) * (covariance * 2 + C2)) / (
        (mean_a * mean_a + mean_b * mean_b + C1) * (var_a + var_b + C2)
    )
    return Similarity(*(ssim.extract_band(band).avg() for band in range(3)))


def lossless_resize(original: bytes, width: int) -> Image:
    """All pixels decoded (nothing shrunk on load) and resized with lanczos3 to this width in pixels."""
    image = pyvips.Image.new_from_buffer(original, "", access="sequential").colourspace("srgb")
    return image.resize(width / image.width, kernel="lanczos3", gap=0).copy_memory()

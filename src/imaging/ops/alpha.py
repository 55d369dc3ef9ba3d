"""Applies work to colours that are stored beside an alpha channel."""

from __future__ import annotations

from collections.abc import Callable

import pyvips

Work = Callable[[pyvips.Image], pyvips.Image]
_MAX_ALPHA = 255.002
"""Alpha of an opaque pixel, and what floats lose when they are divided by an alpha and multiplied by this."""
_VISIBLE = 16
"""Alpha of 8 bits from which on the colour of a pixel is exact enough to be compared with."""
_BLURRED = 4
"""Pixels that are blurred in full size; to reach further, the image is reduced before."""


def beside_alpha(image: pyvips.Image, work: Work) -> pyvips.Image:
    """Apply `work` to the colours alone, and keep the alpha channel as it is."""
    if not image.hasalpha():
        return work(image)
    return work(image[: image.bands - 1]).bandjoin(image[image.bands - 1])


def premultiplied(image: pyvips.Image, work: Work) -> pyvips.Image:
    """Apply `work` to colours premultiplied by alpha, so that transparent pixels do not affect their neighbours.

    Fractions are truncated, as in sharp: in a pixel that is almost transparent, rounding gives visibly other colours.
    """
    if not image.hasalpha():
        return work(image)
    result = work(image.premultiply().cast(image.format))
    # A full level would come out a little lower, and the cast discards fractions.
    if image.format == "uchar":
        return result.unpremultiply(max_alpha=_MAX_ALPHA).cast("uchar")
    return result.unpremultiply().cast(image.format)


def beside_transparency(image: pyvips.Image, work: Work, reach: float) -> pyvips.Image:
    """Apply `work`, which compares each pixel with others up to `reach` pixels away, to the colours alone.

    The colours of transparent pixels mean nothing, so those nearby are continued there. An edge of the visible part is
    then no edge of the colours, which sharpening would turn into a halo.
    """
    if not image.hasalpha():
        return work(image)
    return work(continued_colors(image, reach)).bandjoin(image[image.bands - 1])


def continued_colors(image: pyvips.Image, reach: float) -> pyvips.Image:
    """Return the colours of an image with alpha, continued where it is transparent up to `reach` pixels away."""
    alpha = image[image.bands - 1]
    colours = image[: image.bands - 1]
    continued = (alpha >= (_VISIBLE if image.format == "uchar" else _VISIBLE * 257)).ifthenelse(
        colours, _spread(image, reach).rint().cast(image.format)
    )
    return continued.copy(interpretation=image.interpretation)


def _spread(image: pyvips.Image, reach: float) -> pyvips.Image:
    """Return the mean colour of the visible pixels around each pixel."""
    factor = max(1, round(reach / _BLURRED))
    weighted = image.premultiply()
    small = weighted.shrink(factor, factor, ceil=True) if factor > 1 else weighted
    # To this amplitude, the Gaussian reaches three deviations.
    soft = small.gaussblur(max(0.5, reach / factor / 2), min_ampl=0.01, precision="float")
    large = soft.zoom(factor, factor).crop(0, 0, image.width, image.height) if factor > 1 else soft
    return large.unpremultiply()[: image.bands - 1]

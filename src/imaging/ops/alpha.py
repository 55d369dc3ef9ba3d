"""Applies work to colours that are stored beside an alpha channel."""

from __future__ import annotations

from collections.abc import Callable

import pyvips

Work = Callable[[pyvips.Image], pyvips.Image]


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
    return work(image.premultiply().cast(image.format)).unpremultiply().cast(image.format)

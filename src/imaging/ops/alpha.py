"""How colours and the alpha channel are worked on apart."""

from __future__ import annotations

from collections.abc import Callable

import pyvips

Work = Callable[[pyvips.Image], pyvips.Image]


def beside_alpha(image: pyvips.Image, work: Work) -> pyvips.Image:
    """Do `work` to the colours alone; alpha stays as it is."""
    if not image.hasalpha():
        return work(image)
    return work(image[: image.bands - 1]).bandjoin(image[image.bands - 1])


def premultiplied(image: pyvips.Image, work: Work) -> pyvips.Image:
    """Do `work` with each colour weighed by its alpha, so that clear pixels lend their neighbours none of theirs.

    Fractions are cut off, as in sharp: where a pixel is almost clear, rounding would make visibly other numbers.
    """
    if not image.hasalpha():
        return work(image)
    return work(image.premultiply().cast(image.format)).unpremultiply().cast(image.format)

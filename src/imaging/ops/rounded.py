"""Masks with a round edge, soft by a pixel: 255 inside, 0 outside."""

from __future__ import annotations

import pyvips

Pair = tuple[float, float]


def ellipse_mask(size: tuple[int, int], centre: Pair, radii: Pair) -> pyvips.Image:
    """An ellipse in a mask of that size."""
    offsets = pyvips.Image.xyz(*size) + [0.5 - centre[0], 0.5 - centre[1]]
    return _covered(offsets / list(radii), radii)


def rounded_rectangle_mask(size: tuple[int, int], radii: Pair) -> pyvips.Image:
    """A rectangle that fills the mask, its corners quarters of an ellipse."""
    middle = [size[0] / 2, size[1] / 2]
    core = [middle[0] - radii[0], middle[1] - radii[1]]
    beyond = (pyvips.Image.xyz(*size) + [0.5 - middle[0], 0.5 - middle[1]]).abs() - core
    return _covered((beyond > 0).ifthenelse(beyond, 0) / list(radii), radii)


def _covered(place: pyvips.Image, radii: Pair) -> pyvips.Image:
    """How much of a pixel lies inside, by its distance to the edge: (k - 1) / |grad k|, k = |place|."""
    squares = place * place
    k = (squares[0] + squares[1]) ** 0.5
    # k / |grad k|; the small numbers keep the centre, where both are nothing, deep inside.
    steep = (squares / [radii[0] ** 2, radii[1] ** 2]).bandsplit()
    distance = (k - 1) * (k + 1e-3) / ((steep[0] + steep[1]) ** 0.5 + 1e-9)
    return ((0.5 - distance) * 255).rint().cast("uchar")


def apply_mask(image: pyvips.Image, mask: pyvips.Image) -> pyvips.Image:
    """As much of the image as the mask lets through; it has alpha then."""
    image = image if image.hasalpha() else image.addalpha()
    alpha = (image[image.bands - 1] * mask / 255).rint().cast(image.format)
    return image[: image.bands - 1].bandjoin(alpha)

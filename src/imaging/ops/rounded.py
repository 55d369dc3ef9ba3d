"""Masks with round, antialiased edges: 255 inside, 0 outside, and the covered area in the pixels of the edge."""

from __future__ import annotations

import pyvips

Pair = tuple[float, float]


def ellipse_mask(size: tuple[int, int], centre: Pair, radii: Pair) -> pyvips.Image:
    """Return a mask of that size with an ellipse."""
    offsets = pyvips.Image.xyz(*size) + [0.5 - centre[0], 0.5 - centre[1]]
    return _coverage(offsets / list(radii), radii)


def rounded_rectangle_mask(size: tuple[int, int], radii: Pair) -> pyvips.Image:
    """Return a mask of that size with a rectangle that fills it; its corners are quarters of an ellipse."""
    middle = [size[0] / 2, size[1] / 2]
    core = [middle[0] - radii[0], middle[1] - radii[1]]
    # Distances to the core, which is the rectangle without its corners. Inside of the core they are 0.
    beyond = (pyvips.Image.xyz(*size) + [0.5 - middle[0], 0.5 - middle[1]]).abs() - core
    return _coverage((beyond > 0).ifthenelse(beyond, 0) / list(radii), radii)


def _coverage(position: pyvips.Image, radii: Pair) -> pyvips.Image:
    """Return how much of each pixel is inside of an ellipse, from 0 to 255.

    `position` holds x and y of each pixel's centre, divided by the radii. With k = |position|, the edge is where k = 1,
    and the distance to it in pixels is about (k - 1) / |grad k|.
    """
    squares = position * position
    k = (squares[0] + squares[1]) ** 0.5
    # 1 / |grad k| is k / steepness. Both are 0 in the centre; the small numbers make it count as far inside.
    gradient = (squares / [radii[0] ** 2, radii[1] ** 2]).bandsplit()
    steepness = (gradient[0] + gradient[1]) ** 0.5
    distance = (k - 1) * (k + 1e-3) / (steepness + 1e-9)
    return ((0.5 - distance) * 255).rint().cast("uchar")


def apply_mask(image: pyvips.Image, mask: pyvips.Image) -> pyvips.Image:
    """Return the image with its alpha channel multiplied by the mask."""
    image = image if image.hasalpha() else image.addalpha()
    alpha = (image[image.bands - 1] * mask / 255).rint().cast(image.format)
    return image[: image.bands - 1].bandjoin(alpha)

"""Layers of one colour, and shadows, for what is drawn over an image."""

from __future__ import annotations

from typing import Any

from imaging.ops.geometry import level_scale
from imaging.params.types import Color

Image = Any
"""A pyvips image; its stubs know no names of enumerations."""


def paint(coverage: Image, color: Color) -> Image:
    """Return a colour, as opaque as the coverage says, from 0 to 255."""
    plane = coverage.new_from_image(color.rgb).cast("uchar").copy(interpretation="srgb")
    alpha = coverage.linear(color.alpha, 0, uchar=True) if color.alpha < 1 else coverage
    return plane.bandjoin(alpha.copy(interpretation="b-w"))


def cast_shadow(coverage: Image, offset: tuple[float, float], blur: float) -> Image:
    """Return the coverage of a shadow: moved to the right and downwards, and blurred by a Gaussian of sigma `blur`."""
    moved = coverage.embed(round(offset[0]), round(offset[1]), coverage.width, coverage.height)
    return moved.gaussblur(blur) if blur else moved


def lay_color(frame: Image, coverage: Image, color: Color) -> Image:
    """Return a frame under a colour that is as opaque in each pixel as the coverage says, from 0 to 1.

    Porter and Duff's "over" (1984): colours are weighted by the opacity that each layer contributes.
    """
    if frame.bands < 3 and not color.grey:
        frame = frame.colourspace("rgb16" if frame.format == "ushort" else "srgb")
    scale = level_scale(frame)
    levels = [level * scale for level in color.rgb]
    colours = frame.bands - 1 if frame.hasalpha() else frame.bands
    pixels = frame[:colours]
    if not frame.hasalpha():
        laid = pixels + (coverage * -1.0) * (pixels - levels[:colours])
        return laid.rint().cast(frame.format).copy(interpretation=frame.interpretation)
    full = 255.0 * scale
    below = frame[colours] / full * (1 - coverage)
    alpha = below + coverage
    weight = (alpha > 0).ifthenelse(coverage / alpha, 0)
    laid = pixels + weight * (pixels - levels[:colours]) * -1.0
    both = laid.bandjoin(alpha * full)
    return both.rint().cast(frame.format).copy(interpretation=frame.interpretation)

"""Reduce the colours of an image, or report them; docs/quantize.md describes how they are chosen."""

from __future__ import annotations

from features.quantize.parameters import Quantize
from imaging.context import Context
from imaging.cost import Cost, Shape
from imaging.picture import Picture, Report
from imaging.pipeline.feature import feature


def _cost(requested: Quantize, _shape: Shape) -> Cost:
    tries = 0.015 * (requested.largest - requested.fewest) if requested.criterion == "silhouette" else 0.1
    return Cost(0.05, 12, base_seconds=tries)


@feature(Quantize, group="colour", cost=_cost, reads="whole", report=lambda requested: requested.palette)
def quantize(picture: Picture, requested: Quantize, context: Context) -> Picture | Report:
    # These modules import numpy and Pillow, which most requests do not need.
    from features.quantize._choice import choose  # noqa: PLC0415 - no other feature needs it
    from features.quantize._mapping import map_to_palette, report  # noqa: PLC0415 - no other feature needs it
    from features.quantize._pixels import Pixels  # noqa: PLC0415 - no other feature needs it

    picture = picture.reserve(_memory(picture, dither=requested.dither))
    pixels = Pixels.of(picture)
    choice = choose(pixels, requested, context.deadline)
    if requested.palette:
        return report(pixels, choice, context.deadline)
    return map_to_palette(picture, pixels, choice.palette, dither=requested.dither, deadline=context.deadline)


def _memory(picture: Picture, *, dither: bool) -> int:
    """Return the bytes for all pixels and their indices, and for one frame as Pillow dithers it."""
    frame = picture.width * picture.height
    return frame * picture.frames * (picture.image.bands + 1) + (8 * frame if dither else 0)

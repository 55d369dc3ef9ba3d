"""The size of a resize by imgproxy's rules: its `calcScale` and `calcSizes` (processing/prepare.go)."""

from __future__ import annotations

from typing import NamedTuple

from features.resize.parameters import Resize
from imaging.ops.geometry import Size, round_half_up


class Scaling(NamedTuple):
    """What the rules compute for an image."""

    scaled: Size
    """The size of the whole image after scaling."""
    result: Size
    """The size after cropping."""
    exact: tuple[float, float]
    """The scaled width and height before rounding."""
    dpr: float
    """The device pixel ratio that was applied."""


def scale_by_rules(requested: Resize, full: Size) -> Scaling:
    """Return the sizes for an image of this size. A vector image must be given a request that enlarges."""
    across, down, dpr = _shrinks(requested, full)
    exact = (full[0] * (1 / across), full[1] * (1 / down))
    scaled = (_scaled_side(full[0], across), _scaled_side(full[1], down))
    box = _box(requested, dpr)
    if requested.fit == "cover-ratio" and requested.without_enlargement:
        box = _reduced_box(box, scaled)
    result = (min(box[0] or scaled[0], scaled[0]), min(box[1] or scaled[1], scaled[1]))
    return Scaling(scaled, result, exact, dpr)


def _scaled_side(side: int, shrink: float) -> int:
    """Return the length that libvips gives a side for the factor 1 / shrink: enlarging multiplies, reducing divides."""
    factor = 1 / shrink
    return max(1, round_half_up(side * factor if factor > 1 else side / (1 / factor)))


def _box(requested: Resize, dpr: float) -> Size:
    """Return the requested size in device pixels; 0 for a side that is free."""
    sides = ((requested.width, requested.zoom_x), (requested.height, requested.zoom_y))
    width, height = (round_half_up((side or 0) * dpr * zoom) for side, zoom in sides)
    return width, height


def _reduced_box(box: Size, scaled: Size) -> Size:
    """Return a box that is larger than the image, reduced to fit in it, with its aspect ratio."""
    lacking = (box[0] / scaled[0], box[1] / scaled[1])
    if lacking[0] > lacking[1] and lacking[0] > 1:
        return scaled[0], round_half_up(scaled[0] * box[1] / box[0])
    if lacking[1] > lacking[0] and lacking[1] > 1:
        return round_half_up(scaled[1] * box[0] / box[1]), scaled[1]
    return box


def _shrinks(requested: Resize, full: Size) -> tuple[float, float, float]:
    """Return the factors by which width and height are divided, and the device pixel ratio that is applied."""
    across, down = _fitted(requested, full)
    across, down = across / requested.zoom_x, down / requested.zoom_y
    dpr = requested.dpr
    if requested.without_enlargement:
        smaller = min(across, down)
        if smaller < 1:
            across, down = across / smaller, down / smaller
            # The size cannot be reached, so a ratio below 1 is taken of it and not of the small image.
            dpr = dpr if requested.extended else dpr / smaller
        dpr = min(dpr, across, down)
    if requested.min_width and full[0] / requested.min_width < across:
        across, down = full[0] / requested.min_width, down / (across / (full[0] / requested.min_width))
    if requested.min_height and full[1] / requested.min_height < down:
        across, down = across / (down / (full[1] / requested.min_height)), full[1] / requested.min_height
    return min(across / dpr, float(full[0])), min(down / dpr, float(full[1])), dpr


def _fitted(requested: Resize, full: Size) -> tuple[float, float]:
    """Return the factors for width and height as the fit combines them."""
    target = (requested.width or full[0], requested.height or full[1])
    across, down = full[0] / target[0], full[1] / target[1]
    if requested.fit == "fill" or across == down == 1:
        return across, down
    if not requested.width:
        return down, down
    if not requested.height:
        return across, across
    fit = requested.fit
    if fit == "auto":
        fit = "cover" if (full[0] >= full[1]) == (target[0] >= target[1]) else "inside"
    both = max(across, down) if fit == "inside" else min(across, down)
    return both, both

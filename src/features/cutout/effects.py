"""Shadows and outlines, made of the alpha channel of a subject on its canvas."""

from __future__ import annotations

import math
from typing import NamedTuple

import pyvips

from features.cutout.parameters import Cutout
from imaging.ops.geometry import PixelBox, Size
from imaging.ops.softening import gaussian_blur
from imaging.params.color import Color
from imaging.params.types import Length

_TAIL = 0.02
"""Height, as a share of its peak, at which the Gaussian of a shadow ends: less is not visible."""
_FLATTEST = 0.05
"""Height of a cast shadow, as a fraction of the subject's, below which it would be a line."""
_FOOT, _FLAT = 0.2, 0.06
"""The lowest fraction of the subject that makes a contact shadow, and the height that it is squeezed to."""
_DEVIATIONS = 1.5
"""Width of an outline, in deviations of the Gaussian by which its edge is found."""
_EDGE = 0.5 * math.erfc(_DEVIATIONS / math.sqrt(2))
"""Level, from 0 to 1, that a blurred straight edge has at that distance."""
_SLOPE = math.exp(-(_DEVIATIONS**2) / 2) / math.sqrt(2 * math.pi)
"""How much the level falls there within one deviation."""
_LARGE_OUTLINE = 24.0
"""Pixels from which the edge of an outline is found on a reduced copy."""


class Layout(NamedTuple):
    """How a subject is placed."""

    requested: Cutout
    size: Size
    """Width and height of the canvas."""
    box: PixelBox
    """Where the subject is in the image."""
    shrunk: float
    """The scale at which the image was decoded, if the canvas has the same; pixels are those of the whole image."""

    def pixels(self, length: Length, whole: float) -> float:
        """Return a length on the canvas, with its fraction; a percentage is one of `whole` pixels."""
        return length.value * whole / 100 if length.percent else length.value * self.shrunk


def shadow_of(alpha: pyvips.Image, box: PixelBox, layout: Layout) -> pyvips.Image:
    """Return the shadow of a subject: its colour, with alpha. `box` is where the subject is."""
    requested = layout.requested
    angle, distance, blur, opacity = requested.shadow_details
    longer = max(box.width, box.height)
    across, down = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    length = layout.pixels(distance, longer)
    if requested.shadow_kind == "soft":
        shape = _moved(alpha, round(across * length), round(down * length))
    elif requested.shadow_kind == "contact":
        shape = _foot(alpha, box)
    else:
        shape = _lying(alpha, box, across * length / box.height, down * length / box.height)
    sigma = layout.pixels(blur, longer)
    soft = gaussian_blur(shape, sigma, _TAIL) if sigma >= 0.3 else shape
    return _tinted(soft * (opacity / 100), requested.shadow_color)


def _moved(alpha: pyvips.Image, across: int, down: int) -> pyvips.Image:
    return alpha.embed(across, down, alpha.width, alpha.height)


def _foot(alpha: pyvips.Image, box: PixelBox) -> pyvips.Image:
    """Return the lowest part of the subject, squeezed to a line around the ground that it stands on."""
    rows = max(1, round(box.height * _FOOT))
    foot = alpha.crop(box.left, box.top + box.height - rows, box.width, rows)
    height = max(1, round(box.height * _FLAT))
    flat = foot.resize(1, vscale=height / rows, kernel="linear").cast("uchar")
    return flat.embed(box.left, box.top + box.height - flat.height // 2, alpha.width, alpha.height)


def _lying(alpha: pyvips.Image, box: PixelBox, across: float, down: float) -> pyvips.Image:
    """Return the shape lying on the ground: a point at a height h is moved by h times (`across`, `down`) from its foot.

    A shadow that falls exactly sideways keeps a little of its height.
    """
    down = down if abs(down) >= _FLATTEST else math.copysign(_FLATTEST, down)
    ground = box.top + box.height
    matrix = [1.0, -across, 0.0, -down]
    return alpha.affine(
        matrix, odx=ground * across, ody=ground * (1 + down), oarea=[0, 0, alpha.width, alpha.height],
        interpolate=pyvips.Interpolate.new("bilinear"),
    ).cast("uchar")  # fmt: skip


def outline_of(alpha: pyvips.Image, box: PixelBox, layout: Layout) -> pyvips.Image:
    """Return a line around the subject, which also lies behind it: its colour, with alpha.

    The line ends where a blurred copy of the shape has fallen to the level that a straight edge has at its distance.
    """
    requested = layout.requested
    width = layout.pixels(requested.outline or Length(0), max(box.width, box.height))
    factor = max(1, int(width / _LARGE_OUTLINE))
    small = alpha.shrink(factor, factor, ceil=True) if factor > 1 else alpha
    sigma = width / factor / _DEVIATIONS
    level = small.cast("float").gaussblur(max(0.2, sigma), min_ampl=0.005, precision="float") / 255
    line = (level - _EDGE) * (sigma / _SLOPE) * 255 + 127.5
    line = (line > 0).ifthenelse(line, 0)
    line = (line < 255).ifthenelse(line, 255)
    if factor > 1:
        # The slope of the reduced copy's edge is made as steep as one pixel of the whole.
        line = line.resize(factor, kernel="linear").crop(0, 0, alpha.width, alpha.height)
    return _tinted(line, requested.outline_color)


def _tinted(level: pyvips.Image, color: Color) -> pyvips.Image:
    """Return a colour whose alpha is the level, from 0 to 255, times that of the colour."""
    plain = (pyvips.Image.black(level.width, level.height, bands=3) + color.rgb).cast("uchar")
    alpha = (level * color.alpha).rint().cast("uchar")
    return plain.copy(interpretation="srgb").bandjoin(alpha)

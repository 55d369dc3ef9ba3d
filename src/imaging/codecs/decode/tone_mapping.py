"""Tone-map HDR: linear light of PQ and HLG, and its reduction to what an ordinary screen shows.

The reduction is the reference white tone mapping operator of SMPTE ST 2094-50 (formulas D.2, D.4 and D.5 of its
candidate draft), which Chromium and Skia apply to images without a tone map of their own. Up to the reference white of
203 cd/m² (ITU-R BT.2408) it scales all light by one factor; above, a quadratic Bézier curve leads to white at the
image's peak.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Image = Any
"""A pyvips image; its stubs give every field and every figure a union of types."""

REFERENCE_WHITE = 203.0
"""cd/m² (ITU-R BT.2408)."""
PEAK = 1000.0
"""cd/m² of an image that does not state its peak, and of HLG's nominal display."""
_HLG_GAMMA = 1.2
"""The exponent of HLG's OOTF at that peak (ITU-R BT.2100)."""
_FULL_HEADROOM = math.log2(PEAK / REFERENCE_WHITE)
_KAPPA = 0.65
"""How far the middle control point is from the knee to where both tangents meet."""
_LEAST_LIGHT = 1e-6


def to_light(levels: Image, curve: str) -> Image:
    """Return the light of levels from 0 to 1: of PQ in units of the reference white, of HLG that of the scene."""
    if curve == "pq":  # SMPTE ST 2084
        powered = levels ** (32 / 2523)
        numerator = powered - 107 / 128
        light = (numerator < 0).ifthenelse(0, numerator) / (powered * (-2392 / 128) + 2413 / 128)
        return (light ** (16384 / 2610) * (10_000 / REFERENCE_WHITE)).cast("float")
    # The inverse OETF of ITU-R BT.2100.
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    upper = (((levels - c) / a).exp() + b) / 12
    return (levels <= 0.5).ifthenelse(levels * levels / 3, upper).cast("float")


def to_sdr(light: Image, curve: str, peak: float, luminance_of: Callable[[Image], Image]) -> Image:
    """Return light with BT.2020's primaries, or of one band, reduced to 0 to 1, the white of an ordinary screen."""
    if curve == "hlg":  # The scene's light becomes the display's.
        scene = luminance_of(light)
        factor = (scene < _LEAST_LIGHT).ifthenelse(_LEAST_LIGHT, scene) ** (_HLG_GAMMA - 1)
        light = light * factor * (PEAK / REFERENCE_WHITE)
        peak = PEAK
    headroom = max(0.0, math.log2(peak / REFERENCE_WHITE))
    return light * _gain(_largest(light), headroom) if headroom else light


def _largest(light: Image) -> Image:
    if light.bands == 1:
        return light
    return light[0].maxpair(light[1]).maxpair(light[2])


def _gain(largest: Image, headroom: float) -> Image:
    """Return the factor for pixels whose largest component is this, in units of the reference white."""
    white = 1 - 0.5 * min(headroom / _FULL_HEADROOM, 1)
    end = 2**headroom
    across = (1 - _KAPPA) + _KAPPA / white
    up = (1 - _KAPPA) * white + _KAPPA
    # The curve's parameter at `largest`, which is the root of (1 - 2 across + end) t² + 2 (across - 1) t = largest - 1.
    past = (largest < 1).ifthenelse(0, (largest > end).ifthenelse(end - 1, largest - 1))
    half = across - 1
    t = past / ((past * (1 - 2 * across + end) + half * half) ** 0.5 + half)
    mapped = t * (2 * (up - white)) + t * t * (white - 2 * up + 1) + white
    return (largest < 1).ifthenelse(white, mapped / (largest < 1).ifthenelse(1, largest))

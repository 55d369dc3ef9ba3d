"""How alike an encoded image and its pixels look: the score of SSIMULACRA 2, version 2.1.

100 is equal, about 90 cannot be told apart side by side, 70 is a high quality, 50 a medium one. The score is the one
of Jon Sneyers' ssimulacra2.cc (the JPEG XL project, BSD-3-Clause), from which the constants below are. It has 108
weights, of which those below 0.01 change no score by more than 0.05 and are left out. With them go most planes at the
full size, which take the most time. Import this module only where a score is needed: it imports numpy.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Image = Any
"""A pyvips image; its stubs know no names of enumerations."""
Planes = Any
"""An array of 32-bit floats: planes, rows, columns. numpy's own types name no shapes."""

_BLUR = np.exp(-np.square(np.arange(-5, 6)) / 4.5).astype(np.float32)
_BLUR /= _BLUR.sum()
"""A Gaussian of sigma 1.5 in 11 taps."""
_MIX = ((0.30, 0.622, 0.078), (0.23, 0.692, 0.078), (0.24342268924547819, 0.20476744424496821, 0.5518098665095536))
"""The shares of linear red, green and blue in the responses of long, medium and short cones."""
_BIAS = 0.0037930732552754493
_STEADY = 0.0009
_GREY = 188
"""What transparent parts are shown on: the sRGB level of half of the light."""
_SMALLEST_SIDE = 8
_LINEAR = np.array(
    [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in np.arange(256) / 255],
    np.float32,
)
"""The light of each level of sRGB."""


class _Term(NamedTuple):
    """One weighted part of the score."""

    plane: str
    """X (red against green), Y (lightness) or B (blue)."""
    error: str
    """structure: 1 - SSIM; added: edges where there were none; lost: edges that are gone."""
    norm: int
    """1: the mean over the plane; 4: the mean of fourth powers, and its fourth root, which a few bad pixels raise."""
    weight: float


_SCALES: tuple[tuple[str, tuple[_Term, ...]], ...] = (
    ("Y", (_Term("Y", "structure", 4, 7.466890328078848), _Term("Y", "lost", 4, 17.445833984131262))),
    (
        "XY",
        (
            _Term("X", "structure", 4, 1.1041726426657346),
            _Term("Y", "structure", 4, 6.683678146179332),
            _Term("Y", "lost", 4, 1.027889937768264),
        ),
    ),
    (
        "XY",
        (
            _Term("X", "structure", 4, 1.8422455520539298),
            _Term("X", "added", 4, 11.441172603757666),
            _Term("Y", "structure", 1, 225.20515300849274),
            _Term("Y", "structure", 4, 19.213238186143016),
        ),
    ),
    (
        "XYB",
        (
            _Term("X", "structure", 4, 1.8787594979546387),
            _Term("X", "added", 4, 10.94906990605142),
            _Term("Y", "structure", 1, 176.39317598450694),
            _Term("Y", "structure", 4, 24.43300999870476),
            _Term("Y", "added", 4, 0.28520802612117757),
            _Term("B", "structure", 4, 8.826982764996862),
            _Term("B", "added", 4, 23.19243343998926),
        ),
    ),
    (
        "XYB",
        (
            _Term("X", "added", 1, 0.9677937080626833),
            _Term("X", "added", 4, 0.9981766977854967),
            _Term("Y", "structure", 4, 34.77906344483772),
            _Term("Y", "added", 4, 44.835625328877896),
            _Term("B", "structure", 1, 95.1080498811086),
            _Term("B", "added", 1, 0.9863978034400682),
            _Term("B", "lost", 1, 0.9834382792465353),
            _Term("B", "added", 4, 171.2667255897307),
            _Term("B", "lost", 4, 0.9807858872435379),
        ),
    ),
)
"""The planes and the terms at each scale, the full size first, each half as large as the one before."""


class _Scale(NamedTuple):
    """What is known of the reference at one scale."""

    planes: Planes
    means: Planes
    variances: Planes
    edges: Planes
    """One more than the distance of each pixel from the mean around it."""


class Reference:
    """The pixels that encoded images are compared with."""

    def __init__(self, image: Image) -> None:
        """Compute what every comparison needs of an image of 8 bits per band."""
        self._scales: list[_Scale] = []
        light = _to_linear(image)
        for names, _ in _SCALES:
            if min(light.shape[1:]) < _SMALLEST_SIDE:
                break
            planes = _to_planes(light, names)
            means = _blur(planes)
            variances = _blur(planes * planes) - means * means
            self._scales.append(_Scale(planes, means, variances, np.abs(planes - means) + 1))
            light = _halve(light)

    def score(self, image: Image) -> float:
        """Return how alike an image of the same size looks: 100 for equal pixels, below 0 for very different ones."""
        light, error = _to_linear(image), 0.0
        for (names, terms), reference in zip(_SCALES, self._scales, strict=False):
            error += _weigh(_to_planes(light, names), names, terms, reference)
            light = _halve(light)
        error *= 0.9562382616834844
        error = 2.326765642916932 * error - 0.020884521182843837 * error**2 + 6.248496625763138e-05 * error**3
        return float(100 - 10 * error**0.6276336467831387) if error > 0 else 100.0


def _weigh(planes: Planes, names: str, terms: tuple[_Term, ...], reference: _Scale) -> float:
    """Return the weighted sum of the errors at one scale."""
    means = _blur(planes)
    variances = _blur(planes * planes) - means * means
    covariances = _blur(planes * reference.planes) - means * reference.means
    likeness = (1 - np.square(means - reference.means)) * (2 * covariances + np.float32(_STEADY))
    edges = (np.abs(planes - means) + 1) / reference.edges - 1
    errors = {
        "structure": np.maximum(1 - likeness / (variances + reference.variances + np.float32(_STEADY)), 0),
        "added": np.maximum(edges, 0),
        "lost": np.maximum(-edges, 0),
    }
    total = 0.0
    for term in terms:
        values = errors[term.error][names.index(term.plane)].ravel()
        if term.norm == 1:
            total += term.weight * float(values.mean())
        else:
            squares = values * values
            total += term.weight * float(np.mean(squares * squares, dtype=np.float64)) ** 0.25
    return total


def _to_linear(image: Image) -> Planes:
    """Return red, green and blue as light from 0 to 1."""
    image = image.flatten(background=[_GREY]) if image.hasalpha() else image
    levels = np.frombuffer(image.write_to_memory(), np.uint8).reshape(image.height, image.width, image.bands)
    light = _LINEAR[levels.transpose(2, 0, 1)]
    return light if image.bands == 3 else np.repeat(light[:1], 3, axis=0)


def _to_planes(light: Planes, names: str) -> Planes:
    """Return the planes of these names in the color space XYB, all about from 0 to 1."""
    mix = _MIX if "B" in names else _MIX[:2]
    cones = [
        np.cbrt(sum((np.float32(share) * band for share, band in zip(shares, light, strict=True)), np.float32(_BIAS)))
        - np.float32(_BIAS ** (1 / 3))
        for shares in mix
    ]
    lightness = (cones[0] + cones[1]) / 2
    found = {"Y": lightness + np.float32(0.01)}
    if "X" in names:
        found["X"] = 7 * (cones[0] - cones[1]) + np.float32(0.42)
    if "B" in names:
        found["B"] = cones[2] - lightness + np.float32(0.55)
    return np.stack([found[name] for name in names])


def _blur(planes: Planes) -> Planes:
    """Return the planes after a Gaussian; outside of them all is 0."""
    for axis in (1, 2):
        room = [(0, 0)] * 3
        room[axis] = (5, 5)
        padded = np.pad(planes, room)
        length = planes.shape[axis]
        taps = [_cut(padded, axis, at, length) for at in range(11)]
        planes = taps[5] * _BLUR[5]
        for at in range(5):
            planes += _BLUR[at] * (taps[at] + taps[10 - at])
    return planes


def _cut(planes: Planes, axis: int, start: int, length: int) -> Planes:
    return planes[:, start : start + length] if axis == 1 else planes[:, :, start : start + length]


def _halve(light: Planes) -> Planes:
    """Return the means of squares of two by two pixels; the last row or column counts twice where they are odd."""
    _, height, width = light.shape
    if height % 2 or width % 2:
        light = np.pad(light, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    summed = light[:, ::2, ::2] + light[:, 1::2, ::2] + light[:, ::2, 1::2] + light[:, 1::2, 1::2]
    return summed * np.float32(0.25)

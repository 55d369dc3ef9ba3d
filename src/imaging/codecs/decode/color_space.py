"""Color spaces that a file states by numbers instead of an ICC profile, and their conversion to sRGB.

The numbers are those of ITU-T H.273 (PNG's cICP, HEIF's nclx), or chromaticities and an exponent (PNG's cHRM, gAMA).
All arithmetic is libvips': on a table of all levels where each band can be converted by itself, else on the pixels.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pyvips

from imaging.codecs.decode import tone_mapping

Image = Any
"""A pyvips image; its stubs give every field and every figure a union of types."""
Chromaticities = tuple[float, ...]
"""x and y of red, green, blue and white."""

_D65, _C, _EQUAL, _DCI = (0.3127, 0.3290), (0.310, 0.316), (1 / 3, 1 / 3), (0.314, 0.351)
_SRGB: Chromaticities = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *_D65)
BT2020: Chromaticities = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65)
_PRIMARIES: dict[int, Chromaticities] = {
    1: _SRGB,
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *_C),
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *_C),
    9: BT2020,
    10: (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, *_EQUAL),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_DCI),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}
"""By `ColourPrimaries` (H.273, table 2); all others count as those of sRGB."""
_GAMMAS = {4: 2.2, 5: 2.8}
_VIDEO = frozenset({1, 6, 11, 14, 15})
"""BT.709 and its like, whose display has an exponent of 2.4 (BT.1886)."""
_SMPTE240, _LINEAR, _PQ, _SMPTE428, _HLG = 7, 8, 16, 17, 18
_CURVES = {_SMPTE240: "smpte240", _LINEAR: "linear", _PQ: "pq", _SMPTE428: "smpte428", _HLG: "hlg"}
_BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
Matrix = tuple[tuple[float, ...], ...]
_NEAR = 0.002
_LEAST_Y, _LEAST_AREA = 0.00005, 0.001


class ColorSpace(msgspec.Struct, frozen=True):
    """The colour of a file's samples."""

    primaries: Chromaticities = _SRGB
    curve: str = "srgb"
    """How a level becomes light: `srgb`, `gamma`, `linear`, `smpte240`, `smpte428`, `pq` or `hlg`."""
    gamma: float = 1.0
    """The exponent of `gamma`."""
    peak: float = tone_mapping.PEAK
    """Luminance in cd/m² of the brightest part of an HDR image."""

    @property
    def is_srgb(self) -> bool:
        """Whether there is nothing to convert."""
        return self.curve == "srgb" and self.has_srgb_primaries

    @property
    def has_srgb_primaries(self) -> bool:
        """Whether the primaries and white are those of sRGB."""
        return all(abs(one - other) <= _NEAR for one, other in zip(self.primaries, _SRGB, strict=True))

    @property
    def is_usable(self) -> bool:
        """Whether the primaries and white span colors, so that they can be converted."""
        points = list(zip(self.primaries[::2], self.primaries[1::2], strict=True))
        if not all(0 <= x <= 1 and y >= 0 and x + y <= 1 for x, y in points) or points[3][1] < _LEAST_Y:
            return False
        (ax, ay), (bx, by), (cx, cy) = points[:3]
        # Twice the area of the triangle of the primaries.
        return abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) >= _LEAST_AREA

    @property
    def is_hdr(self) -> bool:
        """Whether the levels reach beyond white, so that they have to be tone-mapped."""
        return self.curve in ("pq", "hlg")


def color_space_of(primaries: int, transfer: int, *, is_video: bool, peak: float | None) -> ColorSpace:
    """Return the color space of two numbers of H.273; those without a meaning count as sRGB's.

    `peak` is the luminance of an HDR image's brightest part in cd/m², if the file states it.

    Browsers show BT.709's transfer function of a HEIF (`is_video`) as sRGB's, and that of a PNG as BT.1886.
    """
    curve, gamma = _CURVES.get(transfer, "srgb"), 1.0
    if transfer in _GAMMAS or (transfer in _VIDEO and not is_video):
        curve, gamma = "gamma", _GAMMAS.get(transfer, 2.4)
    return ColorSpace(_PRIMARIES.get(primaries, _SRGB), curve, gamma, peak or tone_mapping.PEAK)


def convert(image: Image, space: ColorSpace) -> Image:
    """Return an image of this color space in sRGB or grey, 8 bits per band; alpha is kept."""
    bits = int(image.get("bits-per-sample")) if image.get_typeof("bits-per-sample") else 16
    # libvips shifts samples of 9 to 15 bits to the upper end of 16.
    white = 255 if image.format == "uchar" else ((1 << bits) - 1) << (16 - bits)
    colours = image.extract_band(0, n=image.bands - 1) if image.hasalpha() else image
    levels = pyvips.Image.identity(ushort=image.format != "uchar") / white
    light = _to_light(levels, space)
    if colours.bands == 1 or (space.has_srgb_primaries and not space.is_hdr):
        table = _encoded(tone_mapping.to_sdr(light, space.curve, space.peak, _luminance) if space.is_hdr else light)
        converted = colours.maplut(table).copy(interpretation="b-w" if colours.bands == 1 else "srgb")
    else:
        converted = _mixed(colours.maplut(light), space)
    if not image.hasalpha():
        return converted
    alpha = image[image.bands - 1]
    return converted.bandjoin(alpha if image.format == "uchar" else (alpha * (255 / white)).rint().cast("uchar"))


def _mixed(light: Image, space: ColorSpace) -> Image:
    """Return linear light of these primaries in sRGB."""
    if space.is_hdr:
        if space.primaries != BT2020:
            light = light.recomb(_as_image(_between(space.primaries, BT2020)))
        light = tone_mapping.to_sdr(light, space.curve, space.peak, _luminance)
    matrix = _between(BT2020 if space.is_hdr else space.primaries, _SRGB)
    return light.recomb(_as_image(matrix)).copy(interpretation="scrgb").colourspace("srgb")


def _luminance(light: Image) -> Image:
    """Return the luminance of linear light with BT.2020's primaries."""
    weights = _to_xyz(BT2020)[1]
    return light if light.bands == 1 else light.recomb(pyvips.Image.new_from_array([list(weights)]))


def _to_light(levels: Image, space: ColorSpace) -> Image:
    """Return linear light of levels from 0 to 1; 1 is white."""
    levels = (levels > 1).ifthenelse(1, levels)
    if space.curve == "gamma":
        return levels**space.gamma
    if space.curve == "srgb":
        return (levels <= 0.04045).ifthenelse(levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    if space.curve == "smpte240":  # SMPTE ST 240
        return (levels < 0.0912).ifthenelse(levels / 4, ((levels + 0.1115) / 1.1115) ** (1 / 0.45))
    if space.curve == "smpte428":  # SMPTE ST 428-1
        return levels**2.6 * (52.37 / 48)
    if space.is_hdr:
        return tone_mapping.to_light(levels, space.curve)
    return levels


def _encoded(light: Image) -> Image:
    """Return linear light as levels of sRGB (IEC 61966-2-1), 0 to 255."""
    levels = (light <= 0.0031308).ifthenelse(light * 12.92, light ** (1 / 2.4) * 1.055 - 0.055)
    return (levels * 255).rint().cast("uchar")


def _between(source: Chromaticities, target: Chromaticities) -> Matrix:
    """Return the matrix from the linear light of one set of primaries to another, white to white (Bradford)."""
    sharp_from, sharp_to = (_times_vector(_BRADFORD, _xyz(*each[6:])) for each in (source, target))
    gains = tuple(to / start for start, to in zip(sharp_from, sharp_to, strict=True))
    diagonal = tuple(tuple(gains[row] if row == column else 0.0 for column in range(3)) for row in range(3))
    adapted = _times(_inverse(_BRADFORD), _times(diagonal, _BRADFORD))
    return _times(_inverse(_to_xyz(target)), _times(adapted, _to_xyz(source)))


def _to_xyz(space: Chromaticities) -> Matrix:
    """Return the matrix from linear light to CIE XYZ, in which white has a luminance of 1 (SMPTE RP 177)."""
    columns = [_xyz(*space[at : at + 2]) for at in (0, 2, 4)]
    raw = tuple(zip(*columns, strict=True))
    shares = _times_vector(_inverse(raw), _xyz(*space[6:]))
    return tuple(tuple(value * share for value, share in zip(row, shares, strict=True)) for row in raw)


def _xyz(x: float, y: float) -> tuple[float, ...]:
    """Return a color of this chromaticity; its luminance is 1 where it can be."""
    return (x / y, 1.0, (1 - x - y) / y) if y else (x, 0.0, 1 - x)


def _times(one: Matrix, other: Matrix) -> Matrix:
    columns = tuple(zip(*other, strict=True))
    return tuple(_times_vector(columns, row) for row in one)


def _times_vector(rows: Matrix, vector: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sum(a * b for a, b in zip(row, vector, strict=True)) for row in rows)


def _inverse(matrix: Matrix) -> Matrix:
    """Return the inverse by cofactors. Raises ZeroDivisionError for a singular matrix."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    cofactors = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    determinant = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0]
    return tuple(tuple(value / determinant for value in row) for row in cofactors)


def _as_image(matrix: Matrix) -> Image:
    return pyvips.Image.new_from_array([list(row) for row in matrix])

"""The gain map of an HDR image: how much brighter than its pixels an HDR screen shows each part of it (ISO 21496-1).

An HDR screen shows `(base + offset_sdr) * 2 ** gain - offset_hdr`, in linear light. The gain goes from `gain_min` to
`gain_max` with the levels of the map. Geometric steps move the map with the picture: what is shown of it is tracked
exactly, and the map is resampled once, at the end.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

Image = Any
"""A pyvips image; its stubs know no names of enumerations."""
Numbers = tuple[float, ...]
"""One number for all channels, or one for each of three."""
Box = tuple[float, float, float, float]
"""Left, top, width and height."""
_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
_NEAR = 1e-6
"""Fraction of a pixel of the map that does not count."""


class GainMapParameters(msgspec.Struct, frozen=True):
    """What the levels of a gain map mean; gains and headrooms are binary logarithms."""

    gain_min: Numbers
    gain_max: Numbers
    gamma: Numbers
    offset_sdr: Numbers
    offset_hdr: Numbers
    headroom_min: float
    """Headroom of the screen up to which the base image alone is shown."""
    headroom_max: float
    """Headroom of the screen from which on the gain applies as a whole."""
    uses_base_colors: bool = True
    """Whether gains apply to the colour space of the base image, and not to that of the map's own profile."""

    @property
    def neutral_level(self) -> list[float]:
        """The level, from 0 to 255 for each channel, that leaves the base image as it is, or the nearest to it."""
        return [
            255 * min(1.0, max(0.0, -low / (high - low) if high > low else 0.0)) ** gamma
            for low, high, gamma in zip(self.gain_min, self.gain_max, self.gamma, strict=True)
        ]


class StoredGainMap(msgspec.Struct, frozen=True):
    """A gain map as a file stores it."""

    body: bytes
    """A JPEG."""
    parameters: GainMapParameters
    profile: bytes = b""
    """ICC profile of the colour space that gains apply to, if it is not that of the base image."""


class GainMap(msgspec.Struct, frozen=True):
    """A gain map on its way through the steps, upright."""

    image: Image
    """Grey or three channels of 8 bits, in memory."""
    parameters: GainMapParameters
    profile: bytes = b""
    shown: Box = _WHOLE
    """The part that covers the picture, as fractions of the map; a border reaches beyond the map's edges."""
    needs_profile: bool = False
    """Whether it is wrong for base pixels that were converted from their own colour space to sRGB."""

    def with_view(self, box: Box, whole: tuple[int, int]) -> GainMap:
        """Return the map for a box (left, top, width, height) of a picture of `whole` pixels.

        A negative width or height means that the picture is mirrored. What is beyond the picture is a border.
        """
        left, top, width, height = box[0] / whole[0], box[1] / whole[1], box[2] / whole[0], box[3] / whole[1]
        gain_map = self
        if width < 0:
            gain_map, left, width = gain_map.mirrored(), 1 - left, -width
        if height < 0:
            gain_map, top, height = gain_map.turned_over(), 1 - top, -height
        if min(left, top) < 0 or max(left + width, top + height) > 1:
            gain_map = gain_map.cut_to_shown()
        across, down = gain_map.shown[2:]
        shown = (gain_map.shown[0] + left * across, gain_map.shown[1] + top * down, width * across, height * down)
        return msgspec.structs.replace(gain_map, shown=shown)

    def rotated(self, quarters: int) -> GainMap:
        """Return the map of a picture that was rotated clockwise by so many quarters."""
        left, top, width, height = self.shown
        right, bottom = 1 - left - width, 1 - top - height
        shown = (self.shown, (bottom, left, height, width), (right, bottom, width, height), (top, right, height, width))
        image = self.image.rot(f"d{90 * quarters}")
        return msgspec.structs.replace(self, image=image, shown=shown[quarters])

    def rendered(self, size: tuple[int, int]) -> Image:
        """Return the part that is shown, for a picture of that size: no larger than the picture, never enlarged."""
        image = self.cut_to_shown().image
        across, down = min(1.0, size[0] / image.width), min(1.0, size[1] / image.height)
        return image if across == down == 1 else image.resize(across, vscale=down, kernel="linear")

    def mirrored(self) -> GainMap:
        """Return the map of a picture whose left and right changed places."""
        left, top, width, height = self.shown
        return msgspec.structs.replace(self, image=self.image.fliphor(), shown=(1 - left - width, top, width, height))

    def turned_over(self) -> GainMap:
        """Return the map of a picture whose top and bottom changed places."""
        left, top, width, height = self.shown
        return msgspec.structs.replace(self, image=self.image.flipver(), shown=(left, 1 - top - height, width, height))

    def cut_to_shown(self) -> GainMap:
        """Return the map of which all is shown, with its border. Only positions between two pixels are interpolated."""
        if self.shown == _WHOLE:
            return self
        image = self.image
        sides = (image.width, image.height)
        starts = tuple(start * side for start, side in zip(self.shown[:2], sides, strict=True))
        lengths = tuple(length * side for length, side in zip(self.shown[2:], sides, strict=True))
        counts = tuple(max(1, math.floor(length + 0.5)) for length in lengths)
        # The border is added first, so that it is resampled with the rest.
        left, top = (max(0, math.ceil(-start - _NEAR)) for start in starts)
        right, bottom = (
            max(0, math.ceil(start + length - side - _NEAR))
            for start, length, side in zip(starts, lengths, sides, strict=True)
        )
        if left or top or right or bottom:
            levels = self.parameters.neutral_level
            background = levels if image.bands == len(levels) else levels[:1] * image.bands
            canvas = (left + sides[0] + right, top + sides[1] + bottom)
            image = image.embed(left, top, *canvas, extend="background", background=background)
        starts = (starts[0] + left, starts[1] + top)
        nearest = tuple(math.floor(start + 0.5) for start in starts)
        is_exact = all(
            abs(start - near) < _NEAR and abs(length - count) < _NEAR
            for start, near, length, count in zip(starts, nearest, lengths, counts, strict=True)
        )
        image = image.crop(*nearest, *counts) if is_exact else _resampled(image, starts, lengths, counts)
        return msgspec.structs.replace(self, image=image.copy_memory(), shown=_WHOLE)


def _resampled(image: Image, starts: Numbers, lengths: Numbers, counts: tuple[int, ...]) -> Image:
    """Return a part of the image that begins and ends between two pixels."""
    import pyvips  # noqa: PLC0415 - pictures without a gain map do not need this module

    factors = [count / length for count, length in zip(counts, lengths, strict=True)]
    # The first pixel of the result has its centre half a pixel of the result behind the start.
    shifts = [start - 0.5 + 0.5 / factor for start, factor in zip(starts, factors, strict=True)]
    return image.affine(
        [factors[0], 0, 0, factors[1]], interpolate=pyvips.Interpolate.new("bilinear"), extend="copy",
        idx=-shifts[0], idy=-shifts[1], oarea=[0, 0, *counts],
    )  # fmt: skip

"""ThumbHash: an image as some 25 bytes, with its aspect ratio and its transparency.

Source of the format: https://github.com/evanw/thumbhash (rgbaToThumbHash). Every library for Python either fails on
transparency, needs an old Pillow, or names no licence. The tests compare with the reference in Rust.
"""

from __future__ import annotations

import math
from typing import NamedTuple

_NOTHING = 1e-9
"""Amplitudes below it are rounding errors of a plane of one colour; the reference enlarges them to noise."""


class _Encoded(NamedTuple):
    """A channel as the amplitudes of its lowest frequencies."""

    average: float
    amplitudes: list[float]
    """Each from 0 to 1, where 0.5 stands for zero."""
    scale: float


def encode(pixels: bytes, width: int, height: int) -> bytes:
    """Return the ThumbHash of RGBA pixels, 4 bytes each, of an image of at most 100 × 100."""
    alpha = [level / 255 for level in pixels[3::4]]
    total = sum(alpha)
    has_alpha = min(pixels[3::4]) < 255
    # Transparent pixels take the average colour, which disturbs the other frequencies least.
    planes = []
    for band in range(3):
        levels = [level / 255 for level in pixels[band::4]]
        average = sum(map(float.__mul__, levels, alpha)) / total if total else 0.0
        planes.append([average * (1 - cover) + level * cover for level, cover in zip(levels, alpha, strict=True)])
    red, green, blue = planes

    limit = 5 if has_alpha else 7
    across, down = (max(1, _round(limit * side / max(width, height))) for side in (width, height))
    lightness = [(r + g + b) / 3 for r, g, b in zip(red, green, blue, strict=True)]
    luminance = _encode_channel(lightness, width, max(3, across), max(3, down))
    yellow_blue = _encode_channel([(r + g) / 2 - b for r, g, b in zip(red, green, blue, strict=True)], width, 3, 3)
    red_green = _encode_channel([r - g for r, g in zip(red, green, strict=True)], width, 3, 3)
    is_landscape = width > height
    head = (
        _round(63 * luminance.average)
        | _round(31.5 + 31.5 * yellow_blue.average) << 6
        | _round(31.5 + 31.5 * red_green.average) << 12
        | _round(31 * luminance.scale) << 18
        | has_alpha << 23
    )
    shape = (
        (down if is_landscape else across)
        | _round(63 * yellow_blue.scale) << 3
        | _round(63 * red_green.scale) << 9
        | is_landscape << 15
    )
    parts = [head.to_bytes(3, "little"), shape.to_bytes(2, "little")]
    channels = [luminance, yellow_blue, red_green]
    if has_alpha:
        opacity = _encode_channel(alpha, width, 5, 5)
        parts.append(bytes([_round(15 * opacity.average) | _round(15 * opacity.scale) << 4]))
        channels.append(opacity)
    nibbles = [_round(15 * amplitude) for channel in channels for amplitude in channel.amplitudes]
    nibbles += [0] * (len(nibbles) % 2)
    parts.append(bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True)))
    return b"".join(parts)


def _encode_channel(channel: list[float], width: int, across: int, down: int) -> _Encoded:
    """Return the lowest frequencies of a discrete cosine transform: those of a triangle below the diagonal."""
    height = len(channel) // width
    rows = [channel[start : start + width] for start in range(0, len(channel), width)]
    # The transform is separable: first along each row, then along the columns of what the rows gave.
    along_rows = [[sum(map(float.__mul__, row, wave)) for row in rows] for wave in _waves(width, across)]
    average, amplitudes = 0.0, []
    for y, wave in enumerate(_waves(height, down)):
        for x in range(across):
            if x * down >= across * (down - y):
                break
            amplitude = sum(map(float.__mul__, along_rows[x], wave)) / (width * height)
            if x or y:
                amplitudes.append(amplitude)
            else:
                average = amplitude
    scale = max(map(abs, amplitudes))
    if scale < _NOTHING:
        return _Encoded(average, [0.5] * len(amplitudes), 0.0)
    return _Encoded(average, [0.5 + 0.5 / scale * amplitude for amplitude in amplitudes], scale)


def _waves(length: int, count: int) -> list[list[float]]:
    """Return the cosines of the `count` lowest frequencies at the centres of `length` pixels."""
    return [[math.cos(math.pi / length * wave * (at + 0.5)) for at in range(length)] for wave in range(count)]


def _round(number: float) -> int:
    """Return the nearest whole number, halves rounded up as in the reference."""
    return int(number + 0.5)

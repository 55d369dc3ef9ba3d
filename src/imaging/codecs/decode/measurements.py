"""Scale samples that are measurements, such as elevations, or floats, to the levels of an image.

What is not a number, infinite, or stands for missing data does not count for the scale.
"""

from __future__ import annotations

from typing import Any

from imaging.codecs.decode.tiff import no_data_value

Image = Any
"""A pyvips image; its stubs give every field and every figure a union of types."""

_LARGEST = 3.0e38
"""Beyond it are infinity and GDAL's usual mark of missing data, the lowest float."""
_MISSING = (-32768.0, -32767.0, -9999.0)
"""Lowest values that programs write for missing data without saying so."""
_INTEGERS = frozenset({"char", "short", "int"})


def scale(image: Image, original: bytes, *, is_measured: bool) -> Image:
    """Return the image with 8 bits per band.

    Floats up to 1, and unsigned or floating levels up to 255 or 65,535, are scaled by that; all others, and those that
    are known to be measurements, from their lowest to their highest value.
    """
    image = image.copy_memory().copy()
    image.remove("vips-sequential")
    is_valid = (image > -_LARGEST) & (image < _LARGEST)
    stated = no_data_value(original)
    if stated is not None:
        is_valid &= image != stated
    lowest = float(is_valid.ifthenelse(image, _LARGEST).min())
    if stated is None and lowest in _MISSING:
        is_valid &= image != lowest
        lowest = float(is_valid.ifthenelse(image, _LARGEST).min())
    highest = float(is_valid.ifthenelse(image, -_LARGEST).max())
    if not is_measured and image.format not in _INTEGERS and lowest >= 0:
        lowest, highest = 0.0, _white(highest)
    span = highest - lowest if highest > lowest else 1.0
    # Infinity becomes the end of the scale; what is not a number is black.
    levels = (image >= _LARGEST).ifthenelse(255, (image - lowest) * (255 / span))
    levels = (is_valid | (image >= _LARGEST)).ifthenelse(levels, 0)
    return (
        levels.rint()
        .cast("uchar")
        .copy(interpretation="b-w" if image.interpretation == "grey16" else image.interpretation)
    )


def _white(highest: float) -> float:
    """Return the level of white: that of floats, 8 or 16 bits where the highest level can be one of those."""
    if highest <= 255:
        return 1.0 if highest <= 1 else 255.0
    return 65535.0 if 32768 <= highest <= 65535 else highest

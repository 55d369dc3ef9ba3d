"""Whether a picture is a drawing or a photograph, which decides how an encoder does best."""

from __future__ import annotations

from typing import Any

from features._picture import Source

_PHOTOGRAPHIC = frozenset({"jpeg", "heif", "avif"})
_DENSE = {"webp": 0.02}
"""Bytes in the file for each byte of pixels, from which on it is a photograph."""
_DENSE_ELSE = 0.2
_ROWS = 8
_FLAT_IN_ALL, _FLAT_WITHIN = 0.7, 0.35


def is_from_graphic(source: Source) -> bool:
    """Whether the original is a drawing, as far as its header and its size tell: drawings pack well without loss.

    In lossless formats photographs have 0.4 to 1 byte for a byte of pixels, drawings 0.005 to 0.18 (bench/EFFORTS.md).
    """
    pixels = source.width * source.height * source.bands * source.bits / 8 * source.frames
    dense = source.size >= pixels * _DENSE.get(source.format, _DENSE_ELSE)
    return source.format == "svg" or not (source.format in _PHOTOGRAPHIC or dense)


def is_graphic(pixels: Any, width: int, height: int, bands: int) -> bool:
    """Whether finished 8-bit pixels (a buffer, rows from top to bottom) are flat graphics, text or a screenshot.

    In a drawing most pixels equal their left neighbour; in a photograph noise and shading leave few that do. The share
    is taken of eight rows, with and without the plain margins at their ends: a photograph on white is flat only with
    them. Measured on photographs and on drawn text, logos and screenshots, before and after JPEG: of drawings 0.79 and
    0.48 or more are flat, of photographs no more than 0.56, or 0.03 within their margins; about 1 % of the encoding.
    """
    stride, every = width * bands, max(1, height // _ROWS)
    rows = [bytes(pixels[top * stride : (top + 1) * stride]) for top in range(every // 2, height, every)]
    within = b"".join(row.strip(row[:bands]) for row in rows)
    number = int.from_bytes(within, "little")
    differences = (number ^ (number >> (8 * bands))).to_bytes(len(within), "little")
    equal = differences.count(bytes(bands)) * bands
    margins = len(rows) * stride - len(within)
    flat_in_all = equal + margins >= _FLAT_IN_ALL * len(rows) * stride
    return flat_in_all and equal >= _FLAT_WITHIN * len(within)

"""Tell drawings from photographs, because encoders treat them differently."""

from __future__ import annotations

from typing import Any

from imaging.formats import format_by_name
from imaging.picture import ImageHeader

_ROWS, _ACROSS = 8, 640
_SLIGHT = bytes(range(32))
"""Differences between neighbours, of which noise and shading make most and the edges of a drawing few."""


def is_from_graphic(source: ImageHeader) -> bool:
    """Return whether the original is a drawing, judged by its header and size: drawings compress well without loss.

    In lossless formats photographs have 0.4 to 1 byte for a byte of pixels, drawings 0.005 to 0.18 (bench/EFFORTS.md).
    Frames after the first are ignored: most of them hold only what moves.
    """
    pixels = source.width * source.height * source.bands * source.bits / 8
    return source.size < pixels * format_by_name(source.format).photo_density


def is_graphic(pixels: Any, width: int, height: int, bands: int) -> bool:
    """Return whether 8-bit pixels (a buffer, rows from top to bottom) are flat graphics, text or a screenshot.

    In a drawing most pixels equal their left neighbour and most others differ from it steeply; in a photograph few are
    equal and most differ slightly. The middle of eight rows is looked at. Plain margins count as flat, but they do not
    turn a photograph into a drawing, and a page of small text that is reduced further still counts as a photograph.
    tests/features/test_content.py has what this was measured on; it costs about 1 % of the encoding.
    """
    every, across = max(1, height // _ROWS), min(width, _ACROSS)
    starts = (bands * (top * width + (width - across) // 2) for top in range(every // 2, height, every))
    rows = [bytes(pixels[start : start + across * bands]) for start in starts]
    within = b"".join(row.strip(row[:bands]) for row in rows)
    number, everything = int.from_bytes(within, "little"), len(rows) * across * bands
    differences = (number ^ (number >> (8 * bands))).to_bytes(len(within), "little")
    equal, steep = bands * differences.count(bytes(bands)), len(differences.translate(None, _SLIGHT))
    differing, margins = len(within) - equal, everything - len(within)
    flat = equal + margins >= 0.7 * everything and equal >= 0.55 * len(within)
    edged = equal + margins >= 0.6 * everything and steep >= 0.4 * differing
    return flat or edged

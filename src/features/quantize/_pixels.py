"""The pixels of a picture as arrays, and a sample of them that speaks for all."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyvips
from numpy.typing import NDArray

from imaging.picture import Picture

Bytes = NDArray[np.uint8]
"""Colours, one a row: red, green and blue."""
Floats = NDArray[np.float32]
"""Colours, one a row: L*, a* and b*."""
Indices = NDArray[np.int64]

_SEEN = 65_536
"""Pixels that are looked at, spread over all frames."""
_PICKED = 4_096
"""Of them, those that k-means gets. Twice as many move the mean difference by 1 %."""
_ACCENTS = 0.7
"""A colour that covers the share s of the picture counts as s to this power.

At 1 small things that catch the eye lose their colour (the cat's green eyes); at 0.5 large ones lose their shades.
"""
_GOLDEN = (5**0.5 - 1) / 2


class Pixels(NamedTuple):
    """All pixels of all frames, in rows."""

    image: pyvips.Image
    """8 bits a band, in memory."""
    rgb: Bytes
    """A grey is three equal levels."""
    alpha: NDArray[np.uint8] | None

    @classmethod
    def of(cls, picture: Picture) -> Pixels:
        """The pixels of a picture, of 16 bits the upper eight."""
        image: Any = picture.image
        if image.format != "uchar":
            image = image.colourspace("b-w" if image.bands < 3 else "srgb").cast("uchar")
        levels = image.write_to_memory()
        held = pyvips.Image.new_from_memory(levels, image.width, image.height, image.bands, "uchar")
        rows = np.frombuffer(levels, np.uint8).reshape(-1, image.bands)
        rgb = rows[:, :3] if image.bands >= 3 else np.broadcast_to(rows[:, :1], (len(rows), 3))
        return cls(held.copy(interpretation=image.interpretation), rgb, rows[:, -1] if image.hasalpha() else None)

    def seen(self) -> tuple[Bytes, NDArray[np.float64]]:
        """At most 65,536 pixels that are not clear, and how opaque each is, 0 to 1."""
        visible = None if self.alpha is None else np.flatnonzero(self.alpha)
        at = spread(len(self.rgb) if visible is None else len(visible), _SEEN)
        if visible is None or self.alpha is None:
            return self.rgb[at], np.ones(len(at))
        at = visible[at]
        return self.rgb[at], self.alpha[at] / 255


def spread(total: int, count: int) -> Indices:
    """At most `count` positions, without a pattern (multiples of the golden ratio), the same in every run."""
    if total <= count:
        return np.arange(total)
    return np.asarray(np.arange(count) * _GOLDEN % 1 * total, np.int64)


def picked(seen: Bytes, opacity: NDArray[np.float64]) -> Bytes:
    """The sample for k-means, in which rare colours have more than their share."""
    cells = cells_of(seen, bits=5)
    shares = np.bincount(cells, opacity) / opacity.sum()
    reached = np.cumsum(opacity * shares[cells] ** (_ACCENTS - 1))
    # Systematic sampling: equal steps along the sum of the weights.
    steps = (np.arange(_PICKED) + 0.5) / _PICKED * reached[-1]
    found: Bytes = seen[np.searchsorted(reached, steps).clip(max=len(seen) - 1)]
    return found


def cells_of(rgb: Bytes, bits: int) -> NDArray[np.uint32]:
    """The number of the cell in which each colour lies, where each axis has 2 to the power of `bits` cells."""
    cells = np.zeros(len(rgb), np.uint32)
    for band in range(3):
        cells <<= bits
        cells |= rgb[:, band] >> (8 - bits)
    return cells


def middles_of(cells: NDArray[Any], bits: int) -> Bytes:
    """The colour in the middle of each of these cells."""
    axes = [cells >> 2 * bits, cells >> bits & (1 << bits) - 1, cells & (1 << bits) - 1]
    return np.stack([(axis << 8 - bits) + (128 >> bits) for axis in axes], axis=1).astype(np.uint8)


def distinct(rgb: Bytes) -> Bytes:
    """Each colour once."""
    return middles_of(np.unique(cells_of(rgb, bits=8)), bits=8)


def lab_of(rgb: Bytes) -> Floats:
    """sRGB to CIELAB, D65."""
    return np.asarray(_row(rgb, "srgb").colourspace("lab").numpy()).reshape(-1, 3)


def difference(one: Floats, other: Floats) -> NDArray[np.float32]:
    """CIEDE2000 of each colour to that in the same row of the other."""
    return np.asarray(_row(one, "lab").dE00(_row(other, "lab")).numpy()).reshape(-1)


def _row(colours: NDArray[Any], space: str) -> Any:
    kind = "uchar" if colours.dtype == np.uint8 else "float"
    row: Any = pyvips.Image.new_from_memory(np.ascontiguousarray(colours).data, len(colours), 1, 3, kind)
    return row.copy(interpretation=space)

"""The pixels of an image as arrays, and a representative sample of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyvips
from numpy.typing import NDArray

from imaging.picture import Picture

Bytes = NDArray[np.uint8]
"""Colours, one per row: red, green and blue."""
Floats = NDArray[np.float32]
"""Colours, one per row: L*, a* and b*."""
Indices = NDArray[np.int64]

_READ = 65_536
"""Number of pixels that are read, spread over all frames."""
_SAMPLE = 4_096
"""Number of pixels in the sample for k-means. Twice as many change the mean difference by 1 %."""
_RARITY = 0.7
"""The weight of a colour is its share of the image, raised to this power.

At 1, small conspicuous objects lose their colour (the cat's green eyes); at 0.5, large areas lose their shades.
"""
_GOLDEN = (5**0.5 - 1) / 2


class Pixels(NamedTuple):
    """All pixels of all frames, one per row."""

    image: pyvips.Image
    """8 bits per band, in memory."""
    rgb: Bytes
    """Grey pixels have three equal levels."""
    alpha: NDArray[np.uint8] | None

    @classmethod
    def of(cls, picture: Picture) -> Pixels:
        """Return the pixels of an image; of 16 bits, the upper eight."""
        image: Any = picture.image
        if image.format != "uchar":
            image = image.colourspace("b-w" if image.bands < 3 else "srgb").cast("uchar")
        levels = image.write_to_memory()
        held = pyvips.Image.new_from_memory(levels, image.width, image.height, image.bands, "uchar")
        rows = np.frombuffer(levels, np.uint8).reshape(-1, image.bands)
        rgb = rows[:, :3] if image.bands >= 3 else np.broadcast_to(rows[:, :1], (len(rows), 3))
        return cls(held.copy(interpretation=image.interpretation), rgb, rows[:, -1] if image.hasalpha() else None)

    def seen(self) -> tuple[Bytes, NDArray[np.float64]]:
        """Return at most 65,536 pixels that are not transparent, and their opacity, 0 to 1."""
        visible = None if self.alpha is None else np.flatnonzero(self.alpha)
        at = spread(len(self.rgb) if visible is None else len(visible), _READ)
        if visible is None or self.alpha is None:
            return self.rgb[at], np.ones(len(at))
        at = visible[at]
        return self.rgb[at], self.alpha[at] / 255


def spread(total: int, count: int) -> Indices:
    """Return at most `count` positions, spread without a pattern by multiples of the golden ratio."""
    if total <= count:
        return np.arange(total)
    return np.asarray(np.arange(count) * _GOLDEN % 1 * total, np.int64)


def sample(seen: Bytes, opacity: NDArray[np.float64]) -> Bytes:
    """Return the sample for k-means, in which rare colours have more than their share."""
    cells = cells_of(seen, bits=5)
    shares = np.bincount(cells, opacity) / opacity.sum()
    reached = np.cumsum(opacity * shares[cells] ** (_RARITY - 1))
    # Systematic sampling takes equal steps along the cumulative weights.
    steps = (np.arange(_SAMPLE) + 0.5) / _SAMPLE * reached[-1]
    found: Bytes = seen[np.searchsorted(reached, steps).clip(max=len(seen) - 1)]
    return found


def cells_of(rgb: Bytes, bits: int) -> NDArray[np.uint32]:
    """Return the number of each colour's cell in a grid with 2 to the power of `bits` cells on each axis."""
    cells = np.zeros(len(rgb), np.uint32)
    for band in range(3):
        cells <<= bits
        cells |= rgb[:, band] >> (8 - bits)
    return cells


def middles_of(cells: NDArray[Any], bits: int) -> Bytes:
    """Return the colour in the middle of each cell."""
    axes = [cells >> 2 * bits, cells >> bits & (1 << bits) - 1, cells & (1 << bits) - 1]
    return np.stack([(axis << 8 - bits) + (128 >> bits) for axis in axes], axis=1).astype(np.uint8)


def distinct(rgb: Bytes) -> Bytes:
    """Return each colour once."""
    return middles_of(np.unique(cells_of(rgb, bits=8)), bits=8)


def lab_of(rgb: Bytes) -> Floats:
    """Convert sRGB to CIELAB (D65)."""
    return np.asarray(_row(rgb, "srgb").colourspace("lab").numpy()).reshape(-1, 3)


def difference(one: Floats, other: Floats) -> NDArray[np.float32]:
    """Return the CIEDE2000 difference between the colours of each row."""
    return np.asarray(_row(one, "lab").dE00(_row(other, "lab")).numpy()).reshape(-1)


def _row(colours: NDArray[Any], space: str) -> Any:
    kind = "uchar" if colours.dtype == np.uint8 else "float"
    row: Any = pyvips.Image.new_from_memory(np.ascontiguousarray(colours).data, len(colours), 1, 3, kind)
    return row.copy(interpretation=space)

"""Remove the background's colour from semi-transparent edges.

Around hair and fur each pixel is a mixture of subject and background. A cut-out that keeps the mixture has a halo in
the colours of the old background. Therefore the colours of both are estimated from neighbouring pixels. This is done on
a reduced copy, because these colours are smooth. At full size only the share of the background is removed, so that the
details of the image are kept.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pyvips

from imaging.context import NO_DEADLINE, Deadline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Bytes = NDArray[np.uint8]
    Halves = NDArray[np.int16]
    Indexes = NDArray[np.intp]

_SIDES = (2, 4, 8, 16, 32, 64, 128)
"""Sides of the reduced copies in pixels, from the coarsest; the copies are square for any aspect ratio."""
_COARSE = 32
_ROUNDS, _FINE_ROUNDS = 10, 2
"""Number of iterations for copies up to that side, and for larger ones."""
_SMOOTH = 1e-5
"""Weight of the similarity of neighbours where alpha is constant; the change of alpha is added to it."""
_SHARE_BITS = 7
"""Shares are integers of this many bits, whose products with halved differences fit in 16 bits."""


def decontaminate(image: pyvips.Image, alpha: pyvips.Image, deadline: Deadline = NO_DEADLINE) -> pyvips.Image:
    """Return the colours with that alpha: the subject's own where it is semi-transparent, black where it is clear.

    To each pixel, the difference between the subject's and the background's colour is added, times the background's
    share. Raises TimeExceeded.
    """
    import numpy as np  # noqa: PLC0415 - takes 55 ms; the mask has imported it already

    size = image.height, image.width
    pixels = np.frombuffer(image.write_to_memory(), np.uint8).reshape(*size, 3)
    levels = np.frombuffer(alpha.write_to_memory(), np.uint8).reshape(size)
    cut = _blend(pixels, levels, _colour_difference(image, alpha), deadline)
    return pyvips.Image.new_from_memory(cut.data, image.width, image.height, 4, "uchar").copy(interpretation="srgb")


def clear_transparent(image: pyvips.Image, alpha: pyvips.Image) -> pyvips.Image:
    """Return the colours with that alpha, black where it is 0, so that the result does not contain the background."""
    return (alpha > 0).ifthenelse(image, 0).copy(interpretation="srgb").bandjoin(alpha)


def _blend(pixels: Bytes, alpha: Bytes, difference: Halves, deadline: Deadline) -> Bytes:
    """Return red, green, blue and alpha, with the enlarged difference times 1 - alpha added to the colours.

    The rows between the same two rows of the reduced copy are computed together: their numbers, of 16 bits, stay in
    the processor's cache, which makes this twice as fast as operations on the whole image.
    """
    import numpy as np  # noqa: PLC0415 - no plain edit needs it

    height, width = alpha.shape
    left, right, share = _positions(len(difference), width)
    across = difference[:, left] + ((difference[:, right] - difference[:, left]) * share[:, None] >> _SHARE_BITS)
    across = across.reshape(len(difference), 3 * width)
    above, below, share = _positions(len(difference), height)
    bounds = [0, *(np.flatnonzero(np.diff(above)) + 1).tolist(), height]
    cut = np.empty((height, width, 4), np.uint8)
    for start, end in pairwise(bounds):
        deadline.check()
        added = (across[below[start]] - across[above[start]]) * share[start:end, None]
        added >>= _SHARE_BITS
        added += across[above[start]]
        rest = np.empty((end - start, width, 3), np.int16)
        for band in range(3):
            rest[..., band] = 255 - alpha[start:end]
        # The difference is halved, so that this fits in 16 bits: 1/128 of it is 2/256.
        added *= rest.reshape(added.shape)
        added >>= _SHARE_BITS
        added += pixels[start:end].reshape(added.shape)
        rows = cut[start:end]
        rows[..., :3] = added.clip(0, 255).reshape(rest.shape)
        rows[..., 3] = alpha[start:end]
        rows.view(np.uint32)[alpha[start:end] == 0] = 0
    return cut


def _positions(have: int, want: int) -> tuple[Indexes, Indexes, Halves]:
    """Return for each of `want` pixels its two neighbours among `have`, and the share of the second, of 128."""
    import numpy as np  # noqa: PLC0415 - no plain edit needs it

    at = ((np.arange(want) + 0.5) * (have / want) - 0.5).clip(0, have - 1)
    first = at.astype(np.intp)
    return first, np.minimum(first + 1, have - 1), np.rint((at - first) * (1 << _SHARE_BITS)).astype(np.int16)


def _colour_difference(image: pyvips.Image, alpha: pyvips.Image) -> Halves:
    """Return half of the subject's colours minus the background's, -127 to 127, for every pixel of a reduced copy.

    This is multi-level foreground estimation (Germer et al., 2020, arXiv:2006.14970): it begins with the coarsest copy,
    and each finer copy starts from the result of the one before.
    """
    import numpy as np  # noqa: PLC0415 - takes 55 ms; the mask has imported it already

    side = _SIDES[-1]
    reduced = _at(image.bandjoin(alpha), side, side)
    stored = np.frombuffer(reduced.write_to_memory(), np.uint8).reshape(side, side, 4)
    finest: Floats = stored.astype(np.float32) / np.float32(255)
    both = np.zeros((1, 1, 6), np.float32)
    for pixels in _SIDES:
        level = _nearest(finest, pixels)
        both = _solve(level[..., :3], level[..., 3], _nearest(both, pixels))
    halves: Halves = ((both[..., :3] - both[..., 3:]) * 127).round().astype(np.int16)
    return halves


def _nearest(pixels: Floats, side: int) -> Floats:
    """Resize to a square by nearest-neighbour sampling."""
    import numpy as np  # noqa: PLC0415 - no plain edit needs it

    rows = np.arange(side) * pixels.shape[0] // side
    found: Floats = pixels[rows][:, rows]
    return found


def _solve(image: Floats, share: Floats, both: Floats) -> Floats:
    """Return six bands, the subject's colours and the background's: mixed by alpha they give the image.

    They are also similar to those of neighbouring pixels. Each iteration solves the two linear equations of every pixel
    (formula 8 of the paper).
    """
    import numpy as np  # noqa: PLC0415 - no plain edit needs it

    share = share[..., None]
    rest = 1 - share
    weights = [_SMOOTH + np.abs(share - around) for around in _neighbours(share)]
    total = sum(weights)
    first, cross, second = share * share + total, share * rest, rest * rest + total
    # The 2 x 2 matrix of each pixel is inverted once, because it does not change between iterations.
    scale = 1 / (first * second - cross * cross)
    first, cross, second = first * scale, cross * scale, second * scale
    mixed = np.concatenate([share * image, rest * image], axis=-1)
    for _ in range(_ROUNDS if len(image) <= _COARSE else _FINE_ROUNDS):
        target = mixed + sum(weight * around for weight, around in zip(weights, _neighbours(both), strict=True))
        subject, background = target[..., :3], target[..., 3:]
        solved = [second * subject - cross * background, first * background - cross * subject]
        both = np.concatenate(solved, axis=-1).clip(0, 1)
    return both


def _neighbours(pixels: Floats) -> list[Floats]:
    """Return the left, right, upper and lower neighbours of each pixel; at an edge, the pixel itself."""
    import numpy as np  # noqa: PLC0415 - no plain edit needs it

    left = np.concatenate([pixels[:, :1], pixels[:, :-1]], axis=1)
    right = np.concatenate([pixels[:, 1:], pixels[:, -1:]], axis=1)
    above = np.concatenate([pixels[:1], pixels[:-1]])
    below = np.concatenate([pixels[1:], pixels[-1:]])
    return [left, right, above, below]


def _at(image: pyvips.Image, width: int, height: int) -> pyvips.Image:
    return image.resize(width / image.width, vscale=height / image.height, kernel="linear")

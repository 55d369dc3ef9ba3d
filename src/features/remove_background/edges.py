"""The colours of half-clear edges without what shone through from the background.

Around hair and fur each pixel mixes subject and background, and a cut-out that keeps the mixture has a halo in the
colours of the old background. So both are estimated from what lies around them, on a reduced copy: they are smooth. At
full size the background's share is taken out, and what the picture has of detail is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyvips

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_SIDES = (2, 4, 8, 16, 32, 64, 128)
"""Pixels a side of the copies, from the coarsest on, whatever the proportions of the picture."""
_COARSE = 32
_ROUNDS, _FINE_ROUNDS = 10, 2
"""Up to that side, and beyond it."""
_SMOOTH = 1e-5
"""How much neighbours should be alike where alpha is even; where it changes, by its change as well."""


def unmixed(image: pyvips.Image, alpha: pyvips.Image) -> pyvips.Image:
    """Three bands: the colours of the subject alone where it is half clear, and black where it is clear.

    What is added to each pixel is how far the subject's colour is from the background's, by the background's share.
    """
    # In half levels around 128, as that is quicker than with fractions.
    apart = _at(_colours_apart(image, alpha), image.width, image.height)
    added = alpha.ifthenelse(128, apart, blend=True).linear([2], [-256])
    return cleared((image + added).cast("uchar"), alpha)


def cleared(image: pyvips.Image, alpha: pyvips.Image) -> pyvips.Image:
    """The colours as they are, black where the picture is clear: nothing of the background leaves unseen."""
    return (alpha > 0).ifthenelse(image, 0)


def _colours_apart(image: pyvips.Image, alpha: pyvips.Image) -> pyvips.Image:
    """The subject's colours less the background's, halved and above 128; everywhere, reduced.

    Multi-level estimation (Germer et al., 2020, arXiv:2006.14970): the coarsest copy has the mean colours, each finer
    one begins with what the one before has found.
    """
    import numpy as np  # noqa: PLC0415 - 55 ms, and the mask's maker has it imported

    side = _SIDES[-1]
    reduced = _at(image.bandjoin(alpha), side, side)
    stored = np.frombuffer(reduced.write_to_memory(), np.uint8).reshape(side, side, 4)
    finest: Floats = stored.astype(np.float32) / np.float32(255)
    both = np.zeros((1, 1, 6), np.float32)
    for pixels in _SIDES:
        level = _nearest(finest, pixels)
        both = _settled(level[..., :3], level[..., 3], _nearest(both, pixels))
    apart = ((both[..., :3] - both[..., 3:]) * 127 + 128).astype(np.uint8)
    return pyvips.Image.new_from_memory(apart.tobytes(), side, side, 3, "uchar")


def _nearest(pixels: Floats, side: int) -> Floats:
    """The same at another size, by the nearest pixel."""
    import numpy as np  # noqa: PLC0415 - no plain edit needs it

    rows = np.arange(side) * pixels.shape[0] // side
    found: Floats = pixels[rows][:, rows]
    return found


def _settled(image: Floats, share: Floats, both: Floats) -> Floats:
    """Colours that mix to the image by its alpha and are near their neighbours': the subject's three bands, then the
    background's. Each round solves the two equations of every pixel (the paper's formula 8).
    """
    import numpy as np  # noqa: PLC0415 - no plain edit needs it

    share = share[..., None]
    rest = 1 - share
    weights = [_SMOOTH + np.abs(share - around) for around in _neighbours(share)]
    total = sum(weights)
    first, cross, second = share * share + total, share * rest, rest * rest + total
    scale = 1 / (first * second - cross * cross)
    first, cross, second = first * scale, cross * scale, second * scale
    mixed = np.concatenate([share * image, rest * image], axis=-1)
    for _ in range(_ROUNDS if len(image) <= _COARSE else _FINE_ROUNDS):
        drawn = mixed + sum(weight * around for weight, around in zip(weights, _neighbours(both), strict=True))
        subject, background = drawn[..., :3], drawn[..., 3:]
        solved = [second * subject - cross * background, first * background - cross * subject]
        both = np.concatenate(solved, axis=-1).clip(0, 1)
    return both


def _neighbours(pixels: Floats) -> list[Floats]:
    """Left, right, above and below of each pixel; at the edge itself."""
    import numpy as np  # noqa: PLC0415 - no plain edit needs it

    left = np.concatenate([pixels[:, :1], pixels[:, :-1]], axis=1)
    right = np.concatenate([pixels[:, 1:], pixels[:, -1:]], axis=1)
    above = np.concatenate([pixels[:1], pixels[:-1]])
    below = np.concatenate([pixels[1:], pixels[-1:]])
    return [left, right, above, below]


def _at(image: pyvips.Image, width: int, height: int) -> pyvips.Image:
    return image.resize(width / image.width, vscale=height / image.height, kernel="linear")

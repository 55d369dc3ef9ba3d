"""Closed-form alpha matting (Levin et al., 2008) by pymatting, in a child process that is killed at the deadline."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import pyvips

from features.remove_background.parameters import RemoveBackground
from imaging.context import Context
from imaging.deadlines.killable_process import run_isolated
from imaging.models.inference import model_lock
from imaging.models.rembg import find_compiled_code, use_compiled_code
from imaging.models.saliency import to_rgb_array

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_MAX_PIXELS = 1_000_000
"""Two million pixels take four seconds and 1.6 GB."""


class Thresholds(NamedTuple):
    """Which parts of a mask are certain."""

    foreground: int
    background: int
    erode: int


def matted(image: pyvips.Image, mask: pyvips.Image, requested: RemoveBackground, context: Context) -> pyvips.Image:
    """Return the mask with edges refined from the image, in the image's size. Raises Unavailable, TimeExceeded."""
    import numpy as np  # noqa: PLC0415 - 55 ms

    folder = find_compiled_code(context.weights)
    scale = min(1.0, math.sqrt(_MAX_PIXELS / (image.width * image.height)))
    width, height = max(1, int(image.width * scale)), max(1, int(image.height * scale))
    small = mask.resize(width / mask.width, vscale=height / mask.height)
    levels = np.frombuffer(small.write_to_memory(), np.uint8).reshape(height, width)
    thresholds = Thresholds(
        requested.alpha_matting_foreground_threshold,
        requested.alpha_matting_background_threshold,
        requested.alpha_matting_erode_size,
    )
    with model_lock(context.deadline):
        alpha = run_isolated(context.deadline, _alpha, to_rgb_array(image, width, height), levels, thresholds, folder)
    if alpha is None:
        return mask
    found = pyvips.Image.new_from_memory(alpha, width, height, 1, "uchar").copy(interpretation="b-w")
    return found.resize(image.width / width, vscale=image.height / height, kernel="cubic")


def _alpha(pixels: Pixels, mask: Pixels, thresholds: Thresholds, folder: str) -> bytes | None:
    """Return alpha from 0 to 255, row by row; None if the mask has no certain subject or no certain background."""
    use_compiled_code(folder)
    import numpy as np  # noqa: PLC0415 - only in the child process
    from pymatting.alpha.estimate_alpha_cf import estimate_alpha_cf  # noqa: PLC0415 - imports numba

    try:
        alpha = estimate_alpha_cf(pixels / 255.0, _trimap(mask, thresholds))
    except ValueError:
        return None
    return bytes((alpha * 255).clip(0, 255).astype(np.uint8).tobytes())


def _trimap(mask: Pixels, thresholds: Thresholds) -> NDArray[np.float64]:
    """Return 1 where the subject is certain, 0 where the background is, and 0.5 elsewhere, as rembg does."""
    import numpy as np  # noqa: PLC0415 - only in the child process
    from scipy.ndimage import binary_erosion  # noqa: PLC0415 - a slow import that only matting needs

    square = np.ones((thresholds.erode, thresholds.erode)) if thresholds.erode else None
    trimap = np.full(mask.shape, 0.5)
    trimap[binary_erosion(mask > thresholds.foreground, square)] = 1
    trimap[binary_erosion(mask < thresholds.background, square, border_value=1)] = 0
    return trimap

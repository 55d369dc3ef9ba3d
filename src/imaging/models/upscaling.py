"""Doubles the size of images with a network that was trained to restore details (waifu2x, upconv_7, for photographs).

The network is convolutional, so an image is enlarged tile by tile: memory does not grow with the image, and each pixel
is the same as if the whole image had been enlarged at once.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pyvips

from imaging.context import Deadline
from imaging.errors import Unavailable
from imaging.models.inference import InterruptibleSession, model_lock, open_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

UPSCALING = "waifu2x-photo"
"""The name that `image-handler weights` takes."""
MODEL = Path("upscale", f"{UPSCALING}.onnx")
"""The model within the folder of the weights; `image-handler weights` makes it."""
REACH = 7
"""Pixels around a pixel of the image that the network reads to enlarge it."""
_TILE = 192
"""Longest side in pixels of a tile; a larger one takes more memory and is no faster."""
_OVERSHOOT = 0.5
"""How far a level may exceed the range of those around it, as a part of that range; less costs sharpness."""


def has_upscaling(weights: str | None) -> bool:
    """Return whether the weights of the network are installed."""
    return bool(weights) and Path(weights or "", MODEL).exists()


def double(image: pyvips.Image, weights: str | None, deadline: Deadline) -> pyvips.Image:
    """Return an image of three bands of 8 bits in twice its width and height. Raises Unavailable, TimeExceeded."""
    import numpy as np  # noqa: PLC0415 - 55 ms

    padded = image.embed(REACH, REACH, image.width + 2 * REACH, image.height + 2 * REACH, extend="copy")
    levels = np.frombuffer(padded.write_to_memory(), np.uint8).reshape(padded.height, padded.width, 3)
    enlarged = np.empty((2 * image.height, 2 * image.width, 3), np.uint8)
    with model_lock(deadline):
        network = _opened(weights)
        for top, bottom in _spans(image.height):
            for left, right in _spans(image.width):
                deadline.check()
                tile = levels[top : bottom + 2 * REACH, left : right + 2 * REACH]
                enlarged[2 * top : 2 * bottom, 2 * left : 2 * right] = _run(network, tile)
    made = pyvips.Image.new_from_memory(enlarged.tobytes(), 2 * image.width, 2 * image.height, 3, "uchar")
    return _within_range(made, image).copy(interpretation=image.interpretation)


def _run(network: InterruptibleSession, tile: Pixels) -> Pixels:
    """Return the tile without its margin, enlarged."""
    import numpy as np  # noqa: PLC0415 - imported already

    made = network.run(None, {"levels": tile.transpose(2, 0, 1)[None].astype(np.float32)})[0][0]
    doubled: Pixels = made.round().clip(0, 255).astype(np.uint8).transpose(1, 2, 0)
    return doubled


def _spans(length: int) -> list[tuple[int, int]]:
    """Return where the tiles along a side begin and end: as few as possible, and of nearly the same length."""
    count = -(-length // _TILE)
    edges = [length * index // count for index in range(count + 1)]
    return list(pairwise(edges))


def _within_range(made: pyvips.Image, image: pyvips.Image) -> pyvips.Image:
    """Return the enlarged image with each level near the range of those around it in the image.

    So a plain area keeps its exact colour, which the network misses by a level, and a hard edge gets no wide rim.
    """
    lowest, highest = (image.rank(3, 3, index).cast("short") for index in (0, 8))
    margin = ((highest - lowest) * _OVERSHOOT).rint().cast("short")
    lower, upper = (edge.zoom(2, 2) for edge in (lowest - margin, highest + margin))
    return made.cast("short").maxpair(lower).minpair(upper).cast("uchar")


@cache
def _opened(weights: str | None) -> InterruptibleSession:
    path = Path(weights or "", MODEL)
    if not has_upscaling(weights):
        raise Unavailable(f"the weights of {UPSCALING} are missing: run `image-handler weights {UPSCALING}`")
    return open_model(path)

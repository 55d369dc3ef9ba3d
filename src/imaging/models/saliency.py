"""The saliency of an image, which is what stands out from its background, by U²-Net (Qin et al., arXiv:2005.09007)."""

from __future__ import annotations

from functools import cache
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

SIDE = 320
"""Width and height of the model's input and of its mask, whatever the proportions of the image."""
MODEL = Path("optimised", "u2net.onnx")
"""The model within the folder of the weights; `image-handler weights` makes it."""
MODELS = {"u2net": MODEL, "u2net-int8": Path("int8", "u2net.onnx")}
"""Versions of U²-Net, by the names that `image-handler weights` takes."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_OPENING_SECONDS = 60.0
_OVERSAMPLED = 4
"""An image of more than this many times the size is first reduced by a whole factor, which is faster."""


def has_saliency(weights: str | None) -> bool:
    """Return whether the weights of U²-Net are installed."""
    return bool(weights) and Path(weights or "", MODEL).exists()


def to_rgb_array(image: pyvips.Image, width: int = SIDE, height: int = SIDE) -> Pixels:
    """Return the image's colours at that size, as an array of rows, columns and red, green, blue from 0 to 255.

    It is resized by Pillow's Lanczos filter, as in rembg: where the model is unsure, another filter changes the mask.
    """
    import numpy as np  # noqa: PLC0415 - 55 ms
    from PIL import Image  # noqa: PLC0415 - 40 ms

    image = image.colourspace("srgb") if image.bands < 3 else image
    across, down = (
        max(1, have // (_OVERSAMPLED * want)) for have, want in ((image.width, width), (image.height, height))
    )
    image = image.extract_band(0, n=3).shrink(across, down)
    whole = Image.frombytes("RGB", (image.width, image.height), image.write_to_memory())
    return np.asarray(whole.resize((width, height), Image.Resampling.LANCZOS))


def to_model_input(pixels: Pixels) -> NDArray[np.float32]:
    """Return the model's input, 1 × 3 × SIDE × SIDE, for pixels as `to_rgb_array` returns them.

    They are normalised as U²-Net was trained: by the largest value, then by the mean and deviation of ImageNet.
    """
    import numpy as np  # noqa: PLC0415 - 55 ms

    levels = pixels / max(float(pixels.max()), 1e-6)
    return ((levels - _MEAN) / _DEVIATION).transpose(2, 0, 1)[None].astype(np.float32)


def compute_saliency(pixels: Pixels, weights: str | None, deadline: Deadline, version: str = "u2net") -> Pixels:
    """Return how salient each of SIDE × SIDE pixels is, from 0 to 255, for pixels as `to_rgb_array` returns them.

    `version` is one of MODELS. Raises Unavailable where the weights or onnxruntime are missing, and TimeExceeded.
    """
    import numpy as np  # noqa: PLC0415 - 55 ms

    with model_lock(deadline):
        model = _opened(weights, version)
        saliency = model.run(None, {model.get_inputs()[0].name: to_model_input(pixels)})[0][0, 0]
    # Stretched to the full range, as rembg does.
    lowest, highest = float(saliency.min()), float(saliency.max())
    mask: Pixels = ((saliency - lowest) * (255 / max(highest - lowest, 1e-6))).astype(np.uint8)
    return mask


def find_weights(weights: str | None, version: str) -> Path:
    """Return the file of a version of U²-Net. Raises Unavailable where it is missing."""
    path = Path(weights or "", MODELS[version])
    if not weights or not path.exists():
        raise Unavailable(f"the weights of {version} are missing: run `image-handler weights {version}`")
    return path


def open_saliency(weights: str | None) -> None:
    """Open U²-Net, so that the first picture does not wait for it. Raises Unavailable, TimeExceeded.

    A picture that comes meanwhile waits until it is open, and does not open it again.
    """
    with model_lock(Deadline.after(_OPENING_SECONDS)):
        _opened(weights)


@cache
def _opened(weights: str | None, version: str = "u2net") -> InterruptibleSession:
    return open_model(find_weights(weights, version))

"""What stands out of a picture, by U²-Net (Qin et al., 2020, arXiv:2005.09007)."""

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
"""Pixels a side of what the model sees and of the mask that it gives, whatever the proportions of the picture."""
MODEL = Path("optimised", "u2net.onnx")
"""Within the folder of the weights; `image-handler weights` makes it."""
MODELS = {"u2net": MODEL, "u2net-int8": Path("int8", "u2net.onnx")}
"""Versions of U²-Net, by the names that `image-handler weights` takes."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_OVERSAMPLED = 4
"""A picture this many times larger than what is made of it is first reduced in whole steps, which is quicker."""


def has_saliency(weights: str | None) -> bool:
    """Whether the weights are in place."""
    return bool(weights) and Path(weights or "", MODEL).exists()


def to_rgb_array(image: pyvips.Image, width: int = SIDE, height: int = SIDE) -> Pixels:
    """The picture's colours at that size: rows, columns, red, green and blue of 0 to 255.

    By Pillow's Lanczos filter, as rembg has it: where the model hesitates, another filter makes another mask.
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
    """What the model takes, 1 × 3 × SIDE × SIDE, of pixels as `reduced` makes them."""
    import numpy as np  # noqa: PLC0415 - 55 ms

    levels = pixels / max(float(pixels.max()), 1e-6)
    return ((levels - _MEAN) / _DEVIATION).transpose(2, 0, 1)[None].astype(np.float32)


def compute_saliency(pixels: Pixels, weights: str | None, deadline: Deadline, version: str = "u2net") -> Pixels:
    """How sure each of SIDE × SIDE pixels, as `reduced` makes them, belongs to what stands out: 0 to 255.

    `version` is one of MODELS. Unavailable where the weights or onnxruntime are missing, TimeExceeded.
    """
    import numpy as np  # noqa: PLC0415 - 55 ms

    with model_lock(deadline):
        model = _opened(weights, version)
        sure = model.run(None, {model.get_inputs()[0].name: to_model_input(pixels)})[0][0, 0]
    least, most = float(sure.min()), float(sure.max())
    mask: Pixels = ((sure - least) * (255 / max(most - least, 1e-6))).astype(np.uint8)
    return mask


@cache
def _opened(weights: str | None, version: str = "u2net") -> InterruptibleSession:
    path = Path(weights or "", MODELS[version])
    if not weights or not path.exists():
        raise Unavailable(f"the weights of {version} are missing: run `image-handler weights {version}`")
    return open_model(path)

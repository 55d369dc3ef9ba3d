"""Masks of subjects: by U²-Net, or by rembg's own sessions for every other model."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyvips

from imaging.context import Context
from imaging.errors import Unavailable
from imaging.models.inference import InterruptibleSession, model_lock, session_options
from imaging.models.rembg import session_class
from imaging.models.saliency import MODELS, compute_saliency, to_rgb_array

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.uint8]

_MODEL_SIDE = 1024
"""Pixels of the longer side of what rembg's models are shown: none of them looks at more."""
_STEPS = 63
"""Levels of a mask beside 0. More are noise, and the alpha channel of a WebP would take two thirds longer to write."""


def subject_mask(image: pyvips.Image, model: str, context: Context) -> pyvips.Image:
    """One band in the size of the image, 0 (background) to 255 (subject). Unavailable, TimeExceeded."""
    if model in MODELS:
        mask = compute_saliency(to_rgb_array(image), context.weights, context.deadline, model)
    else:
        mask = _by_rembg(image, model, context)
    return _enlarged(mask, image.width, image.height)


def _enlarged(mask: Mask, width: int, height: int) -> pyvips.Image:
    from PIL import Image  # noqa: PLC0415 - the mask's maker has it imported

    whole = Image.fromarray(mask).resize((width, height), Image.Resampling.BICUBIC)
    stepped = whole.point([round(round(level * _STEPS / 255) * 255 / _STEPS) for level in range(256)])
    return pyvips.Image.new_from_memory(stepped.tobytes(), width, height, 1, "uchar").copy(interpretation="b-w")


def smoothed(mask: pyvips.Image) -> pyvips.Image:
    """The mask with thin parts taken off and hard, round edges, as rembg's post-processing leaves it."""
    opened = _crossed(_crossed(mask, "minpair"), "maxpair")
    soft = opened.gaussblur(2, precision="float", min_ampl=0.001)
    return (soft >= 127).ifthenelse(255, 0).cast("uchar").copy(interpretation="b-w")


def _crossed(mask: pyvips.Image, pick: str) -> pyvips.Image:
    """Each pixel the least or the greatest of itself and its four neighbours."""
    around = mask.embed(1, 1, mask.width + 2, mask.height + 2, extend="copy")
    found = mask
    for left, top in ((0, 1), (2, 1), (1, 0), (1, 2)):
        found = getattr(found, pick)(around.crop(left, top, mask.width, mask.height))
    return found


def _by_rembg(image: pyvips.Image, model: str, context: Context) -> Mask:
    import numpy as np  # noqa: PLC0415 - 55 ms
    from PIL import Image  # noqa: PLC0415 - 40 ms

    scale = min(1.0, _MODEL_SIDE / max(image.width, image.height))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    seen = Image.fromarray(to_rgb_array(image, *size))
    with model_lock(context.deadline):
        session = _session(model, context.weights)
        context.deadline.check()
        masks = [np.asarray(mask) for mask in session.predict(seen)]
    # Of clothes there is a mask for each kind.
    found: Mask = np.maximum.reduce([mask.reshape(-1, *seen.size[::-1]).max(axis=0) for mask in masks])
    return found


@cache
def _session(model: str, weights: str | None) -> Any:
    """One session for each model in a process."""
    of_model = session_class(model, weights)
    session = of_model(model, session_options(), **_own_file(model, weights))
    for name, value in vars(session).items():
        if hasattr(value, "run"):
            setattr(session, name, InterruptibleSession(value))
    return session


def _own_file(model: str, weights: str | None) -> dict[str, str]:
    """Where rembg finds a model that users bring along."""
    if not model.endswith("_custom"):
        return {}
    path = Path(weights or "", f"{model}.onnx")
    if not path.exists():
        raise Unavailable(f"the weights of {model} are missing: put {path.name} into the folder of weights (WEIGHTS)")
    return {"model_path": str(path)}

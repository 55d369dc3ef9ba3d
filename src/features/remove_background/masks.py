"""Masks of subjects, by U²-Net, or by a session of rembg for every other model."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyvips

from imaging.context import Context
from imaging.errors import Unavailable
from imaging.models.inference import InterruptibleSession, model_lock, session_options
from imaging.models.rembg import MISSING, session_class
from imaging.models.saliency import MODELS, compute_saliency, find_weights, to_rgb_array

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.uint8]

_VERSION = 1
"""Raised with each change of how the model's input and its mask are made, because masks are kept."""
_PIECES, _PIECE_BYTES = 64, 4096
_MODEL_SIDE = 1024
"""Longer side in pixels of the input for rembg's models; none of them has a larger input."""
_STEPS = 63
"""Number of levels of a mask besides 0. More are noise, and encoding a WebP's alpha would take two thirds longer."""


def subject_mask(image: pyvips.Image, model: str, context: Context) -> pyvips.Image:
    """Return one band in the size of the image, 0 (background) to 255 (subject). Raises Unavailable, TimeExceeded.

    A model runs once for each page of an original, whatever the size of the image is in which it looks at the page.
    """

    def compute() -> Mask:
        if model in MODELS:
            return compute_saliency(to_rgb_array(image), context.weights, context.deadline, model)
        return _by_rembg(image, model, context)

    name = json.dumps([_VERSION, model, _model_version(model, context.weights), context.page, context.applied])
    mask = context.masks.get(name, compute, is_edited=bool(context.applied))
    return _enlarged(mask, image.width, image.height)


@cache
def _model_version(model: str, weights: str | None) -> str:
    """Return what tells one version of a model's weights from another. Raises Unavailable where they are missing."""
    if model in MODELS:
        path = find_weights(weights, model)
        data = path.with_suffix(".bin")
        return _fingerprint(data if data.exists() else path)
    if model.endswith("_custom"):
        return _fingerprint(Path(_own_file(model, weights)["model_path"]))
    # rembg compares its weights with checksums of its own.
    return _rembg_version()


def _fingerprint(path: Path) -> str:
    """Return a digest of the size of a file and of pieces of it: reading 170 MB would take as long as a model runs."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for piece in range(_PIECES):
            file.seek(size * piece // _PIECES)
            digest.update(file.read(_PIECE_BYTES))
    return digest.hexdigest()[:16]


def _rembg_version() -> str:
    try:
        return version("rembg")
    except PackageNotFoundError:
        raise Unavailable(MISSING) from None


def _enlarged(mask: Mask, width: int, height: int) -> pyvips.Image:
    from PIL import Image  # noqa: PLC0415 - the model has imported it already

    enlarged = Image.fromarray(mask).resize((width, height), Image.Resampling.BICUBIC)
    stepped = enlarged.point([round(round(level * _STEPS / 255) * 255 / _STEPS) for level in range(256)])
    return pyvips.Image.new_from_memory(stepped.tobytes(), width, height, 1, "uchar").copy(interpretation="b-w")


def smooth(mask: pyvips.Image) -> pyvips.Image:
    """Return the mask without thin parts and with hard, round edges, as rembg's post-processing does."""
    opened = _crossed(_crossed(mask, "minpair"), "maxpair")
    soft = opened.gaussblur(2, precision="float", min_ampl=0.001)
    return (soft >= 127).ifthenelse(255, 0).cast("uchar").copy(interpretation="b-w")


def _crossed(mask: pyvips.Image, pick: str) -> pyvips.Image:
    """Return for each pixel the minimum or maximum of itself and its four neighbours."""
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
    # The model for clothes returns a mask for each kind; a pixel belongs to the subject if any of them contains it.
    found: Mask = np.maximum.reduce([mask.reshape(-1, *seen.size[::-1]).max(axis=0) for mask in masks])
    return found


@cache
def _session(model: str, weights: str | None) -> Any:
    """Return the session of a model, one per process."""
    of_model = session_class(model, weights)
    session = of_model(model, session_options(), **_own_file(model, weights))
    for name, value in vars(session).items():
        if hasattr(value, "run"):
            setattr(session, name, InterruptibleSession(value))
    return session


def _own_file(model: str, weights: str | None) -> dict[str, str]:
    """Return the argument that gives rembg the file of a custom model."""
    if not model.endswith("_custom"):
        return {}
    path = Path(weights or "", f"{model}.onnx")
    if not path.exists():
        raise Unavailable(f"the weights of {model} are missing: put {path.name} into the folder of weights (WEIGHTS)")
    return {"model_path": str(path)}

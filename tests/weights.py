"""What tests of the models need: their weights, which `make setup` gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.tools import lacking

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples"
PHOTOS = SAMPLES / "photos"
WEIGHTS = ROOT / "weights"


def require_weights(*names: str) -> Path:
    """The folder with at least these files in it.

    Without them the test fails on CI, and anywhere else is skipped with the command that brings them.
    """
    missing = [name for name in names if not (WEIGHTS / name).exists()]
    if not missing:
        return WEIGHTS
    return lacking(f"{missing[0]} is needed in weights/: make setup")


def rembg() -> Any:
    """rembg, without compiling anything; its own session of U²-Net is `rembg_session`."""
    from imaging.models.rembg import find_compiled_code, use_compiled_code

    use_compiled_code(find_compiled_code(str(require_weights("numba/made-with"))))
    import rembg as imported

    return imported


def rembg_session(model: str) -> Any:
    """rembg's own session for a model."""
    rembg()
    from imaging.models.rembg import local_session_class

    weights = require_weights(f"{model}.onnx")
    import onnxruntime

    return local_session_class(model, weights, fetch=False)(model, onnxruntime.SessionOptions())

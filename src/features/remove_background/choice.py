"""Which model removes the background where a request names none."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from imaging.context import Context
from imaging.models.processor import multiplies_bytes
from imaging.models.saliency import MODELS

_EXACT, _EIGHT_BITS = "u2net", "u2net-int8"


def choose_model(named: str | None, context: Context) -> str:
    """Return the model that a request names, or the operator, or else the faster one on this processor.

    The eight-bit model is chosen only where its weights are installed.
    """
    if named is not None:
        return named
    return _fastest(context.weights) if context.cutout_model == "auto" else context.cutout_model


@cache
def _fastest(weights: str | None) -> str:
    has_weights = bool(weights) and Path(weights or "", MODELS[_EIGHT_BITS]).exists()
    return _EIGHT_BITS if has_weights and multiplies_bytes() else _EXACT

"""Prepares the folder of the models' weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path


def set_up(
    weights: Path, original: Path | None, others: Sequence[str] = (), *, quantised: bool = False
) -> Iterator[str]:
    """Prepare the folder, and yield a description of each step before it is done. What is ready is left alone.

    `original` is the file of U²-Net's published weights, or None where they are not needed any more. `others` are
    models that rembg downloads. Without rembg, its part is left out, and `others` raise Unavailable. `quantised` asks
    for U²-Net in eight bits too, which raises Unavailable without onnx.
    """
    from imaging.models import setup  # noqa: PLC0415 - no request needs it

    return setup.steps(weights, original, others, quantised=quantised)

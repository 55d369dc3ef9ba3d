"""Prepares the folder of the models' weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path


def installed_models(weights: str | None) -> tuple[str, ...]:
    """Return the models of cut-outs whose weights are in the folder, without opening them.

    Those that rembg runs also need rembg itself, and its code compiled.
    """
    from imaging.models.rembg import COMPILED, NOTE  # noqa: PLC0415 - no image needs it
    from imaging.models.saliency import MODELS  # noqa: PLC0415 - as above

    folder = Path(weights or "")
    own = tuple(name for name, path in MODELS.items() if weights and (folder / path).exists())
    if not weights or find_spec("rembg") is None or not (folder / COMPILED / NOTE).exists():
        return own
    return own + tuple(path.stem for path in sorted(folder.glob("*.onnx")) if path.stem not in MODELS)


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


def set_up_upscaling(weights: Path, original: Path) -> Iterator[str]:
    """Make the network of `upscale` from the file of its published weights, and yield a description before.

    What is ready is left alone. Raises Unavailable without onnx.
    """
    from imaging.models import setup  # noqa: PLC0415 - no request needs it

    return setup.upscaling_steps(weights, original)

"""The folder of the models' weights: what set-up makes of it, so that no request has to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path


def set_up(
    weights: Path, original: Path | None, others: Sequence[str] = (), calibration: Sequence[Path] = ()
) -> Iterator[str]:
    """Make the folder ready, saying each thing that is done before it is done; what is ready is left alone.

    `original` holds U²-Net's weights as they are published; nothing, where they have been made use of. `others` are
    models that rembg fetches. Without rembg its part is left out, and others are Unavailable. `calibration` are the
    pictures that U²-Net is quantised with; without them it is not.
    """
    from imaging.models import setup  # noqa: PLC0415 - no request needs it

    return setup.steps(weights, original, others, calibration)

"""Decode an original where it can be killed."""

from __future__ import annotations

from imaging.codecs.open_image import decoded_image
from imaging.context import Context
from imaging.deadlines.killable_process import Confinement, ProcessDied, run_confined
from imaging.errors import DamagedSource
from imaging.params.output import Output
from imaging.picture import ImageHeader, Picture


def decode_isolated(original: bytes, source: ImageHeader, output: Output, context: Context, shrink: float) -> Picture:
    """Return all pixels, decoded in a process that ends with the deadline."""
    limits = context.limits
    confinement = Confinement(context.deadline, limits.memory, limits.processors)
    # Whatever happens in the process, its end comes from here: it needs no deadline of its own.
    inner = Context(limits=limits)
    try:
        return run_confined(confinement, limits.memory, _decode_to_memory, original, source, output, inner, shrink)
    except ProcessDied as error:
        raise DamagedSource("the picture cannot be decoded", detail=str(error)) from error


def _decode_to_memory(original: bytes, source: ImageHeader, output: Output, context: Context, shrink: float) -> Picture:
    """Decode all pixels; called in the isolated process."""
    with decoded_image(original, source, output, context, shrink) as picture:
        return picture.with_image(picture.image.copy_memory())

"""Another stored picture that a feature lays over this one, or puts beside it."""

from __future__ import annotations

from collections.abc import Callable

import pyvips

from features._alpha import premultiplied
from features._decode import decode, inspect, source_at_fault, uninterruptible_seconds
from features._errors import DamagedSource, InvalidParameter, TimeExceeded, TooLarge, UnsupportedSource
from features._output import Output
from features._ports import Context, ObjectRef
from features._watch import watched

Size = tuple[int, int]


def overlay(ref: ObjectRef, feature: str, context: Context, size_of: Callable[[Size], Size]) -> pyvips.Image:
    """The first frame of an object, in the size that `size_of` makes of its own; InvalidParameter of that feature's
    `key` when it cannot be read.
    """
    body = context.objects[ref]
    output = Output(animated=False)
    try:
        source = inspect(body, context.limits, context.deadline)
        full = source.upright
        size = size_of(full)
        shrink = min(full[0] / size[0], full[1] / size[1])
        if not context.deadline.leaves_room_for(uninterruptible_seconds(source)):
            raise TimeExceeded(f"the {feature} would take longer than one request may take")
        # Here and now: whatever is wrong with its pixels must be told of the overlay, not of the picture.
        with source_at_fault(body, source, output, context):
            picture = decode(body, source, output, context, shrink if source.format == "svg" else max(1.0, shrink))
            with watched(picture.image, context.deadline):
                return scaled(context.veil(picture).image, size).copy_memory()
    except (UnsupportedSource, DamagedSource, TooLarge) as error:
        expected = f"the key of a picture that can be read ({error.message})"
        raise InvalidParameter(f"{feature}.key", expected, ref.key, code="OverlayImageException") from error


def scaled(image: pyvips.Image, size: Size) -> pyvips.Image:
    """The image stretched to that size."""
    across, down = size[0] / image.width, size[1] / image.height
    return image if across == down == 1 else premultiplied(image, lambda it: it.resize(across, vscale=down))

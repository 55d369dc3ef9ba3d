"""Render previews of an image for detectors: small, upright, opaque, in memory."""

from __future__ import annotations

import pyvips

from imaging.codecs.decode import inspect, uninterruptible_seconds
from imaging.codecs.open_image import decoded_image
from imaging.context import Context, Deadline, Limits
from imaging.errors import DamagedSource
from imaging.params.output import Output
from imaging.picture import ImageHeader

_BACKGROUND = 128
"""Grey behind transparent pixels, on which both black and white drawings are visible."""


def render_previews(
    original: bytes, limits: Limits, deadline: Deadline, *, side: int, max_frames: int = 1
) -> list[pyvips.Image]:
    """Return previews in sRGB with 8 bits and three bands, at most `side` pixels on each side.

    An animation or a document has up to `max_frames` previews, evenly spread over it. FeatureError as from `run`.
    """
    source = inspect(original, limits, deadline)
    return [_preview(original, source, page, limits, deadline, side) for page in _spread(source.frames, max_frames)]


def render_preview(original: bytes, limits: Limits, deadline: Deadline, *, side: int, page: int) -> pyvips.Image:
    """Return the preview of one frame or page."""
    return _preview(original, inspect(original, limits, deadline), page, limits, deadline, side)


def _spread(frames: int, max_frames: int) -> list[int | None]:
    """Return evenly spread pages with the first and the last; None is the default page."""
    if frames == 1 or max_frames == 1:
        return [None]
    return list(dict.fromkeys(round(place * (frames - 1) / (max_frames - 1)) for place in range(max_frames)))


def _preview(
    original: bytes, source: ImageHeader, page: int | None, limits: Limits, deadline: Deadline, side: int
) -> pyvips.Image:
    if deadline.leaves_room_for(uninterruptible_seconds(source)):
        return _decode_preview(original, source, page, Context(limits=limits, deadline=deadline), side)
    from imaging.deadlines.killable_process import Confinement, ProcessDied, run_confined  # noqa: PLC0415 - few pictures take another

    bounds = Confinement(deadline, limits.memory, limits.processors)
    try:
        return run_confined(
            bounds, limits.memory, _decode_preview, original, source, page, Context(limits=limits), side
        )
    except ProcessDied as error:
        raise DamagedSource("the picture cannot be decoded", detail=str(error)) from None


def _decode_preview(
    original: bytes, source: ImageHeader, page: int | None, context: Context, side: int
) -> pyvips.Image:
    output = Output(page=page, animated=False)
    # The preshrink has an SVG, which has no size of its own, drawn at the size of the preview.
    with decoded_image(original, source, output, context, max(source.width, source.height) / side) as picture:
        image = picture.image.thumbnail_image(side, height=side, size="down", no_rotate=True)
        if image.hasalpha():
            image = image.flatten(background=[_BACKGROUND] * (image.bands - 1))
        return image.colourspace("srgb").copy_memory()

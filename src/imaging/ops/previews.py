"""A picture as it is shown to whoever looks at it: small, upright, opaque, in memory."""

from __future__ import annotations

import pyvips

from imaging.codecs.decode import inspect, uninterruptible_seconds
from imaging.codecs.open_image import decoded_image
from imaging.context import Context, Deadline, Limits
from imaging.errors import DamagedSource
from imaging.params.output import Output
from imaging.picture import ImageHeader

_GROUND = 128
"""Grey, on which both black and white drawings show where a picture is clear."""


def render_previews(
    original: bytes, limits: Limits, deadline: Deadline, *, side: int, most: int = 1
) -> list[pyvips.Image]:
    """The picture in sRGB, 8 bits in three bands, at most `side` pixels a side; of an animation or of several pages up
    to `most`, spread over it. FeatureError as of a run.
    """
    source = inspect(original, limits, deadline)
    return [_view(original, source, page, limits, deadline, side) for page in _spread(source.frames, most)]


def _spread(frames: int, most: int) -> list[int | None]:
    """At most so many of the pages, the first and the last among them; None is the one that is shown unasked."""
    if frames == 1 or most == 1:
        return [None]
    return list(dict.fromkeys(round(place * (frames - 1) / (most - 1)) for place in range(most)))


def _view(
    original: bytes, source: ImageHeader, page: int | None, limits: Limits, deadline: Deadline, side: int
) -> pyvips.Image:
    if deadline.leaves_room_for(uninterruptible_seconds(source)):
        return _seen(original, source, page, Context(limits=limits, deadline=deadline), side)
    from imaging.deadlines.killable_process import Confinement, ProcessDied, run_confined  # noqa: PLC0415 - few pictures take another

    bounds = Confinement(deadline, limits.memory, limits.processors)
    try:
        return run_confined(bounds, limits.memory, _seen, original, source, page, Context(limits=limits), side)
    except ProcessDied as error:
        raise DamagedSource("the picture cannot be decoded", detail=str(error)) from None


def _seen(original: bytes, source: ImageHeader, page: int | None, context: Context, side: int) -> pyvips.Image:
    output = Output(page=page, animated=False)
    # A drawing, which comes in any size, is drawn as large as that.
    with decoded_image(original, source, output, context, max(source.width, source.height) / side) as picture:
        image = picture.image.thumbnail_image(side, height=side, size="down", no_rotate=True)
        if image.hasalpha():
            image = image.flatten(background=[_GROUND] * (image.bands - 1))
        return image.colourspace("srgb").copy_memory()

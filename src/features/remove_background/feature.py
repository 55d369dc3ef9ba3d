"""Remove the background of every frame, and put another one behind the subject."""

from __future__ import annotations

import time

import pyvips
from msgspec import structs

from features.remove_background.parameters import RemoveBackground
from imaging.context import Context
from imaging.cost import Cost, Shape
from imaging.errors import TimeExceeded
from imaging.ops.backdrop import lay_over, load_backdrop, plain_backdrop, render_in_memory
from imaging.ops.geometry import visible_box
from imaging.picture import Picture
from imaging.pipeline.feature import Decision, Step, feature

_SEEN_SIDE = 640
"""Shorter side in pixels down to which the decoder may reduce the image: twice the side of the model's input."""
_BYTES = 9
"""Bytes per pixel for the mask, for copies of it and of the colours while edges are treated, and for the cut-out."""


def _max_preshrink(requested: RemoveBackground, size: tuple[int, int]) -> float:
    """Return how far the decoder may reduce the image.

    With `trim`, the size of the result is unknown before the subject is found, and matting needs the full size.
    """
    return 1.0 if requested.trim or requested.alpha_matting else min(size) / _SEEN_SIDE


_MODEL_SECONDS = {"u2net": 1.6, "u2net-int8": 1.1, "u2netp": 0.5}
"""Seconds per frame; the default counts as the slower of its two models.

The other models are larger and have not been measured.
"""
_OTHER_SECONDS = 6.0
_MODEL_BYTES = 300_000_000


def _cost(requested: RemoveBackground, shape: Shape) -> Cost:
    seconds, memory = _MODEL_SECONDS.get(requested.model or "u2net", _OTHER_SECONDS), _MODEL_BYTES
    if requested.alpha_matting:
        seconds, memory = seconds + 3.0, memory + 800 * min(1_000_000, shape.width * shape.height)
    return Cost(0.04, _BYTES, base_seconds=seconds * shape.frames, base_memory=memory)


def _decide(requested: RemoveBackground, context: Context) -> Decision:
    """Make the default model a part of the ETag, so that no result passes for that of another model."""
    from features.remove_background.choice import choose_model  # noqa: PLC0415 - only cut-outs need it

    chosen = () if requested.model is not None else (choose_model(None, context),)
    return Decision((Step(remove_background, requested),), chosen)


@feature(
    RemoveBackground,
    group="effect",
    cost=_cost,
    adds_alpha=True,
    reads="whole",
    overlay_size=lambda _requested, room, _full: room,
    expensive=True,
    objects=lambda requested: requested.refs,
    max_preshrink=_max_preshrink,
    decide=_decide,
)
def remove_background(picture: Picture, requested: RemoveBackground, context: Context) -> Picture:
    picture = picture.materialized().reserve(_BYTES * picture.width * picture.height * picture.frames)
    frames = picture.split()
    uncut = frames[0].colourspace("srgb").extract_band(0, n=3)
    picture = picture.with_image(_subjects(frames, requested, context))
    if requested.trim:
        picture = picture.with_image(render_in_memory(picture.image))
        box = visible_box(picture)
        picture, uncut = box.cut(picture), uncut.crop(*box)
    if requested.background is None:
        return structs.replace(picture, uncut=uncut)
    behind = _behind(requested, (picture.width, picture.height), context)
    return picture.each_frame(lambda frame: lay_over(behind, frame))


def _subjects(frames: list[pyvips.Image], requested: RemoveBackground, context: Context) -> pyvips.Image:
    """Return all frames without background. Raises TimeExceeded as soon as it is clear that the time is too short."""
    contexts = [structs.replace(context, page=context.page + index) for index in range(len(frames))]
    cut = [_subject(frames[0], requested, context)]
    if len(frames) == 1:
        return cut[0]
    # The first frame does not count for the pace, because it may have waited until the model was loaded.
    started = time.monotonic()
    for frame, of_frame in zip(frames[1:], contexts[1:], strict=True):
        cut.append(_subject(frame, requested, of_frame))
        pace = (time.monotonic() - started) / (len(cut) - 1)
        if pace * (len(frames) - len(cut)) > context.deadline.left():
            raise TimeExceeded(
                f"removing the background of {len(frames)} frames takes longer than one request may take"
            )
    return pyvips.Image.arrayjoin(cut, across=1)


def _subject(frame: pyvips.Image, requested: RemoveBackground, context: Context) -> pyvips.Image:
    """Return the frame without its background, or only its mask."""
    from features.remove_background import choice, edges, masks  # noqa: PLC0415 - only cut-outs need them

    context.deadline.check()
    frame = frame.colourspace("srgb") if frame.bands < 3 else frame
    mask = masks.subject_mask(frame, choice.choose_model(requested.model, context), context)
    if requested.post_process:
        mask = masks.smooth(mask)
    if requested.alpha_matting:
        from features.remove_background.matting import matted  # noqa: PLC0415 - it starts a process

        mask = matted(frame, mask, requested, context)
    if frame.hasalpha():
        mask = (mask * frame[3] / 255).rint().cast("uchar")
    if requested.mask_only:
        return mask
    colours = frame.extract_band(0, n=3)
    if requested.decontaminate:
        return edges.decontaminate(colours, mask, context.deadline)
    return edges.clear_transparent(colours, mask)


def _behind(requested: RemoveBackground, size: tuple[int, int], context: Context) -> pyvips.Image:
    """Return the background in the size of a frame, with alpha only if it is not opaque."""
    color = requested.background.color if requested.background is not None else None
    if color is not None:
        return plain_backdrop(color, size)
    (ref,) = requested.refs
    return load_backdrop(ref, size, context, "removeBackground.background", requested.background)

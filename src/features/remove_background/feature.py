"""From a picture to its subject."""

from __future__ import annotations

import time

import pyvips

from features._cost import Cost, Shape
from features._errors import TimeExceeded
from features._feature import feature
from features._geometry import Box
from features._open import open_image
from features._picture import Picture
from features._ports import Context
from features.remove_background.parameters import RemoveBackground

_VISIBLE = 25
"""Level of alpha from which on something belongs to the subject when the rest is cut off: a tenth."""
_SEEN_SIDE = 640
"""Pixels of the shorter side that a reduction on load leaves: twice what the default model sees."""
_BYTES = 8
"""For each pixel: the mask on its way to full size, and the cut-out."""


def _bears(wanted: RemoveBackground, size: tuple[int, int]) -> float:
    """Where the subject stands is not known before it is cut out, so its size neither."""
    return 1.0 if wanted.trim or wanted.alpha_matting else min(size) / _SEEN_SIDE


_MODEL_SECONDS = {"u2net": 1.6, "u2net-int8": 1.1, "u2netp": 0.5}
"""Of each frame; the other models are larger, and have not been measured."""
_OTHER_SECONDS = 6.0
_MODEL_BYTES = 300_000_000


def _cost(wanted: RemoveBackground, shape: Shape) -> Cost:
    seconds, memory = _MODEL_SECONDS.get(wanted.model, _OTHER_SECONDS), _MODEL_BYTES
    if wanted.alpha_matting:
        seconds, memory = seconds + 3.0, memory + 800 * min(1_000_000, shape.width * shape.height)
    return Cost(0.04, _BYTES, base_seconds=seconds * shape.frames, base_memory=memory)


@feature(
    RemoveBackground,
    group="effect",
    cost=_cost,
    adds_alpha=True,
    reads="whole",
    overlay_size=lambda _wanted, room, _full: room,
    heavy=True,
    objects=lambda wanted: wanted.refs,
    bears=_bears,
)
def remove_background(picture: Picture, wanted: RemoveBackground, context: Context) -> Picture:
    picture = picture.materialized().taking(_BYTES * picture.width * picture.height * picture.frames)
    picture = picture.with_image(_subjects(picture.split(), wanted, context))
    if wanted.trim:
        picture = _trimmed(picture)
    if wanted.background is None:
        return picture
    behind = _behind(wanted, (picture.width, picture.height), context)
    return picture.each_frame(lambda frame: _on(behind, frame))


def _subjects(frames: list[pyvips.Image], wanted: RemoveBackground, context: Context) -> pyvips.Image:
    """Every frame cut out; TimeExceeded as soon as their pace shows that there is no time for all."""
    cut = [_subject(frames[0], wanted, context)]
    if len(frames) == 1:
        return cut[0]
    # The first may have waited for the model to be opened.
    started = time.monotonic()
    for frame in frames[1:]:
        cut.append(_subject(frame, wanted, context))
        pace = (time.monotonic() - started) / (len(cut) - 1)
        if pace * (len(frames) - len(cut)) > context.deadline.left():
            raise TimeExceeded(f"cutting out {len(frames)} frames would take longer than one request may take")
    return pyvips.Image.arrayjoin(cut, across=1)


def _subject(frame: pyvips.Image, wanted: RemoveBackground, context: Context) -> pyvips.Image:
    """The frame cut out, or its mask alone."""
    from features.remove_background import edges, masks  # noqa: PLC0415 - only cut-outs need them

    context.deadline.check()
    frame = frame.colourspace("srgb") if frame.bands < 3 else frame
    mask = masks.subject_mask(frame, wanted.model, context)
    if wanted.post_process:
        mask = masks.smoothed(mask)
    if wanted.alpha_matting:
        from features.remove_background.matting import matted  # noqa: PLC0415 - it starts a process

        mask = matted(frame, mask, wanted, context)
    if frame.hasalpha():
        mask = (mask * frame[3] / 255).rint().cast("uchar")
    if wanted.mask_only:
        return mask
    colours = frame.extract_band(0, n=3)
    cut = edges.unmixed(colours, mask) if wanted.decontaminate else edges.cleared(colours, mask)
    return cut.copy(interpretation="srgb").bandjoin(mask)


def _trimmed(picture: Picture) -> Picture:
    """What of the frames is visible in any of them; all of it if nothing is."""
    picture = picture.with_image(_drawn(picture.image))
    boxes = [
        frame[frame.bands - 1].find_trim(threshold=_VISIBLE, background=[0], line_art=True) for frame in picture.split()
    ]
    found = [(left, top, left + width, top + height) for left, top, width, height in boxes if width and height]
    if not found:
        return picture
    left, top = (min(box[side] for box in found) for side in (0, 1))
    right, bottom = (max(box[side] for box in found) for side in (2, 3))
    return Box(left, top, right - left, bottom - top).cut(picture)


def _drawn(image: pyvips.Image) -> pyvips.Image:
    """The pixels computed, as they will be read more than once."""
    pixels = image.write_to_memory()
    drawn = pyvips.Image.new_from_memory(pixels, image.width, image.height, image.bands, image.format)
    return drawn.copy(interpretation=image.interpretation)


def _behind(wanted: RemoveBackground, size: tuple[int, int], context: Context) -> pyvips.Image:
    """In the size of a frame, with alpha only if something shines through."""
    color = wanted.background.color if wanted.background is not None else None
    if color is None:
        return _backdrop(wanted, size, context)
    levels = color.rgba if color.alpha < 1 else color.rgb
    plain = (pyvips.Image.black(*size, bands=len(levels)) + levels).cast("uchar")
    return plain.copy(interpretation="srgb")


def _backdrop(wanted: RemoveBackground, size: tuple[int, int], context: Context) -> pyvips.Image:
    """The picture that is named, cut to fill; InvalidParameter when it cannot be read."""
    (ref,) = wanted.refs

    def shrink_of(full: tuple[int, int]) -> float:
        return min(have / want for have, want in zip(full, size, strict=True))

    parameter, expected = "removeBackground.background", "a colour, or the key of a picture"
    with open_image(
        ref, context, shrink_of, name="backdrop", parameter=parameter, expected=expected, got=wanted.background
    ) as picture:
        return _drawn(_filling(picture.image, size))


def _filling(image: pyvips.Image, size: tuple[int, int]) -> pyvips.Image:
    filled = image.thumbnail_image(size[0], height=size[1], size="both", crop="centre", no_rotate=True)
    return filled.colourspace("srgb")


def _on(behind: pyvips.Image, frame: pyvips.Image) -> pyvips.Image:
    """The frame before what lies behind it, with alpha only if that has some."""
    return behind.composite2(frame, "over").cast("uchar")[: behind.bands]

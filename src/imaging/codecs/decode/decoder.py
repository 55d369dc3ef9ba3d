"""From stored bytes to an upright picture in sRGB."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyvips

from imaging.codecs.decode import bitmaps, cost, heif
from imaging.codecs.decode.color import to_srgb
from imaging.codecs.decode.header import source_of
from imaging.codecs.decode.loaders import damaged, opened
from imaging.context import MEGA, Context, Deadline, Limits
from imaging.deadlines.vips_watchdog import watched
from imaging.errors import DamagedSource, InvalidParameter, TooLarge
from imaging.params.output import Output
from imaging.picture import ImageHeader, Picture

Image = Any
"""A pyvips image; its stubs give every field a union of types."""

_ANIMATED = frozenset({"gif", "webp"})
_MOST_SIDE = 32_000
"""Pixels; what a drawing is drawn at."""


def decode(original: bytes, source: ImageHeader, output: Output, context: Context, shrink: float = 1.0) -> Picture:
    """The picture upright in sRGB or grey, 8 bits a band; of an animation all frames where the output can hold them.

    `shrink` is by how much the first step will reduce it: the decoder may reduce by less, an SVG is drawn to measure
    (below 1: larger). Pixels are read lazily and once, from top to bottom. DamagedSource, TooLarge, InvalidParameter
    for a page.
    """
    page, limits = output.page, context.limits
    if page is not None and page >= source.frames:
        raise InvalidParameter("page", f"0 to {source.frames - 1}", page)
    if page:
        source = source_of(original, source.format, page, limits, context.deadline)
    frames = source.frames if _keeps_frames(source, output) else 1
    if frames > 1:
        _check_animation(source, limits)
    try:
        image, taken = _loaded(original, source, frames, output, context, shrink)
        return _picture(image, source, frames, context, taken)
    except pyvips.Error as error:
        context.deadline.check()
        raise damaged(error) from None
    except DamagedSource:
        # What is read through a pipe ends with the deadline.
        context.deadline.check()
        raise


@contextmanager
def source_at_fault(original: bytes, source: ImageHeader, output: Output, context: Context) -> Iterator[None]:
    """Around whatever pulls pixels: an error of libvips becomes TimeExceeded after the deadline, DamagedSource if the
    source cannot be read on its own either, and stays what it is if the fault is ours.
    """
    try:
        yield
    except pyvips.Error:
        context.deadline.check()
        _read_through(original, source, output, context)
        raise


def _read_through(original: bytes, source: ImageHeader, output: Output, context: Context) -> None:
    is_isolated = source.format in ("svg", "heif")
    if is_isolated or not context.deadline.leaves_room_for(cost.uninterruptible_seconds(source)):
        return  # it was read where it can be killed, and its faults were found there
    picture = decode(original, source, output, context)
    try:
        with watched(picture.image, context.deadline):
            picture.image.avg()
    except pyvips.Error as error:
        context.deadline.check()
        raise damaged(error) from None


def _keeps_frames(source: ImageHeader, output: Output) -> bool:
    asked = output.format if output.format not in (None, "auto", "original") else source.format
    keeps = output.animated is not False and output.page is None
    return keeps and source.format in _ANIMATED and asked in _ANIMATED


def _check_animation(source: ImageHeader, limits: Limits) -> None:
    if source.frames > limits.frames:
        raise TooLarge(f"the animation must have at most {limits.frames} frames, got {source.frames}")
    pixels = source.width * source.height * source.frames
    if pixels > limits.animation_pixels:
        raise TooLarge(f"the frames must have at most {limits.animation_pixels} pixels together, got {pixels}")


def _loaded(
    original: bytes, source: ImageHeader, frames: int, output: Output, context: Context, shrink: float
) -> tuple[pyvips.Image, int]:
    """The frames as the decoder gives them, and the bytes of memory that this will take, within the budget."""
    kind, page, limits = source.format, output.page, context.limits
    tolerant = limits.tolerate_truncated
    if kind in ("bmp", "ico"):
        taken = _memory_taken(source, (source.width, source.height), frames, limits)
        if kind == "bmp":
            return bitmaps.bmp_pixels(original, tolerant=tolerant), taken
        return bitmaps.ico_pixels(original, page, tolerant=tolerant), taken
    if kind == "svg":
        return _drawn(original, source, shrink, context)
    # How much of a damaged file can be shown, libvips knows best.
    is_beside = kind == "png" and limits.processors > 1 and not tolerant
    instead = _unpacked(original, context.deadline) if is_beside else None
    options = _options(source, frames, output, shrink)
    image = opened(original, kind, tolerant=tolerant, instead=instead, **options)
    taken = _memory_taken(source, (image.width, image.height // frames), frames, limits)
    return heif.pixels(original, page, image, context) if kind == "heif" else image, taken


def _drawn(original: bytes, source: ImageHeader, shrink: float, context: Context) -> tuple[pyvips.Image, int]:
    from imaging.codecs.decode.svg import drawn  # noqa: PLC0415 - of SVG alone

    scale = _drawing_scale(shrink, source, context.limits)
    size = math.ceil(source.width * scale), math.ceil(source.height * scale)
    taken = _memory_taken(source, size, 1, context.limits)
    return drawn(original, size, scale, context.limits, context.deadline), taken


def _unpacked(original: bytes, deadline: Deadline) -> pyvips.Source | None:
    from imaging.codecs.decode.inflate import unpacked  # noqa: PLC0415 - of PNG alone

    return unpacked(original, deadline)


def _options(source: ImageHeader, frames: int, output: Output, shrink: float) -> dict[str, object]:
    if source.format == "jpeg":
        return {"shrink": _jpeg_shrink(shrink, source, output)}
    options: dict[str, object] = {"page": output.page} if output.page else {}
    if frames > 1:
        options["n"] = -1
    elif source.format == "webp" and shrink > 1:
        options["scale"] = 1 / shrink
    elif source.format == "tiff":
        # The library's own limit of 50 MB refuses a camera's TIFF; memory is checked here.
        options["unlimited"] = True
    return options


def loaded_size(source: ImageHeader, output: Output, shrink: float) -> tuple[int, tuple[int, int]]:
    """How many frames a decoder will give, and their width and height, upright."""
    frames = source.frames if _keeps_frames(source, output) else 1
    by = 1.0
    if source.format == "jpeg":
        by = _jpeg_shrink(shrink, source, output)
    elif source.format == "svg" or (source.format == "webp" and frames == 1):
        by = shrink
    width, height = (max(1, math.ceil(side / by)) for side in source.upright)
    return frames, (width, height)


def _jpeg_shrink(shrink: float, source: ImageHeader, output: Output) -> int:
    """Which of the decoder's own reductions leaves enough for the resize.

    Twice as much for other formats than JPEG as for JPEG: that pays for the lower efforts of their encoders
    (bench/EFFORTS.md).
    """
    to_jpeg = output.format == "jpeg" or (output.format in (None, "original") and source.format == "jpeg")
    enough = max((step for step in (8, 4, 2) if step * (1 if to_jpeg else 2) <= shrink), default=1)
    # Nearly the whole reduction would be the decoder's: its rounding shows.
    return enough // 2 if enough > 1 and int(shrink) == enough else enough


def _drawing_scale(shrink: float, source: ImageHeader, limits: Limits) -> float:
    """The scale at which a drawing comes out as large as it is asked for; TooLarge."""
    scale = 1 / shrink
    width, height = source.width * scale, source.height * scale
    if max(width, height) > _MOST_SIDE or width * height > limits.source_pixels:
        raise TooLarge(
            f"a drawing must have at most {_MOST_SIDE} pixels a side and {limits.source_pixels} together, "
            f"got {round(width)} × {round(height)}"
        )
    return scale


def _memory_taken(source: ImageHeader, loaded: tuple[int, int], frames: int, limits: Limits) -> int:
    needed = cost.decoding_memory(source, loaded, frames)
    if needed > limits.memory:
        raise TooLarge(
            f"decoding must take at most {limits.memory // MEGA} MB of memory, got about {needed // MEGA} MB"
        )
    return needed


def _picture(image: pyvips.Image, source: ImageHeader, frames: int, context: Context, taken: int) -> Picture:
    with watched(image, context.deadline):
        image = to_srgb(image)
        if source.orientation > 1:
            image = _upright(image)
    loaded = (image.width, image.height // frames)
    return Picture(
        image=image,
        source=source,
        frames=frames,
        delays=source.delays if frames > 1 else (),
        loop=source.loop if frames > 1 else 0,
        shrunk_from=source.upright if loaded != source.upright else None,
        room=context.limits.memory - taken,
    )


def _upright(image: Image) -> Image:
    """Turned as the EXIF orientation says. A mirrored row can be streamed; all else reads rows out of order."""
    if image.get("orientation") > 2:
        image = image.copy_memory().copy()
        image.remove("vips-sequential")
    return image.autorot()

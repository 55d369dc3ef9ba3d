"""Decode stored bytes to an upright image in sRGB."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyvips

from imaging.codecs import cost
from imaging.codecs.decode.color import to_srgb
from imaging.codecs.decode.header import at_resolution, read_header
from imaging.codecs.decode.loaders import as_damaged_source, load
from imaging.context import MEGA, Context, Limits
from imaging.deadlines.vips_watchdog import watched
from imaging.errors import DamagedSource, InvalidParameter, TooLarge
from imaging.formats import format_by_name
from imaging.formats.format import DPI, Loading
from imaging.params.output import Output
from imaging.picture import ImageHeader, Picture

if TYPE_CHECKING:
    from imaging.codecs.decode.original_stream import OriginalStream

Image = Any
"""A pyvips image; its stubs give every field a union of types."""

_MAX_SIDE = 32_000
"""The longest side in pixels at which a drawing is rendered."""


def decode(
    original: bytes,
    source: ImageHeader,
    output: Output,
    context: Context,
    shrink: float = 1.0,
    *,
    keeps_profile: bool = False,
    stream: OriginalStream | None = None,
) -> Picture:
    """Return the image upright in sRGB or grey, 8 bits per band, with all frames if the output is animated.

    `shrink` is the factor by which the first step will reduce the image. The decoder may reduce by less; an SVG is
    rendered at exactly that size (below 1: larger). With `keeps_profile`, a single frame may still be in the color
    space of its profile (see `to_srgb`). With a stream, `original` is the head of the file, and the pixels are read
    from the stream. Pixels are read lazily and once, from top to bottom. Raises DamagedSource,
    TooLarge, and InvalidParameter for a page.
    """
    page, limits = output.page, context.limits
    if page is not None and page >= source.frames:
        expected = f"0 to {source.frames - 1}" if source.frames > 1 else "0, the only page of this original"
        raise InvalidParameter("page", expected, page)
    if page:
        source = at_resolution(read_header(original, source.format, page, limits, context.deadline), output)
    frames = source.frames if _keeps_frames(source, output) else 1
    if frames > 1:
        _check_animation(source, limits)
    try:
        image, taken = _loaded(original, source, frames, output, context, shrink, stream)
        with watched(image, context.deadline):
            image = _upright_in_srgb(image, original, source, keeps_profile=keeps_profile and frames == 1)
        return _picture(image, source, frames, context.limits.memory - taken)
    except pyvips.Error as error:
        context.deadline.check()
        raise as_damaged_source(error) from None
    except DamagedSource:
        # What is read through a pipe ends with the deadline.
        context.deadline.check()
        raise


@contextmanager
def source_at_fault(original: bytes, source: ImageHeader, output: Output, context: Context) -> Iterator[None]:
    """Surround code that uses pixels, and raise the right error in place of libvips' one.

    That is TimeExceeded after the deadline, and DamagedSource if the source cannot be decoded on its own either; any
    other error is a fault of this program and stays as it is.
    """
    try:
        yield
    except pyvips.Error:
        context.deadline.check()
        _read_through(original, source, output, context)
        raise


def _read_through(original: bytes, source: ImageHeader, output: Output, context: Context) -> None:
    is_isolated = format_by_name(source.format).decoder.isolated
    if is_isolated or not context.deadline.leaves_room_for(cost.uninterruptible_decoding_seconds(source)):
        return  # it was read where it can be killed, and its faults were found there
    picture = decode(original, source, output, context)
    try:
        with watched(picture.image, context.deadline):
            picture.image.avg()
    except pyvips.Error as error:
        context.deadline.check()
        raise as_damaged_source(error) from None


def _keeps_frames(source: ImageHeader, output: Output) -> bool:
    requested = format_by_name(source.format if output.format in (None, "auto", "best", "original") else output.format)
    can_animate = requested.encoder is not None and requested.encoder.animated
    keeps = output.animated is not False and output.page is None
    return keeps and source.is_animation and can_animate


def _check_animation(source: ImageHeader, limits: Limits) -> None:
    if source.frames > limits.frames:
        raise TooLarge(f"the animation must have at most {limits.frames} frames, got {source.frames}")
    pixels = source.width * source.height * source.frames
    if pixels > limits.animation_pixels:
        raise TooLarge(f"the frames must have at most {limits.animation_pixels} pixels together, got {pixels}")


def _loaded(
    original: bytes,
    source: ImageHeader,
    frames: int,
    output: Output,
    context: Context,
    shrink: float,
    stream: OriginalStream | None,
) -> tuple[pyvips.Image, int]:
    """Return the frames as the decoder reads them, and the memory in bytes that this will take, within the budget."""
    decoder, limits = format_by_name(source.format).decoder, context.limits
    if decoder.read_pixels:
        scale = _drawing_scale(shrink, source, limits) if decoder.scalable else 1.0
        size = math.ceil(source.width * scale), math.ceil(source.height * scale)
        taken = _memory_taken(source, size, frames, limits)
        # The scale of a drawing counts from the size that it has without a requested resolution.
        whole = scale * (output.dpi or DPI) / DPI if decoder.scalable else scale
        return decoder.read_pixels(Loading(original, size, whole, output.page, context)), taken
    if decoder.read_frames and source.is_animation and (frames > 1 or output.page is not None):
        size = (source.width, source.height)
        taken = _memory_taken(source, size, frames, limits)
        return decoder.read_frames(Loading(original, size, 1.0, output.page, context, frames)), taken
    if stream is not None and decoder.read_stream:
        taken = _memory_taken(source, loaded_size(source, output, shrink)[1], frames, limits)
        scale = 1 / _reduction(source, frames, output, shrink)
        return decoder.read_stream(stream, original, scale, context.deadline), taken
    if stream is None and decoder.read_still and not (output.page or limits.tolerate_truncated):
        taken = _memory_taken(source, loaded_size(source, output, shrink)[1], frames, limits)
        still = decoder.read_still(original, 1 / _reduction(source, frames, output, shrink), context.deadline)
        if still is not None:
            return still, taken
    # libvips knows best how much of a damaged file can be shown.
    has_thread = limits.processors > 1 and not limits.tolerate_truncated
    if stream is not None:
        instead: pyvips.Source | None = stream.open_source()
    else:
        instead = decoder.open_stream(original, context.deadline) if decoder.open_stream and has_thread else None
    options = decoder.load_options(_reduction(source, frames, output, shrink))
    if output.page:
        options["page"] = output.page
    if frames > 1:
        options["n"] = -1
    image = load(original, source.format, tolerant=limits.tolerate_truncated, instead=instead, **options)
    return image, _memory_taken(source, (image.width, image.height // frames), frames, limits)


def loaded_size(source: ImageHeader, output: Output, shrink: float) -> tuple[int, tuple[int, int]]:
    """Return how many frames a decoder will read, and their width and height, upright."""
    frames = source.frames if _keeps_frames(source, output) else 1
    reduction = _reduction(source, frames, output, shrink)
    width, height = (max(1, math.ceil(side / reduction)) for side in source.upright)
    return frames, (width, height)


def _reduction(source: ImageHeader, frames: int, output: Output, shrink: float) -> float:
    """Return the factor by which the decoder reduces the image while it reads it."""
    is_same_format = output.format in (None, "original", source.format)
    return format_by_name(source.format).decoder.reduction(shrink, frames, is_same_format=is_same_format)


def _drawing_scale(shrink: float, source: ImageHeader, limits: Limits) -> float:
    """Return the scale at which a drawing gets the requested size. Raises TooLarge."""
    scale = 1 / shrink
    width, height = source.width * scale, source.height * scale
    if max(width, height) > _MAX_SIDE or width * height > limits.source_pixels:
        raise TooLarge(
            f"a drawing must have at most {_MAX_SIDE} pixels a side and {limits.source_pixels} together, "
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


def _upright_in_srgb(image: Image, original: bytes, source: ImageHeader, *, keeps_profile: bool) -> Image:
    image = to_srgb(image, original, format_by_name(source.format), keeps_profile=keeps_profile)
    return _upright(image) if source.orientation > 1 else image


def _picture(image: pyvips.Image, source: ImageHeader, frames: int, room: float) -> Picture:
    loaded = (image.width, image.height // frames)
    return Picture(
        image=image,
        source=source,
        frames=frames,
        delays=source.delays if frames > 1 else (),
        loop=source.loop if frames > 1 else 0,
        shrunk_from=source.upright if loaded != source.upright else None,
        room=room,
    )


def _upright(image: Image) -> Image:
    """Return the image rotated by its EXIF orientation. Only mirrored rows can be streamed."""
    if image.get("orientation") > 2:
        image = image.copy_memory().copy()
        image.remove("vips-sequential")
    return image.autorot()

"""Picture to bytes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pyvips

from imaging.codecs.encoders import quality, rungs, save
from imaging.codecs.encoding_cost import affordable, encoder_memory, uninterruptible_seconds
from imaging.codecs.fit_bytes import largest_that_fits
from imaging.codecs.graphic_detection import is_from_graphic, is_graphic
from imaging.codecs.negotiation import ANIMATED, chosen_format
from imaging.context import MEGA, Context, Deadline, Limits
from imaging.deadlines.vips_watchdog import watched
from imaging.errors import TooLarge
from imaging.params.output import Format, Output
from imaging.picture import Picture

if TYPE_CHECKING:
    from imaging.codecs.metadata import Metadata

Image = Any
"""A pyvips image; its stubs know no names of enumerations."""

_MEASURED_PIXELS = 16_000_000
"""A larger JPEG is written while it is drawn instead of being held in memory; its source tells what it is."""
_LONGEST_SIDE = {"webp": 16_383, "jpeg": 65_500, "gif": 65_535}
_SUBSAMPLED_BELOW = 90


class Encoded(NamedTuple):
    """A finished file."""

    body: bytes
    format: Format
    frames: int


class _Job(msgspec.Struct, frozen=True):
    """What an encoder is told."""

    format: Format
    output: Output
    graphic: bool
    metadata: Metadata | None
    colours: bytes = b""
    """Of a PNG whose pixels are numbers in this palette."""


def encode(picture: Picture, output: Output, context: Context, metadata: Metadata | None = None) -> Encoded:
    """Write the picture with this metadata; InvalidParameter, TooLarge or TimeExceeded where that does not work."""
    chosen = chosen_format(picture, output, context)
    picture, output, colours = _as_indexed(picture, output, chosen)
    if chosen not in (*ANIMATED, "tiff"):
        picture = _first_frame(picture)
    _check_size(picture, chosen, output, context.limits)
    picture = picture.with_image(_fitting(picture.image, chosen))
    pixels = picture.width * picture.height * picture.frames
    if not math.isinf(context.deadline.at):
        output = affordable(chosen, output, pixels)
    graphic = bool(colours) or (picture.frames == 1 and is_from_graphic(picture.source))
    seconds = uninterruptible_seconds(chosen, output, pixels, picture.frames, graphic=graphic)
    if seconds or output.max_bytes or (chosen == "jpeg" and _content_decides(picture, output)):
        picture, graphic = _in_memory(picture, context.deadline)
    body = _in_time(picture, _Job(chosen, output, graphic, metadata, colours), context, seconds)
    return Encoded(body, chosen, picture.frames)


def _as_indexed(picture: Picture, output: Output, chosen: Format) -> tuple[Picture, Output, bytes]:
    """For a PNG of few known colours their numbers as its pixels, and the palette: nothing has to look for it again."""
    indexed = picture.indexed
    if chosen != "png" or indexed is None or output.max_bytes or len(indexed.colours) > 3 * (output.colors or 256):
        return picture, output, b""
    plain = msgspec.structs.replace(output, palette=False, colors=None)
    return picture.with_image(indexed.plane), plain, indexed.colours


def _first_frame(picture: Picture) -> Picture:
    if picture.frames == 1:
        return picture
    first = picture.image.crop(0, 0, picture.width, picture.height)
    return msgspec.structs.replace(picture.with_image(first), frames=1, delays=(), loop=0)


def _check_size(picture: Picture, chosen: Format, output: Output, limits: Limits) -> None:
    width, height, frames = picture.width, picture.height, picture.frames
    side = min(limits.result_side, _LONGEST_SIDE.get(chosen, limits.result_side))
    shape = f"{width} × {height}" + (f" × {frames} frames" if frames > 1 else "")
    if max(width, height) > side:
        raise TooLarge(f"no side of a {chosen} answer may be longer than {side} pixels, this one would be {shape}")
    most, pixels = limits.result_pixels_of.get(chosen, limits.result_pixels), width * height * frames
    if pixels > most:
        raise TooLarge(f"a {chosen} answer may have {most} pixels, this one would have {pixels}: {shape}")
    memory = encoder_memory(chosen, output, pixels, alpha=picture.has_alpha) + pixels * picture.image.bands
    megabytes = limits.memory // MEGA
    if memory > limits.memory:
        raise TooLarge(
            f"a {chosen} answer may take {megabytes} MB of memory, this one would take {memory // MEGA}: {shape}"
        )


def _fitting(image: Image, chosen: Format) -> Image:
    """The pixels in the bands and the depth that the format holds: JPEG has no alpha, and only TIFF stays deep."""
    if image.format != "uchar" and chosen != "tiff":
        image = image.colourspace("b-w" if image.bands < 3 else "srgb")
        image = image if image.format == "uchar" else image.cast("uchar")
    if chosen == "jpeg" and image.hasalpha():
        image = image.flatten(background=255)
    return image


def _content_decides(picture: Picture, output: Output) -> bool:
    """Whether a JPEG's colour resolution depends on its pixels; a very large one's does not."""
    asked = output.chroma_subsampling != "auto" or quality("jpeg", output) >= _SUBSAMPLED_BELOW
    return not asked and picture.image.bands >= 3 and picture.width * picture.height <= _MEASURED_PIXELS


def _in_memory(picture: Picture, deadline: Deadline) -> tuple[Picture, bool]:
    """The picture with its pixels drawn, and whether they are a drawing's."""
    image: Image = picture.image
    with watched(image, deadline):
        body = image.write_to_memory()
    drawn: Image = pyvips.Image.new_from_memory(body, image.width, image.height, image.bands, image.format)
    graphic = picture.frames == 1 and is_graphic(body, image.width, image.height, image.bands)
    return picture.with_image(drawn.copy(interpretation=image.interpretation)), graphic


def _in_time(picture: Picture, job: _Job, context: Context, uninterruptible: float) -> bytes:
    """The file before the deadline: written here, or where an encoder that nothing stops can be killed. TooLarge."""
    deadline, limits = context.deadline, context.limits
    if deadline.leaves_room_for(uninterruptible):
        return _written(picture, job, deadline)
    from imaging.deadlines.killable_process import Confinement, ProcessDied, run_confined  # noqa: PLC0415 - few answers take another

    try:
        bounds = Confinement(deadline, limits.memory, limits.processors)
        return run_confined(bounds, limits.memory, _written, picture, job, Deadline())
    except ProcessDied as error:
        message = f"a {job.format} answer may take {limits.memory // MEGA} MB of memory, this one takes more"
        raise TooLarge(message, detail=str(error)) from None


def _written(picture: Picture, job: _Job, deadline: Deadline) -> bytes:
    image = _structured(picture, job)

    def attempt(requested: Output) -> bytes:
        deadline.check()
        with watched(image, deadline):
            body = save(
                image,
                job.format,
                requested,
                graphic=job.graphic,
                keep=job.metadata is not None,
                colours=len(job.colours) // 3,
            )
        if job.format == "tiff" and job.metadata is not None:
            return _with_tags(body, job.metadata)
        return _with_palette(body, job.colours) if job.colours else body

    if job.output.max_bytes is None:
        return attempt(job.output)
    return largest_that_fits(rungs(job.format, job.output), attempt, job.output.max_bytes)


def _with_palette(body: bytes, colours: bytes) -> bytes:
    from imaging.codecs.palette_png import with_palette  # noqa: PLC0415 - few answers have one

    return with_palette(body, colours)


def _with_tags(body: bytes, metadata: Metadata) -> bytes:
    from imaging.codecs.metadata import into_tiff  # noqa: PLC0415 - most answers carry none

    return into_tiff(body, metadata)


def _structured(picture: Picture, job: _Job) -> Image:
    """The image with the fields by which savers know frames, the metadata that stays, and no other."""
    image: Image = picture.image.copy()
    for name in ("page-height", "n-pages", "delay", "loop", "orientation", "icc-profile-data"):
        image.remove(name)
    if picture.frames > 1:
        image.set_type(pyvips.GValue.gint_type, "page-height", picture.height)
        asked = job.output
        image.set_type(pyvips.GValue.gint_type, "loop", picture.loop if asked.loop is None else asked.loop)
        delays = list(picture.delays)
        if asked.delay:
            said = [int(pause) for pause in asked.delay[: picture.frames]]
            delays = said + said[-1:] * (picture.frames - len(said))
        if delays:
            image.set_type(pyvips.GValue.array_int_type, "delay", delays)
    if job.metadata is None:
        return image
    from imaging.codecs.metadata import attached  # noqa: PLC0415 - most answers carry none

    return attached(image, job.metadata, for_jpeg=job.format == "jpeg")

"""Encode an image: choose the format, check the limits, and write the file before the deadline."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pyvips

from imaging.codecs.cost import encoder_memory, limit_effort, uninterruptible_encoding_seconds
from imaging.codecs.decode.color import in_srgb
from imaging.codecs.graphic_detection import is_from_graphic
from imaging.codecs.negotiation import choose_format
from imaging.codecs.save import fit_pixels, hold_in_memory, save
from imaging.context import MEGA, Context, Deadline, Limits
from imaging.deadlines.vips_watchdog import watched
from imaging.errors import TooLarge
from imaging.formats import encoder_of, format_by_name
from imaging.formats.format import Encoder, FormatName
from imaging.params.output import Output
from imaging.picture import Picture

if TYPE_CHECKING:
    from imaging.codecs.metadata import Metadata
    from imaging.gain_map import StoredGainMap

Image = Any
"""A pyvips image; its stubs know no names of enumerations."""

_PROFILE = "icc-profile-data"
_MEASURED_PIXELS = 16_000_000
"""A larger image is encoded while it is computed, not held in memory; its header tells whether it is a drawing."""


class Encoded(NamedTuple):
    """An encoded file."""

    body: bytes
    format: FormatName
    frames: int
    has_gain_map: bool = False


class _Job(msgspec.Struct, frozen=True):
    """Everything that an encoder needs beside the pixels."""

    format: FormatName
    output: Output
    graphic: bool
    metadata: Metadata | None
    colours: bytes = b""
    """The palette that the pixels are indexes into; empty if they are not indexes."""
    gain_map: StoredGainMap | None = None


def encode(picture: Picture, output: Output, context: Context, metadata: Metadata | None = None) -> Encoded:
    """Return the encoded image with this metadata. Raises InvalidParameter, TooLarge or TimeExceeded."""
    chosen = choose_format(picture, output, context)
    if output.format == "best" or (output.searches and encoder_of(chosen).scored):
        from imaging.codecs.compression import settle  # noqa: PLC0415 - few requests leave the quality to a search

        picture, output = settle(picture, chosen, output, context)
        chosen = choose_format(picture, output, context)
    encoder = encoder_of(chosen)
    output = output.for_format(chosen)
    picture, gain_map = _without_gain_map(picture, output, encoder)
    picture, output, colours = _as_indexed(picture, output, encoder)
    if not encoder.has_frames:
        picture = _first_frame(picture)
    _check_size(picture, chosen, output, context.limits)
    picture = picture.with_image(fit_pixels(picture.image, encoder, output))
    pixels = picture.width * picture.height * picture.frames
    if not math.isinf(context.deadline.at):
        output = limit_effort(chosen, output, pixels)
    graphic = bool(colours) or (picture.frames == 1 and is_from_graphic(picture.source))
    seconds = uninterruptible_encoding_seconds(chosen, output, pixels, picture.frames, graphic=graphic)
    if seconds or output.max_bytes or _content_decides(picture, output, encoder):
        picture, graphic = hold_in_memory(picture, context.deadline)
    body = _in_time(picture, _Job(chosen, output, graphic, metadata, colours, gain_map), context, seconds)
    return Encoded(body, chosen, picture.frames, gain_map is not None)


def _without_gain_map(picture: Picture, output: Output, encoder: Encoder) -> tuple[Picture, StoredGainMap | None]:
    """Return the picture, and its gain map for the file, if it has one.

    The pixels of a picture without one are in sRGB; else they may have kept the color space of their profile.
    """
    if picture.gain_map is None:
        return picture, None
    from imaging.codecs.ultra_hdr.attachment import encode_gain_map  # noqa: PLC0415 - few images have a gain map

    gain_map = encode_gain_map(picture, output) if encoder.add_gain_map is not None else None
    picture = picture if gain_map is not None else in_srgb(picture)
    return msgspec.structs.replace(picture, gain_map=None), gain_map


def _as_indexed(picture: Picture, output: Output, encoder: Encoder) -> tuple[Picture, Output, bytes]:
    """Return an image of few known colours as indexes into a palette, and the palette, so that no encoder looks for it.

    The palette is empty, and the image unchanged, where the format or the options do not allow that.
    """
    indexed = picture.indexed
    if encoder.add_palette is None or indexed is None or output.max_bytes:
        return picture, output, b""
    if len(indexed.colours) > 3 * (output.colors or 256):
        return picture, output, b""
    plain = msgspec.structs.replace(output, palette=False, colors=None)
    return picture.with_image(indexed.plane), plain, indexed.colours


def _first_frame(picture: Picture) -> Picture:
    if picture.frames == 1:
        return picture
    first = picture.image.crop(0, 0, picture.width, picture.height)
    return msgspec.structs.replace(picture.with_image(first), frames=1, delays=(), loop=0)


def _check_size(picture: Picture, chosen: FormatName, output: Output, limits: Limits) -> None:
    width, height, frames = picture.width, picture.height, picture.frames
    side = min(limits.result_side, encoder_of(chosen).max_side or limits.result_side)
    shape = f"{width} × {height}" + (f" × {frames} frames" if frames > 1 else "")
    if max(width, height) > side:
        raise TooLarge(f"no side of a {chosen} answer may be longer than {side} pixels, this one would be {shape}")
    max_pixels, pixels = limits.result_pixels_of.get(chosen, limits.result_pixels), width * height * frames
    if pixels > max_pixels:
        raise TooLarge(f"a {chosen} answer may have {max_pixels} pixels, this one would have {pixels}: {shape}")
    memory = encoder_memory(chosen, output, pixels, alpha=picture.has_alpha) + pixels * picture.image.bands
    megabytes = limits.memory // MEGA
    if memory > limits.memory:
        raise TooLarge(
            f"a {chosen} answer may take {megabytes} MB of memory, this one would take {memory // MEGA}: {shape}"
        )


def _content_decides(picture: Picture, output: Output, encoder: Encoder) -> bool:
    """Return whether the colour resolution depends on the pixels; that of a very large image does not."""
    depends = encoder.subsamples is not None and encoder.subsamples(output)
    return depends and picture.image.bands >= 3 and picture.width * picture.height <= _MEASURED_PIXELS


def _in_time(picture: Picture, job: _Job, context: Context, uninterruptible: float) -> bytes:
    """Return the file before the deadline, encoded here or in a process that can be killed. Raises TooLarge."""
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
    image, encoder, carrier = _structured(picture, job), encoder_of(job.format), format_by_name(job.format).metadata

    def attempt(requested: Output) -> bytes:
        deadline.check()
        with watched(image, deadline):
            body = save(
                image,
                job.format,
                requested,
                graphic=job.graphic,
                keep=_kept_fields(job),
                colours=len(job.colours) // 3,
                frames=picture.frames,
                deadline=deadline,
            )
        if carrier and carrier.add_metadata and job.metadata is not None:
            return carrier.add_metadata(body, job.metadata)
        if encoder.add_gain_map and job.gain_map is not None:
            return encoder.add_gain_map(body, job.gain_map)
        return encoder.add_palette(body, job.colours) if encoder.add_palette and job.colours else body

    if job.output.max_bytes is None:
        return attempt(job.output)
    from imaging.codecs.compression import reduced_outputs  # noqa: PLC0415 - few requests set `maxBytes`
    from imaging.codecs.fit_bytes import encode_within  # noqa: PLC0415 - see above

    return encode_within(reduced_outputs(encoder, job.output), attempt, job.output.max_bytes)


def _kept_fields(job: _Job) -> str:
    if job.metadata is not None:
        return "all"
    return "icc" if job.gain_map is not None else "none"


def _structured(picture: Picture, job: _Job) -> Image:
    """Return the image with the fields by which savers know frames, the metadata that stays, and no other."""
    image: Image = picture.image.copy()
    profile = image.get(_PROFILE) if job.gain_map is not None and image.get_typeof(_PROFILE) else b""
    for name in ("page-height", "n-pages", "delay", "loop", "orientation", _PROFILE):
        image.remove(name)
    if picture.frames > 1:
        image.set_type(pyvips.GValue.gint_type, "page-height", picture.height)
        output = job.output
        image.set_type(pyvips.GValue.gint_type, "loop", picture.loop if output.loop is None else output.loop)
        delays = list(picture.delays)
        if output.delay:
            requested = [int(delay) for delay in output.delay[: picture.frames]]
            delays = requested + requested[-1:] * (picture.frames - len(requested))
        if delays:
            image.set_type(pyvips.GValue.array_int_type, "delay", delays)
    if job.metadata is not None:
        from imaging.codecs.metadata import attach_metadata  # noqa: PLC0415 - most answers carry none

        carrier = format_by_name(job.format).metadata
        image = attach_metadata(image, job.metadata, writes_iptc=carrier is not None and carrier.writes_iptc)
    if profile:
        from imaging.codecs.containers.profile import extract_profile  # noqa: PLC0415 - rare

        image.set_type(pyvips.GValue.blob_type, _PROFILE, extract_profile(bytes(profile)))
    return image

"""One run of the engine: the bytes of an original and steps in, an encoded image or a report out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from imaging.codecs.decode import (
    at_resolution,
    decode,
    inspect,
    is_stored_as_shown,
    source_at_fault,
    uninterruptible_seconds,
)
from imaging.codecs.decode.color import in_srgb
from imaging.codecs.encode import encode
from imaging.codecs.negotiation import is_negotiated, is_shown
from imaging.context import Context, ObjectRef
from imaging.cost import Pending
from imaging.deadlines.vips_watchdog import watched
from imaging.errors import DamagedSource, InvalidParameter, TooLarge
from imaging.formats import MEDIA_TYPES, format_by_name
from imaging.params.output import Output
from imaging.picture import ImageHeader, Picture, Report
from imaging.pipeline.budget import refuse_beyond_budget, with_inspected
from imaging.pipeline.feature import Step, describe_steps, preshrink_of

if TYPE_CHECKING:
    from imaging.codecs.decode.original_stream import OriginalStream
    from imaging.codecs.metadata import Metadata


class Rendered(msgspec.Struct, frozen=True):
    """An encoded image."""

    body: bytes
    media_type: str
    width: int
    height: int
    frames: int
    source: ImageHeader
    negotiated: bool = False
    """Whether a client that accepts other formats might get other bytes."""
    gain_map: str = ""
    """For `hdr=keep` of an original with a gain map: whether the result has it, and if not, why not."""
    work: float = 0.0
    """Seconds of a processor that the run was estimated to take."""


def run(original: bytes | OriginalStream, steps: Sequence[Step], output: Output, context: Context) -> Rendered | Report:
    """Apply the steps in their order and encode the result. Raises FeatureError, and what a stream raises.

    Steps that redact the image are applied first. An original that needs no change is returned without decoding it.
    """
    if not isinstance(original, bytes):
        from imaging.pipeline.streaming import run_stream  # noqa: PLC0415 - of large originals alone

        return run_stream(original, steps, output, context)
    try:
        return _run(original, steps, output, context)
    except (DamagedSource, InvalidParameter) as error:
        from imaging.pipeline.repair import repair_inputs  # noqa: PLC0415 - few files are damaged

        repaired = repair_inputs(error, original, context)
        if repaired is None:
            raise
    return _run(repaired[0], steps, output, repaired[1])


def _run(original: bytes, steps: Sequence[Step], output: Output, context: Context) -> Rendered | Report:
    source = at_resolution(inspect(original, context.limits, context.deadline), output)
    steps = order_steps(steps, source, output)
    if output.hdr == "sdr":
        return _run_steps(original, source, steps, output, context)
    from imaging.pipeline.hdr import settle_hdr  # noqa: PLC0415 - most requests keep no gain map

    output, gain_map = settle_hdr(original, source, steps, output, context)
    outcome = _run_steps(original, source, steps, output, context)
    return outcome if isinstance(outcome, Report) else structs.replace(outcome, gain_map=outcome.gain_map or gain_map)


def _run_steps(
    original: bytes, source: ImageHeader, steps: Sequence[Step], output: Output, context: Context
) -> Rendered | Report:
    untouched = without_decoding(original, source, output, context) if not steps else None
    is_drawing = format_by_name(source.format).decoder.scalable
    if untouched is not None and (not output.negotiates or is_drawing or not (context.accepts or output.searches)):
        return untouched
    # `format=auto` for a client that accepts more formats: another one may be smaller than the original.
    try:
        with source_at_fault(original, source, output, context):
            outcome = decode_and_apply(original, source, steps, output, context)
    except (TooLarge, InvalidParameter):
        if untouched is None:
            raise
        return untouched
    if isinstance(outcome, Report):
        return outcome
    if untouched is None:
        return smaller_of(outcome, original, steps, output, context)
    # Encoding to the same format again only loses quality.
    is_same_format = outcome.media_type == untouched.media_type and not output.searches
    return untouched if is_same_format or len(untouched.body) <= len(outcome.body) else outcome


def smaller_of(outcome: Rendered, original: bytes, steps: Sequence[Step], output: Output, context: Context) -> Rendered:
    """Return the outcome, or the original without its metadata where encoding it anew has not made it smaller.

    Only the options that ask for fewer bytes, or for no further loss, may be given, and every step must leave an image
    of the original's size as it is. An edited image is upright and in sRGB, so the original must be that as well.
    """
    source = outcome.source
    is_same_file = outcome.media_type == MEDIA_TYPES[source.format] and outcome.frames == source.frames
    if not is_same_file or not all(step.keeps(source.upright) for step in steps):
        return outcome
    kept = structs.replace(
        output, quality=None, format_quality=None, quality_target=None, quality_min=None, quality_max=None,
        effort=None, lossless=False, auto_jpeg=False,
    )  # fmt: skip
    untouched = without_decoding(original, source, kept, context)
    if untouched is None or len(untouched.body) > len(outcome.body) or not is_stored_as_shown(original, source):
        return outcome
    return untouched


def order_steps(steps: Sequence[Step], source: ImageHeader, output: Output) -> Sequence[Step]:
    """Return the steps that change this original, those that redact the image first."""
    if output.leaves_unchanged(source.format):
        steps = [step for step in steps if step.is_report or step.redacts]
    steps = [step.of_source(source) for step in steps if not step.is_noop]
    return sorted(steps, key=lambda step: not step.redacts)


def without_decoding(original: bytes, source: ImageHeader, output: Output, context: Context) -> Rendered | None:
    """Return the original with only its metadata removed.

    None where the output options ask for any change, or where the file's container cannot be rewritten.
    """
    # Options are reset here that the original satisfies as it is, or that do not concern its pixels.
    changes = structs.replace(
        output, format=None, download=None, filename=None, attachment=False, max_bytes=None, format_quality=None,
        unchanged=None, hdr="sdr", quality_target=None, quality_min=None, quality_max=None,
    )  # fmt: skip
    if output.leaves_unchanged(source.format):
        changes = Output()
    elif output.preferred and source.format in output.preferred:
        changes = structs.replace(changes, preferred=None)
    if not format_by_name(source.format).decoder.scalable:
        changes = structs.replace(changes, dpi=None)
    if source.frames == 1:
        changes = structs.replace(changes, animated=None, page=changes.page or None, loop=None, delay=None)
    if output.negotiates:
        keeps_format = is_shown(source, context)
    else:
        keeps_format = output.format in (None, "original", source.format)
    if not keeps_format or changes != Output():
        return None
    from imaging.codecs.containers import strip  # noqa: PLC0415 - most originals are decoded

    body = strip(original, source, context.deadline)
    if body is not None and output.hdr == "keep":
        from imaging.pipeline.hdr import with_stored_gain_map  # noqa: PLC0415 - most requests keep no gain map

        body = with_stored_gain_map(body, original, source, context)
    if body is None or (output.max_bytes and len(body) > output.max_bytes):
        return None
    width, height = source.upright
    varies = is_negotiated(source, output)
    return Rendered(body, MEDIA_TYPES[source.format], width, height, source.frames, source, varies)


def decode_and_apply(
    original: bytes,
    source: ImageHeader,
    steps: Sequence[Step],
    output: Output,
    context: Context,
    stream: OriginalStream | None = None,
) -> Rendered | Report:
    """Decode the original, apply the steps and encode the result.

    With a stream, `original` is the head of the file, and the pixels are decoded from the stream.
    """
    shrink = preshrink_of(steps, source)
    context = structs.replace(with_inspected(steps, context), original=original)
    work = refuse_beyond_budget(original, source, steps, output, context, shrink)
    metadata = read_metadata(original, source, steps, output, context)
    picture = decode_original(original, source, output, context, shrink, stream)
    outcome = apply_and_encode(picture, steps, output, context, metadata)
    return outcome if isinstance(outcome, Report) else structs.replace(outcome, work=work)


def apply_and_encode(
    picture: Picture, steps: Sequence[Step], output: Output, context: Context, metadata: Metadata | None
) -> Rendered | Report:
    """Apply the steps to decoded pixels and encode the result.

    The pixels are converted to sRGB as late as the steps allow it, because there are fewer of them after a resize.
    """
    context = _with_redaction(steps, context)
    if output.hdr == "keep":
        from imaging.codecs.ultra_hdr.attachment import attach_gain_map  # noqa: PLC0415 - most results have none

        picture = attach_gain_map(picture, context)
    lost_map = "dropped with its colours" if picture.gain_map is not None else "damaged"
    pending = Pending()
    for number, step in enumerate(steps):
        context.deadline.check()
        picture = _converted(picture, context) if step.needs_srgb else picture
        # The watchdog stops the computation of one image. Once the pixels are in memory, later steps compute from a
        # new image, which must be watched by itself.
        if pending.must_be_held(step.reads, step.reach):
            with watched(picture.image, context.deadline):
                picture, pending = picture.in_memory(), Pending()
        with watched(picture.image, context.deadline):
            outcome = step.feature.apply(picture, step.params, _context_of(number, steps, picture, output, context))
        if isinstance(outcome, Report):
            return outcome
        picture, pending = outcome, pending.then(step.reach)
    if picture.gain_map is None:
        picture = _converted(picture, context)
    with watched(picture.image, context.deadline):
        encoded = encode(picture, output, context, metadata)
    return Rendered(
        body=encoded.body,
        media_type=MEDIA_TYPES[encoded.format],
        width=picture.width,
        height=picture.height,
        frames=encoded.frames,
        source=picture.source,
        negotiated=is_negotiated(picture.source, output),
        gain_map=lost_map if output.hdr == "keep" and not encoded.has_gain_map else "",
    )


def _converted(picture: Picture, context: Context) -> Picture:
    with watched(picture.image, context.deadline):
        return in_srgb(picture)


def _context_of(number: int, steps: Sequence[Step], picture: Picture, output: Output, context: Context) -> Context:
    """Return the context of a step. It tells an expensive one which pixels a model is given."""
    if not steps[number].is_expensive:
        return context
    applied: list[dict[str, object]] = describe_steps(steps[:number])
    if applied:
        # What steps find in the image is not told by their parameters alone, nor which frames they have looked at.
        applied.append({"view": picture.view, "frames": picture.frames})
    return structs.replace(context, page=output.page or 0, applied=tuple(applied))


def _with_redaction(steps: Sequence[Step], context: Context) -> Context:
    """Return the context whose `redact` applies the steps that redact all inputs, for the overlays."""
    redacting = [step for step in steps if step.redacts == "all" and not step.is_report]

    def redact(picture: Picture, overlay: ObjectRef) -> Picture:
        if overlay.is_address:
            return picture  # it was redacted before its own edits
        for step in redacting:
            outcome = step.feature.apply(picture, step.params, structs.replace(context, overlay=overlay))
            picture = outcome if isinstance(outcome, Picture) else picture
        return picture

    return structs.replace(context, redact=redact) if redacting else context


def decode_original(
    original: bytes,
    source: ImageHeader,
    output: Output,
    context: Context,
    shrink: float,
    stream: OriginalStream | None = None,
) -> Picture:
    """Return the pixels, which are read as they are needed and may be in the color space of their profile.

    A decoder that cannot be interrupted and may miss the deadline runs in a process that can be killed.
    """
    if context.deadline.leaves_room_for(uninterruptible_seconds(source)):
        return decode(original, source, output, context, shrink, keeps_profile=True, stream=stream)
    from imaging.pipeline.isolated import decode_isolated  # noqa: PLC0415 - seldom used

    return decode_isolated(original, source, output, context, shrink)


def read_metadata(
    original: bytes, source: ImageHeader, steps: Sequence[Step], output: Output, context: Context
) -> Metadata | None:
    """Return the metadata of the original that the output keeps; of stripped images, the label of generated ones."""
    overlays = [(context.objects[ref], header) for ref, header in context.inspected.items() if header.has_source_type]
    if output.metadata == "strip" and not source.has_source_type and not overlays:
        return None
    from imaging.codecs import metadata  # noqa: PLC0415 - most requests keep none

    is_hidden, position = any(step.redacts for step in steps), context.limits.allow_gps
    return metadata.of(original, source, output.metadata, overlays, position=position, is_hidden=is_hidden)

"""Decode an original, apply the steps and encode the result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from imaging.codecs.decode import decode, uninterruptible_seconds
from imaging.codecs.decode.color import in_srgb
from imaging.codecs.encode import encode
from imaging.codecs.negotiation import is_negotiated
from imaging.context import Context, ObjectRef
from imaging.cost import Pending
from imaging.deadlines.vips_watchdog import watched
from imaging.formats import MEDIA_TYPES
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


def order_steps(steps: Sequence[Step], source: ImageHeader, output: Output) -> Sequence[Step]:
    """Return the steps that change this original, those that redact the image first."""
    if output.leaves_unchanged(source.format):
        steps = [step for step in steps if step.is_report or step.redacts]
    steps = [step.of_source(source) for step in steps if not step.is_noop]
    return sorted(steps, key=lambda step: not step.redacts)


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
        # The parameters alone determine neither what steps find in the image nor which frames they have read.
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

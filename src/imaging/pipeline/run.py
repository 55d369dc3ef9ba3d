"""One run: stored bytes and steps in, finished bytes or a report out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from imaging.codecs.decode import decode, inspect, source_at_fault, uninterruptible_seconds
from imaging.codecs.encode import encode
from imaging.codecs.negotiation import is_shown, negotiated
from imaging.context import Context, Limits
from imaging.cost import Pending
from imaging.deadlines.vips_watchdog import watched
from imaging.errors import DamagedSource, InvalidParameter, TooLarge
from imaging.formats import MEDIA_TYPES, format_by_name
from imaging.params.output import Output
from imaging.picture import ImageHeader, Picture, Report
from imaging.pipeline.budget import refuse_beyond_budget, with_inspected
from imaging.pipeline.feature import Step

if TYPE_CHECKING:
    from imaging.codecs.metadata import Metadata


class Rendered(msgspec.Struct, frozen=True):
    """A finished picture."""

    body: bytes
    media_type: str
    width: int
    height: int
    frames: int
    source: ImageHeader
    negotiated: bool = False
    """Whether another client, which accepts other formats, might have got other bytes."""


def run(original: bytes, steps: Sequence[Step], output: Output, context: Context) -> Rendered | Report:
    """Apply the steps in their order; FeatureError for whatever does not work."""
    source = inspect(original, context.limits, context.deadline)
    steps = sorted((step for step in steps if not step.is_noop), key=lambda step: not step.feature.redacts_all_inputs)
    untouched = _untouched(original, source, output, context) if not steps else None
    is_drawing = format_by_name(source.format).decoder.scalable
    if untouched is not None and (output.format != "auto" or is_drawing or not context.accepts):
        return untouched
    try:
        with source_at_fault(original, source, output, context):
            outcome = _drawn(original, source, steps, output, context)
    except (TooLarge, InvalidParameter):
        if untouched is None:
            raise
        return untouched
    if untouched is None or isinstance(outcome, Report):
        return outcome
    # The same format again is the same picture with losses.
    again = outcome.media_type == untouched.media_type
    return untouched if again or len(untouched.body) <= len(outcome.body) else outcome


def _untouched(original: bytes, source: ImageHeader, output: Output, context: Context) -> Rendered | None:
    """The original without its metadata, if nothing is asked that it is not already, and its container can be tidied
    without decoding.
    """
    asked = structs.replace(output, format=None, download=None, max_bytes=None)
    if source.frames == 1:
        asked = structs.replace(asked, animated=None, page=asked.page or None, loop=None, delay=None)
    same = is_shown(source, context) if output.format == "auto" else output.format in (None, "original", source.format)
    if not same or asked != Output():
        return None
    from imaging.codecs.containers import strip  # noqa: PLC0415 - most answers are drawn

    body = strip(original, source, context.deadline)
    if body is None or (output.max_bytes and len(body) > output.max_bytes):
        return None
    width, height = source.upright
    varies = negotiated(source, output)
    return Rendered(body, MEDIA_TYPES[source.format], width, height, source.frames, source, varies)


def _drawn(
    original: bytes, source: ImageHeader, steps: Sequence[Step], output: Output, context: Context
) -> Rendered | Report:
    shrink = _shrink(steps, source)
    context = with_inspected(steps, context)
    refuse_beyond_budget(original, source, steps, output, context, shrink)
    metadata = _metadata(original, source, steps, output, context.limits)
    picture = _decoded(original, source, output, context, shrink)
    context = _with_redaction(steps, context)
    pending = Pending()
    for step in steps:
        context.deadline.check()
        # What is computed from these pixels stops with them. Pixels that are held in memory are watched on their own.
        if pending.must_be_held(step.reads, step.reach):
            with watched(picture.image, context.deadline):
                picture, pending = picture.in_memory(), Pending()
        with watched(picture.image, context.deadline):
            outcome = step.feature.apply(picture, step.params, context)
        if isinstance(outcome, Report):
            return outcome
        picture, pending = outcome, pending.then(step.reach)
    with watched(picture.image, context.deadline):
        return _rendered(picture, output, context, metadata)


def _with_redaction(steps: Sequence[Step], context: Context) -> Context:
    """The context in which overlays are hidden as the original is."""
    hiding = [step for step in steps if step.feature.redacts_all_inputs and not step.is_report]

    def redact(picture: Picture) -> Picture:
        for step in hiding:
            hidden = step.feature.apply(picture, step.params, context)
            picture = hidden if isinstance(hidden, Picture) else picture
        return picture

    return structs.replace(context, redact=redact) if hiding else context


def _decoded(original: bytes, source: ImageHeader, output: Output, context: Context, shrink: float) -> Picture:
    """The pixels: read here as they are asked for, or at once in another process if nothing else could stop that."""
    if context.deadline.leaves_room_for(uninterruptible_seconds(source)):
        return decode(original, source, output, context, shrink)
    from imaging.deadlines.killable_process import Confinement, ProcessDied, run_confined  # noqa: PLC0415 - few pictures take another process

    limits = context.limits
    bounds, endless = Confinement(context.deadline, limits.memory, limits.processors), Context(limits=limits)
    try:
        return run_confined(bounds, limits.memory, _decoded_whole, original, source, output, endless, shrink)
    except ProcessDied as error:
        raise DamagedSource("the picture cannot be decoded", detail=str(error)) from None


def _decoded_whole(original: bytes, source: ImageHeader, output: Output, context: Context, shrink: float) -> Picture:
    from imaging.codecs.open_image import decoded_image  # noqa: PLC0415 - of the other process alone

    with decoded_image(original, source, output, context, shrink) as picture:
        return picture.with_image(picture.image.copy_memory())


def _metadata(
    original: bytes, source: ImageHeader, steps: Sequence[Step], output: Output, limits: Limits
) -> Metadata | None:
    if output.metadata == "strip":
        return None
    from imaging.codecs import metadata  # noqa: PLC0415 - most answers carry none

    is_hidden = any(step.feature.redacts_all_inputs for step in steps)
    return metadata.of(original, source, output.metadata, position=limits.allow_gps, is_hidden=is_hidden)


def _rendered(picture: Picture, output: Output, context: Context, metadata: Metadata | None) -> Rendered:
    encoded = encode(picture, output, context, metadata)
    return Rendered(
        body=encoded.body,
        media_type=MEDIA_TYPES[encoded.format],
        width=picture.width,
        height=picture.height,
        frames=encoded.frames,
        source=picture.source,
        negotiated=negotiated(picture.source, output),
    )


def _shrink(steps: Sequence[Step], source: ImageHeader) -> float:
    """By how much the decoder may reduce: what the first step that reduces will, if nothing before it minds.

    Below 1 it is by how much an SVG may be drawn larger.
    """
    most = math.inf
    for step in steps:
        if step.feature.preshrink is not None:
            shrink = min(most, step.feature.preshrink(step.params, source.upright))
            return source.preshrink(shrink)
        if step.feature.max_preshrink is not None:
            most = min(most, step.feature.max_preshrink(step.params, source.upright))
        elif not step.feature.scale_free:
            break
    return 1.0

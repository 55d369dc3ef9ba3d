"""One run of the engine: the bytes of an original and steps in, an encoded image or a report out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import structs

from imaging.codecs.decode import at_resolution, inspect, is_stored_as_shown, source_at_fault
from imaging.codecs.negotiation import is_negotiated, is_shown
from imaging.context import Context
from imaging.errors import DamagedSource, InvalidParameter, TooLarge
from imaging.formats import MEDIA_TYPES, format_by_name
from imaging.params.output import Output
from imaging.picture import ImageHeader, Report
from imaging.pipeline.apply import Rendered, decode_and_apply, order_steps
from imaging.pipeline.feature import Step

if TYPE_CHECKING:
    from imaging.codecs.decode.original_stream import OriginalStream


def run(original: bytes | OriginalStream, steps: Sequence[Step], output: Output, context: Context) -> Rendered | Report:
    """Apply the steps in their order and encode the result. Raises FeatureError, and what a stream raises.

    Steps that redact the image are applied first. An original that needs no change is returned without decoding it.
    """
    if not isinstance(original, bytes):
        from imaging.pipeline.streaming import run_stream  # noqa: PLC0415 - of large originals alone

        outcome = run_stream(original, steps, output, context)
        if not isinstance(outcome, bytes):
            return outcome
        original = outcome
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
    """Return the outcome, or the original without its metadata where encoding it again has not made it smaller.

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

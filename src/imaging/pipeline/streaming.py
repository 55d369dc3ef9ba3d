"""A run whose original is decoded while it arrives: download and decoding take the time of the longer of both."""

from __future__ import annotations

from collections.abc import Sequence

import pyvips
from msgspec import structs

from imaging.codecs.decode import inspect, uninterruptible_seconds
from imaging.codecs.decode.original_stream import OriginalStream
from imaging.codecs.decode.sniff import sniff
from imaging.context import Context
from imaging.errors import DamagedSource, FeatureError
from imaging.formats import format_by_name
from imaging.params.output import Output
from imaging.picture import ImageHeader, Report
from imaging.pipeline.apply import Rendered, decode_and_apply, order_steps
from imaging.pipeline.feature import Step


def run_stream(
    stream: OriginalStream, steps: Sequence[Step], output: Output, context: Context
) -> Rendered | Report | bytes:
    """Return what `run` returns for the whole file, or all its bytes where the run needs them. Raise as `run` does.

    What fails in the store is raised too. A file that cannot be decoded so is read again, whole: only then is it known
    what is wrong with it, and whether it can be repaired.
    """
    head = _read_head(stream)
    source = _source_of(stream, head, steps, output, context)
    if source is None or not stream.start(context.deadline):
        return stream.read_whole()
    try:
        outcome = decode_and_apply(head, source, order_steps(steps, source, output), output, context, stream)
        stream.finish()
    except (DamagedSource, pyvips.Error):
        context.deadline.check()
        stream.raise_failure()
    else:
        return outcome
    finally:
        stream.abandon()
    return stream.read_again()


def _read_head(stream: OriginalStream) -> bytes:
    """Return the head of a file whose format can be decoded while it arrives; of any other only the first bytes."""

    def is_enough(head: bytes) -> bool:
        try:
            is_head = format_by_name(sniff(head)).decoder.is_head
        except FeatureError:
            return True
        return is_head is None or is_head(head)

    return stream.read_head(is_enough)


def _source_of(
    stream: OriginalStream, head: bytes, steps: Sequence[Step], output: Output, context: Context
) -> ImageHeader | None:
    """Return the header of a file that can be decoded while it arrives. None if the run needs the whole file.

    This is the only place that decides it. The whole file is needed

    * by formats whose pixels or header are not stored in their order (`Decoder.is_head`),
    * for an answer that may be the original itself, because nothing reduces it,
    * where the file comes as fast as from this machine: libvips' loader reads 4 kB at a time, through Python, which
      takes 11 % more of the processor, and only a slower network gives that time back (the decoder of WebP takes blocks
      of any size),
    * to find the gain map of an HDR image, which is stored behind its pixels,
    * by reports about the file, and by detectors and models, which read it by themselves,
    * where overlays may be at fault if something is damaged,
    * and by a decoder that nothing can interrupt and that may take too long, because it is run where it can be killed.
    """
    if not head or len(head) >= stream.size or output.page or output.hdr != "sdr" or context.objects:
        return None
    source = _read_header(stream, head, context)
    if source is None:
        return None
    ordered = order_steps(steps, source, output)
    if all(step.keeps(source.upright) for step in ordered):
        return None
    if any(step.is_report or step.may_detect or step.is_expensive for step in ordered):
        return None
    if format_by_name(source.format).decoder.read_stream is None and not stream.is_slow:
        return None
    return source if context.deadline.leaves_room_for(uninterruptible_seconds(source)) else None


def _read_header(stream: OriginalStream, head: bytes, context: Context) -> ImageHeader | None:
    """Return the header of a file that starts so. None where the whole file tells it, or what is wrong with it."""
    limits = context.limits
    try:
        decoder = format_by_name(sniff(head)).decoder
        if decoder.is_head is None or stream.size > limits.source_bytes or not decoder.is_head(head):
            return None
        if decoder.read_head is None:
            return structs.replace(inspect(head, limits, context.deadline), size=stream.size)
        source: ImageHeader | None = decoder.read_head(head, stream.size)
    except FeatureError:
        return None
    return source if source and source.width * source.height <= limits.source_pixels else None

"""Decode an image for a block of code: the original in a process of its own, a preview, or an overlay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from imaging.codecs.decode import decode, inspect, source_at_fault, uninterruptible_seconds
from imaging.context import Context, ObjectRef
from imaging.deadlines.vips_watchdog import watched
from imaging.errors import DamagedSource, InvalidParameter, TimeExceeded, TooLarge, UnsupportedSource
from imaging.params.output import Output
from imaging.picture import ImageHeader, Picture


@contextmanager
def decoded_image(
    body: bytes, source: ImageHeader, output: Output, context: Context, shrink: float
) -> Iterator[Picture]:
    """Decode an image whose pixels are computed within the block.

    An error in its pixels is then reported for this image, not for another one that uses them later, and the deadline
    ends whatever the block computes. `shrink` is the factor by which the block will reduce the image at least.
    """
    with source_at_fault(body, source, output, context):
        picture = decode(body, source, output, context, source.preshrink(shrink))
        with watched(picture.image, context.deadline):
            yield picture


@contextmanager
def open_image(
    ref: ObjectRef,
    context: Context,
    shrink_of: Callable[[tuple[int, int]], float],
    *,
    name: str,
    parameter: str,
    expected: str = "the key of an image",
    got: object = None,
) -> Iterator[Picture]:
    """Open the first frame of an object that becomes part of the image, redacted as the original is.

    `shrink_of` returns the factor for its upright size; see `decoded_image`. Raises InvalidParameter of `parameter`
    if the object cannot be read, and TimeExceeded, which calls it `name`, if decoding could not be interrupted in time.
    """
    body = context.objects[ref]
    try:
        source = context.inspected.get(ref) or inspect(body, context.limits, context.deadline)
        shrink = shrink_of(source.upright)
        if not context.deadline.leaves_room_for(uninterruptible_seconds(source)):
            raise TimeExceeded(f"the {name} would take longer than one request may take")
        with decoded_image(body, source, Output(animated=False), context, shrink) as picture:
            yield context.redact(picture, ref)
    except (UnsupportedSource, DamagedSource, TooLarge) as error:
        expectation = f"{expected} that can be read ({error.message})"
        raise InvalidParameter(
            parameter, expectation, ref.key if got is None else got, code="OverlayImageException"
        ) from error

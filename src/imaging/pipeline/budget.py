"""Estimates the memory and the processor time of a whole run, before the first pixel is decoded.

The estimate adds up the decoder, each step by the cost that its feature declares, the overlays that steps name, the
pixels that are held between steps, and the encoder. `bench/COSTS.md` compares the estimates with measurements.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import msgspec

from imaging.codecs.cost import encoder_memory, encoding_seconds, limit_effort
from imaging.codecs.decode import at_resolution, decoding_memory, decoding_seconds, inspect, loaded_size, read_header
from imaging.codecs.negotiation import negotiate_format
from imaging.context import MEGA, Context, Limits
from imaging.cost import Pending, Shape, Size
from imaging.errors import DamagedSource, TooLarge, UnsupportedSource
from imaging.formats import encoder_of
from imaging.params.output import Output
from imaging.picture import ImageHeader
from imaging.pipeline.feature import Step

_ALPHA = 1.4
"""Costs are declared for three channels. Four channels, premultiplied by alpha, take this many times as much; all are
counted as four, because some steps decide only when they run whether they add one."""
_ROWS = 1600
"""Rows of the image that costs are measured on."""
_FRAMES_AT_ONCE = 8
"""Frames of an animation that libvips computes at the same time, about."""
_OVERHEAD = 25_000_000
"""Bytes of threads, and of what the allocator keeps from earlier steps."""
_DEEP = frozenset({"rgb16", "grey16"})


class _PlannedPicture(msgspec.Struct, frozen=True):
    """What is known of the result before it is computed, as far as the choice of its format depends on it."""

    source: ImageHeader
    shape: Shape
    has_alpha: bool

    @property
    def width(self) -> int:
        return self.shape.width

    @property
    def height(self) -> int:
        return self.shape.height

    @property
    def frames(self) -> int:
        return self.shape.frames


class _Estimate:
    """The seconds and bytes of the run so far; raises TooLarge as soon as one of them exceeds its budget.

    `what` is the part of the run that is counted, for the message.
    """

    def __init__(self, limits: Limits, *, stored: int, decoder: int) -> None:
        self.limits = limits
        self.seconds = 0.0
        self.stored = stored
        """Bytes of the files, which stay in memory until the end."""
        self.sources = decoder
        """Bytes from which the pixels are computed: the decoder's, pixels that are held, and overlays."""
        self.steps = 0.0
        """Bytes that the pending steps take while they are computed, all in one pass."""

    def add_seconds(self, seconds: float, what: str) -> None:
        """Count processor time."""
        self.seconds += seconds
        if self.seconds > self.limits.work:
            raise TooLarge(
                f"one picture may take {self.limits.work:.3g} seconds of a processor, with {what} this one would take "
                f"about {self.seconds:.3g}"
            )

    def check_memory(self, temporary: float, what: str) -> None:
        """Check the budget while `temporary` bytes are used beside those that are held."""
        memory = _OVERHEAD + self.stored + self.sources + temporary
        if memory > self.limits.memory:
            raise TooLarge(
                f"one picture may take {self.limits.memory // MEGA} MB of memory, with {what} this one would take "
                f"about {memory / MEGA:.0f} MB"
            )

    def hold(self, size: int, what: str) -> None:
        """Count pixels of `size` bytes that are computed and held, which frees what they are computed from."""
        self.check_memory(self.steps + size, what)
        self.sources, self.steps = size, 0.0


def refuse_beyond_budget(
    original: bytes, source: ImageHeader, steps: Sequence[Step], output: Output, context: Context, shrink: float
) -> float:
    """Return the estimated seconds of a processor that the run takes.

    Raise TooLarge, which names the step, where it would take more memory or time than one image may. `shrink` is the
    factor by which the decoder may reduce the original.
    """
    limits = context.limits
    _refuse_many(steps, limits)
    if output.page and output.page < source.frames:
        # The pages of a file can differ in size.
        page = read_header(original, source.format, output.page, limits, context.deadline)
        source = at_resolution(page, output)
    frames, loaded = loaded_size(source, output, shrink)
    # `stored` counts the bytes of the original, and the estimate for the decoder includes them too.
    decoder = decoding_memory(source, loaded, frames) - source.size
    stored = source.size + sum(map(len, context.objects.values()))
    estimate = _Estimate(limits, stored=stored, decoder=decoder)
    estimate.check_memory(0, "its decoding")
    estimate.add_seconds(decoding_seconds(source, frames), "its decoding")
    full = source.upright if loaded != source.upright else None
    shape = Shape(*loaded, frames, has_alpha=source.alpha, full=full)
    # This loop mirrors `run`: pixels are held where it holds them, or where a step reads out of order or by frames.
    pending, is_sequential = Pending(), True
    for number, step in enumerate(steps, 1):
        what = f"`{step.feature.name}`" + (f" as step {number} of {len(steps)}" if len(steps) > 1 else "")
        if pending.must_be_held(step.reads, step.reach) or (is_sequential and step.reads == "whole") or frames > 1:
            estimate.hold(shape.bytes, what)
            pending, is_sequential = Pending(), False
        shape = _count_step(estimate, step, shape, context, what)
        if step.is_report:
            return estimate.seconds
        pending = pending.then(step.reach)
    has_alpha = source.alpha or any(step.feature.adds_alpha for step in steps)
    _count_encoding(estimate, _PlannedPicture(source, shape, has_alpha=has_alpha), output, context)
    return estimate.seconds


def with_inspected(steps: Sequence[Step], context: Context) -> Context:
    """Return the context with the headers of the objects that steps name; those that cannot be read are left out."""
    refs = {ref for step in steps if step.feature.objects for ref in step.feature.objects(step.params)}
    if not refs:
        return context
    found = {}
    for ref in refs:
        with contextlib.suppress(UnsupportedSource, DamagedSource, TooLarge):
            found[ref] = inspect(context.objects[ref], context.limits, context.deadline)
    return msgspec.structs.replace(context, inspected=found)


def _refuse_many(steps: Sequence[Step], limits: Limits) -> None:
    if len(steps) > limits.steps:
        raise TooLarge(f"a request may have {limits.steps} steps, got {len(steps)}")
    overlays = sum(len(step.feature.objects(step.params)) for step in steps if step.feature.objects)
    if overlays > limits.overlays:
        raise TooLarge(f"a request may lay {limits.overlays} pictures over another, got {overlays}")


def _count_step(estimate: _Estimate, step: Step, shape: Shape, context: Context, what: str) -> Shape:
    """Count one step, and return the shape of its output."""
    feature, params = step.feature, step.params
    overlay = _count_overlays(estimate, step, shape, context, what)
    # A step that changes the size computes it from the size before the shrink-on-load, and so undoes that.
    before = shape.full or shape.size
    size = _bounded_size(feature.size(params, before, overlay), shape, context.limits) if feature.size else shape.size
    cost = feature.cost(params, shape)
    full = None if feature.size else shape.full
    after = msgspec.structs.replace(shape, width=max(1, size[0]), height=max(1, size[1]), full=full)
    after = msgspec.structs.replace(after, has_alpha=shape.has_alpha or feature.adds_alpha)
    after = msgspec.structs.replace(after, sample=2 if getattr(params, "colourspace", "") in _DEEP else after.sample)
    megapixels = max(shape.pixels, after.pixels) / MEGA
    estimate.add_seconds(_ALPHA * cost.seconds * megapixels + cost.base_seconds, what)
    # libvips computes strips of rows, whose memory depends on the width alone. Costs are declared for each pixel of an
    # image of `_ROWS` rows, so an image of fewer rows takes as much as one of `_ROWS`. Where a step reads neighbours,
    # the frames of an animation are computed separately, several of them at once, each with strips of its own.
    strips = min(shape.frames, _FRAMES_AT_ONCE) if step.reads != "pixels" else 1
    factor = max(1.0, strips * _ROWS / (max(shape.height, after.height) * shape.frames))
    estimate.steps += _ALPHA * cost.memory * megapixels * MEGA * factor * shape.sample + cost.base_memory
    estimate.check_memory(estimate.steps, what)
    return after


def _bounded_size(size: Size, shape: Shape, limits: Limits) -> Size:
    """Return the size, but at most the largest that a result may have: a step refuses to make a larger one."""
    if size[0] * size[1] <= shape.width * shape.height:
        return size
    width = min(size[0], max(limits.result_side, shape.width))
    max_pixels = max(limits.result_pixels // shape.frames, shape.width * shape.height)
    return width, min(size[1], max(limits.result_side, shape.height), max(1, max_pixels // width))


def _count_overlays(estimate: _Estimate, step: Step, shape: Shape, context: Context, what: str) -> Size:
    """Count the overlays of a step, and return the width and height of the last one, or (0, 0) without any."""
    feature = step.feature
    refs = feature.objects(step.params) if feature.objects else ()
    full = (0, 0)
    for ref in refs:
        source = context.inspected.get(ref)
        if source is None:
            continue  # its header cannot be read: the step raises the error that says why
        full = source.upright
        size = feature.overlay_size(step.params, shape.size, full) if feature.overlay_size else full
        shrink = max(1.0, min(full[0] / size[0], full[1] / size[1]))
        _, loaded = loaded_size(source, Output(animated=False), shrink)
        held = 4 * size[0] * size[1]
        estimate.check_memory(decoding_memory(source, loaded, 1) - source.size + held, what)
        estimate.sources += held
        estimate.add_seconds(decoding_seconds(source, 1), what)
    return full


def _count_encoding(estimate: _Estimate, planned: _PlannedPicture, output: Output, context: Context) -> None:
    chosen = negotiate_format(planned, output, context)
    shape = planned.shape
    pixels = shape.pixels if encoder_of(chosen).has_frames else shape.width * shape.height
    # The encoder itself refuses more pixels than that.
    pixels = min(pixels, context.limits.result_pixels)
    what = f"its encoding as {chosen}"
    limited = limit_effort(chosen, output, pixels)
    # Decoders give each animation an alpha channel. In most it is opaque, which takes no time.
    counts_alpha = planned.has_alpha and shape.frames == 1
    estimate.add_seconds(encoding_seconds(chosen, limited, pixels, alpha=counts_alpha), what)
    encoder = encoder_memory(chosen, output, pixels, alpha=planned.has_alpha) + pixels * 4
    estimate.check_memory(estimate.steps + encoder, what)

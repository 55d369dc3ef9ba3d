"""What a whole run will take of memory and of a processor, reckoned before the first pixel is decoded.

Every part of a run is counted: the decoder, each step by what its feature declares (`cost=`), the overlays that steps
name, the pixels that are held between steps, and the encoder. `bench/COSTS.md` shows the figures beside measured ones.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import msgspec

from imaging.codecs.decode import decoding_memory, decoding_seconds, inspect, loaded_size, source_of
from imaging.codecs.encoding_cost import affordable, encoder_memory, encoding_seconds
from imaging.codecs.negotiation import format_of
from imaging.context import MEGA, Context, Limits
from imaging.cost import Pending, Shape, Size
from imaging.errors import DamagedSource, TooLarge, UnsupportedSource
from imaging.formats import encoder_of
from imaging.params.output import Output
from imaging.picture import ImageHeader
from imaging.pipeline.feature import Step

_ALPHA = 1.4
"""Costs are declared for three channels. A fourth, by which the others are weighed, takes this many times as much, and
whether there is one is known of some steps only once they are done."""
_ROWS = 1600
"""Rows of the picture that costs are measured on."""
_FRAMES_AT_ONCE = 8
_OVERHEAD = 25_000_000
"""Bytes of threads, and of what the allocator keeps of earlier steps."""
_DEEP = frozenset({"rgb16", "grey16"})


class _Planned(msgspec.Struct, frozen=True):
    """What is known of a picture that is still to be computed; as much of it as the choice of a format asks for."""

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


class _Sum:
    """Seconds and bytes so far; TooLarge as soon as one of them is beyond its budget."""

    def __init__(self, limits: Limits, *, stored: int, decoder: int) -> None:
        self.limits = limits
        self.seconds = 0.0
        self.stored = stored
        """Bytes of the files, which stay in memory until the end."""
        self.sources = decoder
        """Bytes of what the pixels are computed from: the decoder, pixels that are held, and overlays."""
        self.steps = 0.0
        """Bytes that the steps take while they are computed, all in one pass."""

    def spend(self, seconds: float, what: str) -> None:
        self.seconds += seconds
        if self.seconds > self.limits.work:
            raise TooLarge(
                f"one picture may take {self.limits.work:.3g} seconds of a processor, with {what} this one would take "
                f"about {self.seconds:.3g}"
            )

    def need(self, more: float, what: str) -> None:
        """So many bytes for a while, beside all that is in memory."""
        memory = _OVERHEAD + self.stored + self.sources + more
        if memory > self.limits.memory:
            raise TooLarge(
                f"one picture may take {self.limits.memory // MEGA} MB of memory, with {what} this one would take "
                f"about {memory / MEGA:.0f} MB"
            )

    def hold(self, size: int, what: str) -> None:
        """The pixels are computed and held, and what they were computed from is free again."""
        self.need(self.steps + size, what)
        self.sources, self.steps = size, 0.0


def refuse_beyond_budget(
    original: bytes, source: ImageHeader, steps: Sequence[Step], output: Output, context: Context, shrink: float
) -> None:
    """Raise TooLarge, which names the step, where the run would take more memory or time than one picture may."""
    limits = context.limits
    _refuse_many(steps, limits)
    if output.page and output.page < source.frames:
        source = source_of(original, source.format, output.page, limits)
    frames, loaded = loaded_size(source, output, shrink)
    decoder = decoding_memory(source, loaded, frames) - len(original)
    stored = len(original) + sum(map(len, context.objects.values()))
    total = _Sum(limits, stored=stored, decoder=decoder)
    total.need(0, "its decoding")
    total.spend(decoding_seconds(source, frames), "its decoding")
    full = source.upright if loaded != source.upright else None
    shape = Shape(*loaded, frames, full=full)
    pending, is_sequential = Pending(), True
    for number, step in enumerate(steps, 1):
        what = f"`{step.feature.name}`" + (f" as step {number} of {len(steps)}" if len(steps) > 1 else "")
        if pending.must_be_held(step.reads, step.reach) or (is_sequential and step.reads == "whole") or frames > 1:
            total.hold(shape.bytes, what)
            pending, is_sequential = Pending(), False
        shape = _counted(total, step, shape, context, what)
        if step.is_report:
            return
        pending = pending.then(step.reach)
    has_alpha = source.alpha or any(step.feature.adds_alpha for step in steps)
    _count_encoding(total, _Planned(source, shape, has_alpha=has_alpha), output, context)


def with_inspected(steps: Sequence[Step], context: Context) -> Context:
    """The context that knows the headers of the objects that steps name; those that cannot be read are left out."""
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


def _counted(total: _Sum, step: Step, shape: Shape, context: Context, what: str) -> Shape:
    """Count one step; the shape of what it makes."""
    feature, params = step.feature, step.params
    overlay = _count_overlays(total, step, shape, context, what)
    before = shape.full or shape.size
    size = _within(feature.size(params, before, overlay), shape, context.limits) if feature.size else shape.size
    cost = feature.cost(params, shape)
    full = None if feature.size else shape.full
    after = shape._replace(width=max(1, size[0]), height=max(1, size[1]), full=full)
    after = after._replace(sample=2 if getattr(params, "colourspace", "") in _DEEP else after.sample)
    megapixels = max(shape.pixels, after.pixels) / MEGA
    total.spend(_ALPHA * cost.seconds * megapixels + cost.base_seconds, what)
    # Pixels that are computed in strips take as much memory in a low picture as in one of these rows; the frames of an
    # animation are computed side by side, some of them at once, where neighbours are looked at.
    strips = min(shape.frames, _FRAMES_AT_ONCE) if step.reads != "pixels" else 1
    rows = max(1.0, strips * _ROWS / (max(shape.height, after.height) * shape.frames))
    total.steps += _ALPHA * cost.memory * megapixels * MEGA * rows * shape.sample + cost.base_memory
    total.need(total.steps, what)
    return after


def _within(size: Size, shape: Shape, limits: Limits) -> Size:
    """The size, or the largest that a result may have: a step that would make more than that refuses to."""
    if size[0] * size[1] <= shape.width * shape.height:
        return size
    width = min(size[0], max(limits.result_side, shape.width))
    most = max(limits.result_pixels // shape.frames, shape.width * shape.height)
    return width, min(size[1], max(limits.result_side, shape.height), max(1, most // width))


def _count_overlays(total: _Sum, step: Step, shape: Shape, context: Context, what: str) -> Size:
    """Count what a step lays over the picture; its own width and height, or nothing."""
    feature = step.feature
    refs = feature.objects(step.params) if feature.objects else ()
    full = (0, 0)
    for ref in refs:
        source = context.inspected.get(ref)
        if source is None:
            continue  # the step itself says what is wrong with it
        full = source.upright
        size = feature.overlay_size(step.params, shape.size, full) if feature.overlay_size else full
        shrink = max(1.0, min(full[0] / size[0], full[1] / size[1]))
        _, loaded = loaded_size(source, Output(animated=False), shrink)
        held = 4 * size[0] * size[1]
        total.need(decoding_memory(source, loaded, 1) - source.size + held, what)
        total.sources += held
        total.spend(decoding_seconds(source, 1), what)
    return full


def _count_encoding(total: _Sum, planned: _Planned, output: Output, context: Context) -> None:
    chosen = format_of(planned, output, context)
    shape = planned.shape
    pixels = shape.pixels if encoder_of(chosen).has_frames else shape.width * shape.height
    # The encoder itself refuses more than that.
    pixels = min(pixels, context.limits.result_pixels)
    what = f"its encoding as {chosen}"
    total.spend(encoding_seconds(chosen, affordable(chosen, output, pixels), pixels), what)
    total.need(total.steps + encoder_memory(chosen, output, pixels, alpha=planned.has_alpha) + pixels * 4, what)

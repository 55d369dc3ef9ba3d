"""Decoded originals that stay in memory, so that several sizes of one original cost one or two decodings.

A result is drawn from pixels that were decoded as large as its own run would decode them, or larger; never from smaller
ones. From pixels of the same size it is the same, to the bit. From larger ones it differs as far as a decoder's
reduction differs from a resize: by at most 2 of 255 on average (a test holds this).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence

import msgspec
import pyvips

from imaging.codecs.decode import inspect, loaded_size
from imaging.context import Context
from imaging.deadlines.vips_watchdog import watched
from imaging.errors import DamagedSource, TooLarge
from imaging.formats import format_by_name
from imaging.params.output import Output
from imaging.picture import SAMPLE_BYTES, ImageHeader, Picture, Report
from imaging.pipeline.apply import Rendered, apply_and_encode, decode_original, order_steps
from imaging.pipeline.budget import refuse_beyond_budget
from imaging.pipeline.feature import Step, preshrink_of
from imaging.pipeline.run import run

_LARGEST_SHARE = 4
"""Pixels that take more than this part of the cache, or of a request's memory, are not kept."""

Key = tuple[str, str]
"""The cache tag of an object and its ETag, so that pixels of an object that has changed are never found."""


class _Entry(msgspec.Struct, frozen=True):
    source: ImageHeader
    picture: Picture
    """One frame, upright, in memory."""
    size: int
    """Bytes of the pixels."""


class PixelCache:
    """Keeps up to `max_bytes` of pixels, those that were used last. Threads share it."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._lock = threading.Lock()
        self._counts = {"hits": 0, "misses": 0, "evicted": 0}
        self._bytes = 0

    def totals(self) -> dict[str, int]:
        """Return the numbers of hits, misses and evicted originals since the start, and the bytes held now."""
        with self._lock:
            return {**self._counts, "bytes": self._bytes}

    def purge(self, tags: Collection[str]) -> None:
        """Remove the pixels of the objects with these cache tags, whatever their ETags were."""
        with self._lock:
            for key in [key for key in self._entries if key[0] in tags]:
                self._remove(key)

    def run(
        self, key: Key, read: Callable[[], bytes], steps: Sequence[Step], output: Output, context: Context
    ) -> Rendered | Report | None:
        """Return what `run` returns; None, before anything is read, for what is not drawn from kept pixels.

        `read` returns the bytes of the original; it is not called for a hit. Raises FeatureError, and what `read`
        raises.
        """
        if not all(key) or not _can_share(steps, output, context):
            return None
        with self._lock:
            entry = self._entries.get(key)
        if entry is not None and (plan := _plan(entry.source, steps, output)) and _is_inside(plan.size, entry.picture):
            self._use(key)
            refuse_beyond_budget(b"", entry.source, plan.steps, output, context, plan.shrink)
            return _draw(entry.picture, plan, output, context)
        self._count("misses")
        return self._decode_and_keep(key, read(), steps, output, context, is_second=entry is not None)

    def _decode_and_keep(
        self, key: Key, original: bytes, steps: Sequence[Step], output: Output, context: Context, *, is_second: bool
    ) -> Rendered | Report:
        source = inspect(original, context.limits, context.deadline)
        plan = _plan(source, steps, output)
        if plan is None:
            return run(original, steps, output, context)
        refuse_beyond_budget(original, source, plan.steps, output, context, plan.shrink)
        room = min(self._max_bytes, context.limits.memory) // _LARGEST_SHARE
        # Who requests a second, larger size will request others: from all pixels, every size can be drawn.
        shrink = 1.0 if is_second and _bytes_of(source, source.upright) <= room else plan.shrink
        try:
            picture = decode_original(original, source, output, context, shrink)
            if _size_of(picture) > room:
                return run(original, steps, output, context)
            with watched(picture.image, context.deadline):
                picture = picture.in_memory()
        except (TooLarge, DamagedSource, pyvips.Error):
            # The usual way repairs the file, needs less memory, or finds out what is wrong.
            context.deadline.check()
            return run(original, steps, output, context)
        self._keep(key, _Entry(source, picture, _size_of(picture)))
        return _draw(picture, plan, output, context)

    def _keep(self, key: Key, entry: _Entry) -> None:
        with self._lock:
            existing = self._entries.get(key)
            if existing is not None and existing.size >= entry.size:
                return  # another thread has kept more of it meanwhile
            if existing is not None:
                self._remove(key)
            while self._entries and self._bytes + entry.size > self._max_bytes:
                self._remove(next(iter(self._entries)))
                self._counts["evicted"] += 1
            self._entries[key] = entry
            self._bytes += entry.size

    def _remove(self, key: Key) -> None:
        self._bytes -= self._entries.pop(key).size

    def _use(self, key: Key) -> None:
        with self._lock:
            self._counts["hits"] += 1
            if key in self._entries:
                self._entries.move_to_end(key)

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1


class _Plan(msgspec.Struct, frozen=True):
    """How a request would be decoded by itself."""

    steps: Sequence[Step]
    shrink: float
    size: tuple[int, int]


def _can_share(steps: Sequence[Step], output: Output, context: Context) -> bool:
    """Whether a request needs nothing of the original but the pixels of its first frame."""
    if not steps or context.objects or output.metadata != "strip" or output.hdr != "sdr" or output.page or output.dpi:
        return False
    return not any(step.is_report or step.may_detect or step.is_expensive or step.redacts for step in steps)


def _plan(source: ImageHeader, steps: Sequence[Step], output: Output) -> _Plan | None:
    """Return how a request would be decoded by itself; None if it needs frames, a drawing, or the file as it is."""
    ordered = order_steps(steps, source, output)
    if format_by_name(source.format).decoder.scalable or all(step.keeps(source.upright) for step in ordered):
        return None
    if source.has_source_type:
        return None  # its metadata may say that it is generated, which stays
    shrink = preshrink_of(ordered, source)
    frames, size = loaded_size(source, output, shrink)
    return _Plan(ordered, shrink, size) if frames == 1 else None


def _is_inside(size: tuple[int, int], picture: Picture) -> bool:
    """Whether pixels are at least as many as a request would decode, give or take the rounding of a decoder."""
    width, height = size
    return picture.width >= width - 1 and picture.height >= height - 1


def _bytes_of(source: ImageHeader, size: tuple[int, int]) -> int:
    return size[0] * size[1] * source.bands * -(-source.bits // 8)


def _size_of(picture: Picture) -> int:
    image = picture.image
    return int(image.width * image.height * image.bands * SAMPLE_BYTES[str(image.format)])


def _draw(picture: Picture, plan: _Plan, output: Output, context: Context) -> Rendered | Report:
    """Apply the steps to kept pixels."""
    # The watchdog stops an image for good, so each run has one of its own over the same pixels.
    image = picture.image.copy()
    picture = msgspec.structs.replace(picture, image=image, held=image)
    try:
        return apply_and_encode(picture, plan.steps, output, context, None)
    except pyvips.Error:
        context.deadline.check()
        raise

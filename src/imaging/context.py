"""The context of one run of the engine: its limits, its deadline, and the objects and detections that it needs."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from imaging.detection import DetectionNotConfigured, MasksNotKept, SubjectMasks, Vision
from imaging.errors import TimeExceeded
from imaging.formats import INDEX, NEGOTIATED
from imaging.formats.format import FormatName
from imaging.picture import ImageHeader, Picture

ADDRESS = "/"
"""In the place of a bucket: the key is then an address of the service, and the object is the image at that address."""


class ObjectRef(NamedTuple):
    """An object that a request names: the name of a source bucket, empty for the default one, and a key."""

    bucket: str
    key: str

    @property
    def is_address(self) -> bool:
        """Whether it is the image at an address, with edits of its own."""
        return self.bucket == ADDRESS


class Deadline(msgspec.Struct, frozen=True):
    """The moment by which a request must be answered, in seconds of the monotonic clock."""

    at: float = float("inf")

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline that is so many seconds from now."""
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Return the seconds that remain; negative once the deadline has passed."""
        return self.at - time.monotonic()

    def leaves_room_for(self, seconds: float) -> bool:
        """Return whether work that nothing can stop may start: an estimate of its length is half of what is left."""
        return seconds <= 0.5 * self.left()

    def check(self) -> None:
        """Raise TimeExceeded if the deadline has passed."""
        if self.left() <= 0:
            raise TimeExceeded("the picture took longer than one request may take")


NO_DEADLINE = Deadline()
MEGA = 1_000_000


_RESULT_PIXELS = {entry.name: entry.max_pixels for entry in INDEX if entry.max_pixels}
_AUTO_PIXELS = {name: rule.max_pixels for name, rule in NEGOTIATED.items() if rule.max_pixels is not None}


class Limits(msgspec.Struct, frozen=True):
    """What one image may cost. Numbers of pixels are those of all frames; memory and sizes are in bytes."""

    source_bytes: int = 100 * MEGA
    source_pixels: int = 150 * MEGA
    frames: int = 300
    animation_pixels: int = 100 * MEGA
    result_side: int = 8192
    result_pixels: int = 50 * MEGA
    # Formats whose encoders cannot be interrupted have a limit of their own; for others it is `result_pixels`.
    result_pixels_of: Mapping[FormatName, int] = msgspec.field(default_factory=lambda: dict(_RESULT_PIXELS))
    # `format=auto` chooses a format named here up to so many pixels, which are always encoded before the deadline.
    auto_pixels_of: Mapping[FormatName, int] = msgspec.field(default_factory=lambda: dict(_AUTO_PIXELS))
    memory: int = 1_200 * MEGA
    # Seconds of one processor that the whole run may take, as estimated before the image is decoded.
    work: float = math.inf
    steps: int = 64
    # Objects beside the original that the steps of one request may name.
    overlays: int = 16
    tolerate_truncated: bool = False
    # `metadata=keep` keeps a GPS position only where this is set.
    allow_gps: bool = False
    # The settings, by name, that let formats be read which are off by default (see `Decoder.switch`).
    switched_on: frozenset[str] = frozenset()
    # Processors that threads share. With a single one, working in parallel costs time instead of saving it.
    processors: float = msgspec.field(default_factory=lambda: float(os.cpu_count() or 1))

    @property
    def input_bytes(self) -> int:
        """The limit, in bytes, for the original and all objects that the steps name, which are in memory together."""
        return max(self.source_bytes, self.memory // 4)


def _unredacted(picture: Picture, _overlay: ObjectRef) -> Picture:
    return picture


class Context(msgspec.Struct, frozen=True):
    """The surroundings of one run: limits, deadline, and the objects that the steps name, already fetched."""

    limits: Limits = msgspec.field(default_factory=Limits)
    deadline: Deadline = msgspec.field(default_factory=Deadline)
    objects: Mapping[ObjectRef, bytes] = msgspec.field(default_factory=dict)
    # Headers of those objects, as far as they were read already; reading an SVG's takes a process of its own.
    inspected: Mapping[ObjectRef, ImageHeader] = msgspec.field(default_factory=dict)
    # Formats that the client accepts beside those that every browser shows; only `format=auto` looks at them.
    accepts: frozenset[str] = frozenset()
    # The folder with the models' weights, as `image-handler weights` fills it.
    weights: str | None = None
    # The model of cut-outs whose request names none; `auto` chooses by the processor.
    cutout_model: str = "auto"
    # What detectors find in the original; only few features ask for it.
    vision: Vision = msgspec.field(default_factory=DetectionNotConfigured)
    # The masks of subjects that models have found in the original.
    masks: SubjectMasks = msgspec.field(default_factory=MasksNotKept)
    # Which page of the original the first frame is, and what was done to it before. Set for expensive steps only.
    page: int = 0
    applied: tuple[Mapping[str, object], ...] = ()
    # The bytes of the original, for a report about the file.
    original: bytes = b""
    # Hides what must not be shown of an overlay; it is applied to each of them as soon as it is decoded.
    redact: Callable[[Picture, ObjectRef], Picture] = _unredacted
    # The overlay that a step is applied to by `redact`; None for the original.
    overlay: ObjectRef | None = None

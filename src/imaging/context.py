"""What a feature may ask the outside for, and within which bounds it works."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from imaging.detection import DetectionNotConfigured, Vision
from imaging.errors import TimeExceeded
from imaging.formats import FORMATS, NEGOTIATED
from imaging.formats.format import FormatName
from imaging.picture import ImageHeader, Picture


class ObjectRef(NamedTuple):
    """An object that a request names: a source bucket (empty: the default one) and a key."""

    bucket: str
    key: str


class Deadline(msgspec.Struct, frozen=True):
    """A moment on the monotonic clock, in seconds, after which no answer is wanted."""

    at: float = float("inf")

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The deadline that lies so many seconds ahead."""
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds that remain; negative when the deadline has passed."""
        return self.at - time.monotonic()

    def leaves_room_for(self, seconds: float) -> bool:
        """Whether work of about that length, which nothing can stop, ends in time: within half of what is left."""
        return seconds <= 0.5 * self.left()

    def check(self) -> None:
        """Raise TimeExceeded when the deadline has passed."""
        if self.left() <= 0:
            raise TimeExceeded("the picture took longer than one request may take")


NO_DEADLINE = Deadline()
MEGA = 1_000_000


_RESULT_PIXELS = {each.name: each.encoder.max_pixels for each in FORMATS if each.encoder and each.encoder.max_pixels}
_AUTO_PIXELS = {name: rule.max_pixels for name, rule in NEGOTIATED.items() if rule.max_pixels is not None}


class Limits(msgspec.Struct, frozen=True):
    """What one picture may cost. Pixels count all frames; memory and bytes are in bytes."""

    source_bytes: int = 100 * MEGA
    source_pixels: int = 150 * MEGA
    frames: int = 300
    animation_pixels: int = 100 * MEGA
    result_side: int = 8192
    result_pixels: int = 50 * MEGA
    # Encoders that cannot be interrupted get a budget of their own; a format not named here has `result_pixels`.
    result_pixels_of: Mapping[FormatName, int] = msgspec.field(default_factory=lambda: dict(_RESULT_PIXELS))
    # `format=auto` chooses a format named here up to that many pixels, so that encoding always fits the deadline.
    auto_pixels_of: Mapping[FormatName, int] = msgspec.field(default_factory=lambda: dict(_AUTO_PIXELS))
    memory: int = 1_200 * MEGA
    # Seconds of one processor that everything about a picture may take, as reckoned before it is decoded.
    work: float = math.inf
    steps: int = 64
    # Objects that the steps of one request name beside the original.
    overlays: int = 16
    tolerate_truncated: bool = False
    # A GPS position leaves with `metadata=keep` only where this is on.
    allow_gps: bool = False
    # What threads have between them; where it is one, working side by side only costs.
    processors: float = msgspec.field(default_factory=lambda: float(os.cpu_count() or 1))

    @property
    def input_bytes(self) -> int:
        """Bytes of the original and of all objects that the steps name: all of them are in memory at once."""
        return max(self.source_bytes, self.memory // 4)


def _open(picture: Picture) -> Picture:
    return picture


class Context(msgspec.Struct, frozen=True):
    """What surrounds one run: limits, deadline, and the objects that the steps name, already fetched."""

    limits: Limits = msgspec.field(default_factory=Limits)
    deadline: Deadline = msgspec.field(default_factory=Deadline)
    objects: Mapping[ObjectRef, bytes] = msgspec.field(default_factory=dict)
    # What the headers of those objects say, as far as they were read: a drawing's takes a process of its own.
    inspected: Mapping[ObjectRef, ImageHeader] = msgspec.field(default_factory=dict)
    # Formats that the client accepts beside those that every browser shows; only `format=auto` looks at them.
    accepts: frozenset[str] = frozenset()
    # Folder of the models' weights, as `image-handler weights` fills it.
    weights: str | None = None
    # Who looks at the original; asked by the few features that see.
    vision: Vision = msgspec.field(default_factory=DetectionNotConfigured)
    # What is done to each picture as soon as it is decoded, the original and overlays: hides what may not be seen.
    redact: Callable[[Picture], Picture] = _open

"""Cache detections by original, so that each detector runs once for all variants of an image."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec

from handler.core.ports import DetectionInput, ObjectStore
from handler.detection.stored_cache import PREFIX, Codec, StoredCache
from imaging import Deadline, Found, Label, Region, SalientRegion

_MAX_CACHED = 2000
"""Detections in memory; the least recently used one is dropped."""


class Detection(msgspec.Struct, frozen=True):
    """What a detector found, and the version of its model."""

    model: str
    regions: tuple[Region, ...] = ()
    labels: tuple[Label, ...] = ()
    found: tuple[Found, ...] = ()
    salient: SalientRegion | None = msgspec.field(default=None, name="figure")


_DECODER = msgspec.json.Decoder(Detection)
"""Built once, because two threads that have msgspec inspect a type at the same time crash the process."""


def _decode(body: bytes) -> Detection:
    try:
        return _DECODER.decode(body)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None


class DetectionCache:
    """Detections by original and detector, in memory and in a store if there is one."""

    def __init__(self, store: ObjectStore | None = None) -> None:
        codec: Codec[Detection] = Codec("application/json", msgspec.json.encode, _decode, lambda _detection: 1)
        self._kept = StoredCache(store, codec, _MAX_CACHED)
        self._current: dict[str, str] = {}
        """The last version of each model that was seen in this process."""

    def of(
        self, subject: DetectionInput, detector: str, detect: Callable[[], Detection], deadline: Deadline
    ) -> Detection:
        """Return the cached detection, unless it is of another version of the model; else run `detect`.

        Requests that need the same detection at the same time wait for the first of them.
        """

        def run() -> Detection:
            found = detect()
            self._current[detector] = found.model
            return found

        def is_current(known: Detection) -> bool:
            return self._current.get(detector, known.model) == known.model

        key = f"{PREFIX}{subject.tag}/{detector}-{hashlib.sha256(subject.etag.encode()).hexdigest()[:32]}.json"
        return self._kept.get(key, run, deadline, is_current=is_current)

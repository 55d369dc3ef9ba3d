"""Cache detections by original, so that each detector runs once for all variants of an image."""

from __future__ import annotations

import hashlib
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import msgspec

from handler.circuit_breaker import BreakerOpen, CircuitBreaker
from handler.errors import HandlerError
from handler.observability import logger
from handler.ports import DetectionInput, ObjectAttributes, ObjectStore
from imaging import Deadline, Label, Region, SalientRegion, TimeExceeded

PREFIX = "detections/"
"""Prefix of keys in the results bucket, which the CDN cannot read."""
_READ_SECONDS, _WRITE_SECONDS = 1.0, 3.0
"""Timeouts of the store; after them the detector runs again."""
_MAX_CACHED = 2000
"""Detections in memory; the least recently used one is dropped."""


class Detection(msgspec.Struct, frozen=True):
    """What a detector found, and the version of its model."""

    model: str
    regions: tuple[Region, ...] = ()
    labels: tuple[Label, ...] = ()
    salient: SalientRegion | None = msgspec.field(default=None, name="figure")


_DECODER = msgspec.json.Decoder(Detection)
"""Built once, because two threads that have msgspec inspect a type at the same time crash the process."""


class _Lock:
    """A lock that weak references can refer to."""

    __slots__ = ("__weakref__", "lock")

    def __init__(self) -> None:
        self.lock = threading.Lock()


class DetectionCache:
    """Detections by original and detector, in memory and in a store if there is one."""

    def __init__(self, store: ObjectStore | None = None) -> None:
        self._store = store
        self._breaker = CircuitBreaker()
        self._memory: OrderedDict[str, Detection] = OrderedDict()
        self._current: dict[str, str] = {}
        """The last version of each model that was seen in this process."""
        self._locks: weakref.WeakValueDictionary[str, _Lock] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def of(
        self, subject: DetectionInput, detector: str, detect: Callable[[], Detection], deadline: Deadline
    ) -> Detection:
        """Return the cached detection, unless it is of another version of the model; else run `detect`.

        Requests that need the same detection at the same time wait for the first of them.
        """
        key = f"{PREFIX}{subject.tag}/{detector}-{hashlib.sha256(subject.etag.encode()).hexdigest()[:32]}.json"
        with self._locked(key, deadline):
            known = self._remembered(key) or self._stored(key, deadline)
            if known is not None and self._current.get(detector, known.model) == known.model:
                self._remember(key, known)
                return known
            found = detect()
            self._current[detector] = found.model
            self._remember(key, found)
            self._write(key, found, deadline)
            return found

    @contextmanager
    def _locked(self, key: str, deadline: Deadline) -> Iterator[None]:
        with self._lock:
            holder = self._locks.setdefault(key, _Lock())
        if not holder.lock.acquire(timeout=max(0.0, min(deadline.left(), threading.TIMEOUT_MAX))):
            raise TimeExceeded("the image took longer than one request may take")
        try:
            yield
        finally:
            holder.lock.release()

    def _remembered(self, key: str) -> Detection | None:
        with self._lock:
            return self._memory.get(key)

    def _remember(self, key: str, found: Detection) -> None:
        with self._lock:
            self._memory[key] = found
            self._memory.move_to_end(key)
            if len(self._memory) > _MAX_CACHED:
                self._memory.popitem(last=False)

    def _stored(self, key: str, deadline: Deadline) -> Detection | None:
        if self._store is None:
            return None
        try:
            body = self._breaker.call(partial(self._store.read, key), min(_READ_SECONDS, deadline.left()))
            return _DECODER.decode(body) if body is not None else None
        except BreakerOpen:
            return None
        except (HandlerError, msgspec.MsgspecError) as error:
            # Nothing is lost but the cost of running the detector again.
            logger().warning("a stored detection cannot be read", extra={"key": key, "detail": str(error)})
            return None

    def _write(self, key: str, found: Detection, deadline: Deadline) -> None:
        store = self._store
        if store is None:
            return

        def write() -> None:
            existing = store.head(key)
            attributes = ObjectAttributes("application/json", "no-store")
            store.put(key, msgspec.json.encode(found), attributes, replaces=existing.etag if existing else None)

        try:
            self._breaker.call(write, min(_WRITE_SECONDS, deadline.left()))
        except BreakerOpen:
            return
        except HandlerError as error:
            logger().warning("a detection cannot be stored", extra={"key": key, "detail": str(error)})

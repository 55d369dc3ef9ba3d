"""Keep what is computed from originals, in memory and in a store, so that it is computed once."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from handler.core.circuit_breaker import BreakerOpen, CircuitBreaker
from handler.core.errors import HandlerError
from handler.core.ports import ObjectAttributes, ObjectStore
from handler.observability.logs import logger
from imaging import Deadline, TimeExceeded

T = TypeVar("T")
PREFIX = "detections/"
"""Prefix of keys in the results bucket, which the CDN cannot read. A purge deletes what is under `detections/TAG/`."""
_READ_SECONDS, _WRITE_SECONDS = 1.0, 3.0
"""Timeouts of the store; after them the value is computed again."""


class Codec(NamedTuple, Generic[T]):
    """How values are stored, and how much of the memory each of them takes."""

    media_type: str
    encode: Callable[[T], bytes]
    decode: Callable[[bytes], T]
    """Raises ValueError for damaged bytes."""
    size: Callable[[T], int]


class _Lock:
    """A lock that weak references can refer to."""

    __slots__ = ("__weakref__", "lock")

    def __init__(self) -> None:
        self.lock = threading.Lock()


class StoredCache(Generic[T]):
    """Values by key, in memory up to `max_size`, and in a store if there is one."""

    def __init__(self, store: ObjectStore | None, codec: Codec[T], max_size: int) -> None:
        self._store = store
        self._codec = codec
        self._max_size = max_size
        self._breaker = CircuitBreaker()
        self._memory: OrderedDict[str, T] = OrderedDict()
        self._size = 0
        self._locks: weakref.WeakValueDictionary[str, _Lock] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def get(
        self,
        key: str,
        compute: Callable[[], T],
        deadline: Deadline,
        *,
        is_current: Callable[[T], bool] = lambda _value: True,
        is_stored: bool = True,
    ) -> T:
        """Return the value that is kept if it is current; else compute and keep it, in memory alone if not `is_stored`.

        Requests that need the same value at the same time wait for the first of them. Raises TimeExceeded.
        """
        with self._locked(key, deadline):
            known = self._remembered(key)
            if known is None and is_stored:
                known = self._read(key, deadline)
            if known is not None and is_current(known):
                self._remember(key, known)
                return known
            value = compute()
            self._remember(key, value)
            if is_stored:
                self._write(key, value, deadline)
            return value

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

    def _remembered(self, key: str) -> T | None:
        with self._lock:
            return self._memory.get(key)

    def _remember(self, key: str, value: T) -> None:
        with self._lock:
            before = self._memory.pop(key, None)
            self._size += self._codec.size(value) - (0 if before is None else self._codec.size(before))
            self._memory[key] = value
            # The least recently used values go first; one that is larger than the whole memory goes at once.
            while self._size > self._max_size:
                self._size -= self._codec.size(self._memory.popitem(last=False)[1])

    def _read(self, key: str, deadline: Deadline) -> T | None:
        if self._store is None:
            return None
        try:
            body = self._breaker.call(partial(self._store.read, key), min(_READ_SECONDS, deadline.left()))
            return self._codec.decode(body) if body is not None else None
        except BreakerOpen:
            return None
        except (HandlerError, ValueError) as error:
            # Nothing is lost but the cost of computing the value again.
            logger().warning("a stored detection cannot be read", extra={"key": key, "detail": str(error)})
            return None

    def _write(self, key: str, value: T, deadline: Deadline) -> None:
        store = self._store
        if store is None:
            return

        def write() -> None:
            existing = store.head(key)
            attributes = ObjectAttributes(self._codec.media_type, "no-store")
            store.put(key, self._codec.encode(value), attributes, replaces=existing.etag if existing else None)

        try:
            self._breaker.call(write, min(_WRITE_SECONDS, deadline.left()))
        except BreakerOpen:
            return
        except HandlerError as error:
            logger().warning("a detection cannot be stored", extra={"key": key, "detail": str(error)})

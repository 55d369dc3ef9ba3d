"""What was seen in an original is kept: nobody is asked the same twice, whatever variation wants to know."""

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
"""Of keys in the results bucket; no CDN may read them."""
_READ_SECONDS, _WRITE_SECONDS = 1.0, 3.0
"""How long the store may take; without it the question is asked once more."""
_MOST = 2000
"""Answers in memory; the longest unused one is forgotten."""


class Detection(msgspec.Struct, frozen=True):
    """What was seen, and by which version of a model."""

    model: str
    regions: tuple[Region, ...] = ()
    labels: tuple[Label, ...] = ()
    figure: SalientRegion | None = None


_DECODER = msgspec.json.Decoder(Detection)
"""Made once: two threads that have msgspec learn a type at the same time crash the process."""


class _Lock:
    """A lock that may be referred to weakly."""

    __slots__ = ("__weakref__", "lock")

    def __init__(self) -> None:
        self.lock = threading.Lock()


class DetectionCache:
    """Answers by original and question, in memory and in a store if there is one."""

    def __init__(self, store: ObjectStore | None = None) -> None:
        self._store = store
        self._breaker = CircuitBreaker()
        self._memory: OrderedDict[str, Detection] = OrderedDict()
        self._current: dict[str, str] = {}
        """The version of each model, as far as it was heard of in this process."""
        self._turns: weakref.WeakValueDictionary[str, _Lock] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def of(
        self, subject: DetectionInput, question: str, look: Callable[[], Detection], deadline: Deadline
    ) -> Detection:
        """The known answer, unless the last one heard is of another version of the model; then what `look` says.

        While one request looks, others that want to know the same wait for it.
        """
        key = f"{PREFIX}{subject.tag}/{question}-{hashlib.sha256(subject.etag.encode()).hexdigest()[:32]}.json"
        with self._turn(key, deadline):
            known = self._remembered(key) or self._stored(key, deadline)
            if known is not None and self._current.get(question, known.model) == known.model:
                self._remember(key, known)
                return known
            answer = look()
            self._current[question] = answer.model
            self._remember(key, answer)
            self._write(key, answer, deadline)
            return answer

    @contextmanager
    def _turn(self, key: str, deadline: Deadline) -> Iterator[None]:
        with self._lock:
            turn = self._turns.setdefault(key, _Lock())
        if not turn.lock.acquire(timeout=max(0.0, min(deadline.left(), threading.TIMEOUT_MAX))):
            raise TimeExceeded("the picture took longer than one request may take")
        try:
            yield
        finally:
            turn.lock.release()

    def _remembered(self, key: str) -> Detection | None:
        with self._lock:
            return self._memory.get(key)

    def _remember(self, key: str, answer: Detection) -> None:
        with self._lock:
            self._memory[key] = answer
            self._memory.move_to_end(key)
            if len(self._memory) > _MOST:
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
            # Nothing is lost but the price of a second look.
            logger().warning("a kept answer cannot be read", extra={"key": key, "detail": str(error)})
            return None

    def _write(self, key: str, answer: Detection, deadline: Deadline) -> None:
        store = self._store
        if store is None:
            return

        def write() -> None:
            there = store.head(key)
            attributes = ObjectAttributes("application/json", "no-store")
            store.put(key, msgspec.json.encode(answer), attributes, replaces=there.etag if there else None)

        try:
            self._breaker.call(write, min(_WRITE_SECONDS, deadline.left()))
        except BreakerOpen:
            return
        except HandlerError as error:
            logger().warning("an answer cannot be kept", extra={"key": key, "detail": str(error)})

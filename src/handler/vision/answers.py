"""What was seen in an original is kept: nobody is asked the same twice, whatever variation wants to know."""

from __future__ import annotations

import hashlib
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from features import Deadline, Figure, Label, Region, TimeExceeded
from handler.errors import HandlerError
from handler.observability import logger
from handler.ports import ObjectAttributes, ObjectStore, Subject

PREFIX = "detections/"
"""Of keys in the results bucket; no CDN may read them."""
_MOST = 2000
"""Answers in memory; the longest unused one is forgotten."""


class Answer(msgspec.Struct, frozen=True):
    """What was seen, and by which version of a model."""

    model: str
    regions: tuple[Region, ...] = ()
    labels: tuple[Label, ...] = ()
    figure: Figure | None = None


_DECODER = msgspec.json.Decoder(Answer)
"""Made once: two threads that have msgspec learn a type at the same time crash the process."""


class _Lock:
    """A lock that may be referred to weakly."""

    __slots__ = ("__weakref__", "lock")

    def __init__(self) -> None:
        self.lock = threading.Lock()


class Answers:
    """Answers by original and question, in memory and in a store if there is one."""

    def __init__(self, store: ObjectStore | None = None) -> None:
        self._store = store
        self._memory: OrderedDict[str, Answer] = OrderedDict()
        self._current: dict[str, str] = {}
        """The version of each model, as far as it was heard of in this process."""
        self._turns: weakref.WeakValueDictionary[str, _Lock] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def of(self, subject: Subject, question: str, look: Callable[[], Answer], deadline: Deadline) -> Answer:
        """The known answer, unless the last one heard is of another version of the model; then what `look` says.

        While one request looks, others that want to know the same wait for it.
        """
        key = f"{PREFIX}{subject.tag}/{question}-{hashlib.sha256(subject.etag.encode()).hexdigest()[:32]}.json"
        with self._turn(key, deadline):
            known = self._remembered(key) or self._stored(key)
            if known is not None and self._current.get(question, known.model) == known.model:
                self._remember(key, known)
                return known
            answer = look()
            self._current[question] = answer.model
            self._remember(key, answer)
            self._write(key, answer)
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

    def _remembered(self, key: str) -> Answer | None:
        with self._lock:
            return self._memory.get(key)

    def _remember(self, key: str, answer: Answer) -> None:
        with self._lock:
            self._memory[key] = answer
            self._memory.move_to_end(key)
            if len(self._memory) > _MOST:
                self._memory.popitem(last=False)

    def _stored(self, key: str) -> Answer | None:
        if self._store is None:
            return None
        try:
            body = self._store.read(key)
            return _DECODER.decode(body) if body is not None else None
        except (HandlerError, msgspec.MsgspecError) as error:
            # Nothing is lost but the price of a second look.
            logger().warning("a kept answer cannot be read", extra={"key": key, "detail": str(error)})
            return None

    def _write(self, key: str, answer: Answer) -> None:
        if self._store is None:
            return
        try:
            there = self._store.head(key)
            attributes = ObjectAttributes("application/json", "no-store")
            self._store.put(key, msgspec.json.encode(answer), attributes, replaces=there.etag if there else None)
        except HandlerError as error:
            logger().warning("an answer cannot be kept", extra={"key": key, "detail": str(error)})

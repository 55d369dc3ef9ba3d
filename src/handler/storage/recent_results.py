"""Results that a server has just sent and that took no pixels: small ones stay in memory for a minute.

An unedited original and a stored result would otherwise be read from their store for each request. The ETag names all
that a result depends on, and is made of what the store says of the original at each request, so none is out of date.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from handler.render.results import Offloaded, RenderedResult, ResultCache, ResultFacts
from handler.requests.image_request import ImageRequest
from imaging import Deadline, Output

MAX_BYTES, MAX_BODY = 8_000_000, 250_000
"""Bytes of all results in memory, and of the largest one."""
LIFE_SECONDS = 60.0
"""How long a result stays, so that a purge takes effect in every process."""
_OVERHEAD = 1_000
"""Bytes that an entry takes beside its body, about."""


class _Entry(msgspec.Struct, frozen=True):
    result: RenderedResult
    until: float


class RecentResults:
    """A `handler.render.results.ResultCache` in memory, before the one in the results bucket if there is one."""

    def __init__(self, stored: ResultCache | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stored = stored
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        """By ETag, the one that was used last at the end."""
        self.size = 0
        """Bytes of all results in memory."""

    def lookup(self, request: ImageRequest, facts: ResultFacts, size: int) -> RenderedResult | Offloaded | None:
        if (recent := self.find(facts)) is not None:
            return recent
        stored = self._stored.lookup(request, facts, size) if self._stored is not None else None
        self._remember(stored)
        return stored

    def store(
        self, request: ImageRequest, result: RenderedResult, size: int, deadline: Deadline
    ) -> RenderedResult | Offloaded:
        kept = self._stored.store(request, result, size, deadline) if self._stored is not None else result
        if not request.all_steps and request.output == Output():
            self._remember(kept)
        return kept

    def find(self, facts: ResultFacts) -> RenderedResult | None:
        """Return the result that has these facts if it is in memory."""
        with self._lock:
            entry = self._entries.get(facts.etag)
            if entry is None:
                return None
            if entry.until < self._clock():
                self._drop(facts.etag)
                return None
            self._entries.move_to_end(facts.etag)
        negotiated = facts.negotiated or entry.result.facts.negotiated
        return msgspec.structs.replace(entry.result, facts=msgspec.structs.replace(facts, negotiated=negotiated))

    def _remember(self, result: RenderedResult | Offloaded | None) -> None:
        if not isinstance(result, RenderedResult) or result.stored is not None or len(result.body) > MAX_BODY:
            return
        if not result.facts.tags or not result.facts.is_cacheable:
            return  # the next request may have another result
        with self._lock:
            self._drop(result.facts.etag)
            self._entries[result.facts.etag] = _Entry(result, self._clock() + LIFE_SECONDS)
            self.size += len(result.body) + _OVERHEAD
            while self.size > MAX_BYTES:
                self._drop(next(iter(self._entries)))

    def _drop(self, etag: str) -> None:
        entry = self._entries.pop(etag, None)
        if entry is not None:
            self.size -= len(entry.result.body) + _OVERHEAD

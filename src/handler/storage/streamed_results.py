"""Stored results of which a few blocks are in memory while they are sent."""

from __future__ import annotations

from weakref import WeakSet

from handler.core.ports import StoredObject

STREAMED_ABOVE = 1_000_000
"""Bytes."""
MAX_STREAMED = 32
"""Files that are open for it. Slow clients must not take the descriptors that other requests need."""


class StreamedResults:
    """The results that are read while they are sent, at this moment."""

    def __init__(self) -> None:
        self._open: WeakSet[StoredObject] = WeakSet()

    def admit(self, stored: StoredObject) -> bool:
        """Whether a result is read while it is sent, as long as something refers to it; any other is read first."""
        # A bucket has a timeout for the whole transfer, and a slow client would exceed it.
        is_large_file = stored.info.size > STREAMED_ABOVE and not stored.is_remote
        if not is_large_file or len(self._open) >= MAX_STREAMED:
            return False
        self._open.add(stored)
        return True

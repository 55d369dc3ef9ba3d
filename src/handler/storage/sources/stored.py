"""An object that was asked for, and how its bytes are read: once, within the limit, without holding them twice."""

from __future__ import annotations

import io
import weakref
from collections.abc import Callable, Iterable

import msgspec

from handler.ports import ObjectInfo
from handler.storage.sources import store_errors
from imaging import ObjectRef

CHUNK_BYTES = 1 << 18


class Bounds(msgspec.Struct, frozen=True):
    """How large an object may be (bytes), and how long a store may take for one answer (seconds)."""

    limit: int
    timeout: float


class Stored:
    """Facts and unread bytes; what holds the bytes is closed with it."""

    __slots__ = ("__weakref__", "_chunks", "_limit", "info")

    def __init__(
        self, info: ObjectInfo, chunks: Iterable[bytes], limit: int, close: Callable[[], object] | None = None
    ) -> None:
        self.info = info
        self._chunks = chunks
        self._limit = limit
        if close is not None:
            weakref.finalize(self, close)

    def read(self) -> bytes:
        """All bytes, once."""
        if self.info.size > self._limit:
            raise store_errors.too_large(self.info.ref, self.info.size, self._limit)
        body = gathered(self.info.ref, self._chunks, self._limit, self.info.size)
        if len(body) != self.info.size:
            raise store_errors.failed(self.info.ref, f"{len(body)} bytes came of {self.info.size}")
        return body


def gathered(ref: ObjectRef, chunks: Iterable[bytes], limit: int, expected: int = 0) -> bytes:
    """The chunks in one piece; PayloadTooLarge as soon as they are more than the limit."""
    body = io.BytesIO()
    if expected:
        # BytesIO then takes exactly the room that is needed, and hands out its own buffer instead of a copy.
        body.seek(expected - 1)
        body.write(b"\0")
        body.seek(0)
    read = 0
    for chunk in chunks:
        read += len(chunk)
        if read > limit:
            raise store_errors.too_large(ref, read, limit)
        body.write(chunk)
    body.truncate()
    return body.getvalue()


def unquoted(etag: str) -> str:
    """An ETag without its quotes and its weakness."""
    return etag.removeprefix("W/").strip('"')

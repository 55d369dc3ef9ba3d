"""Read the bytes of an object: once, within a limit, and without a second copy in memory."""

from __future__ import annotations

import io
import itertools
import weakref
from collections.abc import Callable, Iterable

import msgspec

from handler.ports import ObjectInfo
from handler.storage.sources import store_errors
from imaging import ObjectRef

CHUNK_BYTES = 1 << 18


class Bounds(msgspec.Struct, frozen=True):
    """The largest size of an object (bytes), and the timeout of one request to a store (seconds)."""

    limit: int
    timeout: float


class Stored:
    """The facts and the unread bytes of an object. `close` is called when the instance is deleted."""

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
        """Return all bytes; can be called once."""
        if self.info.size > self._limit:
            raise store_errors.too_large(self.info.ref, self.info.size, self._limit)
        body = join_chunks(self.info.ref, self._chunks, self._limit, self.info.size)
        if len(body) != self.info.size:
            raise store_errors.failed(self.info.ref, f"received {len(body)} bytes of {self.info.size}")
        return body


def join_chunks(ref: ObjectRef, chunks: Iterable[bytes], limit: int, expected: int = 0) -> bytes:
    """Return the chunks as one bytes object. Raise PayloadTooLarge as soon as they have more bytes than the limit.

    A single chunk is returned as it is, without a copy.
    """
    chunks = iter(chunks)
    first = next(chunks, b"")
    if len(first) > limit:
        raise store_errors.too_large(ref, len(first), limit)
    second = next(chunks, None)
    if second is None and isinstance(first, bytes):
        return first
    body = io.BytesIO()
    if expected:
        # BytesIO then allocates exactly that many bytes once, and getvalue returns its own buffer instead of a copy.
        body.seek(expected - 1)
        body.write(b"\0")
        body.seek(0)
    read = 0
    for chunk in itertools.chain((first, second or b""), chunks):
        read += len(chunk)
        if read > limit:
            raise store_errors.too_large(ref, read, limit)
        body.write(chunk)
    body.truncate()
    return body.getvalue()


def unquote_etag(etag: str) -> str:
    """Return an ETag without its quotes and without `W/`."""
    return etag.removeprefix("W/").strip('"')

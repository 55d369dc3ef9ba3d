"""Read the bytes of an object: once, within a limit, and without a second copy in memory."""

from __future__ import annotations

import io
import itertools
import weakref
from collections.abc import Callable, Generator, Iterable, Sequence

import msgspec

from handler.core.ports import ObjectInfo
from handler.storage.sources import store_errors
from imaging import ObjectRef

CHUNK_BYTES = 1 << 18


class Bounds(msgspec.Struct, frozen=True):
    """The largest size of an object (bytes), and the timeout of one request to a store (seconds)."""

    limit: int
    timeout: float


class Stored:
    """The facts and the unread bytes of an object. `close` is called when the instance is deleted."""

    __slots__ = ("__weakref__", "_chunks", "_limit", "info", "is_remote")

    def __init__(
        self,
        info: ObjectInfo,
        chunks: Iterable[bytes],
        limit: int,
        close: Callable[[], object] | None = None,
        *,
        is_remote: bool = False,
    ) -> None:
        self.info = info
        self.is_remote = is_remote
        self._chunks = iter(chunks)
        self._limit = limit
        if close is not None:
            weakref.finalize(self, close)

    def blocks(self) -> Generator[bytes]:
        """Yield the bytes in blocks as they arrive."""
        self._check_announced()
        received = 0
        try:
            for block in self._chunks:
                received += len(block)
                if received > self._limit:
                    raise store_errors.too_large(self.info.ref, received, self._limit)
                yield block
        finally:
            self._chunks = iter(())  # nothing refers to a response then, which closes its connection
        self._check_received(received)

    def read(self, head: Sequence[bytes] = ()) -> bytes:
        """Return all bytes, of which `blocks` has yielded `head` already; can be called once."""
        self._check_announced()
        chunks = itertools.chain(head, self._chunks)
        body = join_chunks(self.info.ref, chunks, self._limit, self.info.size)
        self._check_received(len(body))
        return body

    def _check_announced(self) -> None:
        if self.info.size > self._limit:
            raise store_errors.too_large(self.info.ref, self.info.size, self._limit)

    def _check_received(self, received: int) -> None:
        if received != self.info.size:
            raise store_errors.failed(self.info.ref, f"received {received} bytes of {self.info.size}")


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

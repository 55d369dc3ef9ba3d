"""Objects in the cloud, through obstore: S3 and compatible stores, GCS, Azure."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec
import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import from_url

from handler.core.ports import Listing, ObjectInfo, StoredObject
from handler.storage.sources import store_errors
from handler.storage.sources.keys import needs_boto
from handler.storage.sources.stored import CHUNK_BYTES, Bounds, Stored, unquote_etag
from imaging import ObjectRef

if TYPE_CHECKING:
    from obstore import Attributes, GetResult, ObjectMeta
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

    from handler.storage.sources.source import Source

T = TypeVar("T")
_STANDARD_HEADERS = frozenset(
    {"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Storage-Class"}
)
"""Attributes that are not user metadata."""


class Client(Protocol):
    """Calls functions with an obstore store, and may try another store if the first one fails."""

    def call(self, function: Callable[[ObjectStore], T]) -> T: ...


class OneStore(msgspec.Struct, frozen=True):
    """A client that has only one store."""

    store: ObjectStore

    def call(self, function: Callable[[ObjectStore], T]) -> T:
        return function(self.store)


class CloudSource:
    """A source that is read through obstore."""

    def __init__(
        self, name: str, client: Client, bounds: Bounds, boto_fallback: Callable[[], Source] | None = None
    ) -> None:
        """`boto_fallback` opens a source for keys that obstore refuses, and for listings, which may contain such."""
        self._name = name
        self._client = client
        self._bounds = bounds
        self._boto_fallback = boto_fallback

    def get(self, key: str) -> StoredObject:
        ref = ObjectRef(self._name, key)
        if needs_boto(key):
            return self._fallback(ref).get(key)
        started = time.monotonic()
        with translate_errors(ref, self._bounds.timeout, started):
            result = self._client.call(lambda store: obstore.get(store, key))
            info = info_of(ref, result.meta, result.attributes)
        return Stored(info, self._chunks(ref, result, started), self._bounds.limit, is_remote=True)

    def head(self, key: str) -> ObjectInfo:
        ref = ObjectRef(self._name, key)
        if needs_boto(key):
            return self._fallback(ref).head(key)
        with translate_errors(ref, self._bounds.timeout):
            result = self._client.call(lambda store: obstore.get(store, key, options={"head": True}))
            return info_of(ref, result.meta, result.attributes)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        if self._boto_fallback is not None:
            yield from self._boto_fallback().list(prefix)
            return
        # obstore lists by whole segments only: list those, then filter by the rest of the prefix.
        segments = prefix.rpartition("/")[0]
        ref = ObjectRef(self._name, prefix)
        with translate_errors(ref, self._bounds.timeout):
            for page in self._client.call(lambda store: obstore.list(store, segments or None)):
                for meta in page:
                    if meta["path"].startswith(prefix):
                        yield info_of(ObjectRef(self._name, meta["path"]), meta, {})

    def page(self, prefix: str, cursor: str, limit: int) -> Listing:
        if self._boto_fallback is not None:
            return self._boto_fallback().page(prefix, cursor, limit)
        from handler.storage.sources.listing import page_of  # noqa: PLC0415 - only listings need it

        segments = prefix.rpartition("/")[0]
        with translate_errors(ObjectRef(self._name, prefix), self._bounds.timeout):
            answer = self._client.call(lambda store: obstore.list_with_delimiter(store, segments or None))
        found: dict[str, ObjectInfo | None] = {f"{folder}/": None for folder in answer["common_prefixes"]}
        found |= {meta["path"]: info_of(ObjectRef(self._name, meta["path"]), meta, {}) for meta in answer["objects"]}
        return page_of({key: info for key, info in found.items() if key.startswith(prefix)}, cursor, limit)

    def _fallback(self, ref: ObjectRef) -> Source:
        if self._boto_fallback is None:
            raise store_errors.not_found(ref, "a key with empty segments or control characters")
        return self._boto_fallback()

    def _chunks(self, ref: ObjectRef, result: GetResult, started: float) -> Iterator[bytes]:
        with translate_errors(ref, self._bounds.timeout, started):
            yield from result.stream(CHUNK_BYTES)


def info_of(ref: ObjectRef, meta: ObjectMeta, attributes: Attributes) -> ObjectInfo:
    """Return what obstore knows of an object as ObjectInfo."""
    modified = meta["last_modified"]
    return ObjectInfo(
        ref,
        meta["size"],
        unquote_etag(meta["e_tag"] or "") or f"{meta['size']:x}-{modified.timestamp():.0f}",
        modified,
        attributes.get("Cache-Control", ""),
        attributes.get("Content-Type", ""),
        {name: value for name, value in attributes.items() if name not in _STANDARD_HEADERS},
    )


_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
"""In the body of S3's errors, which a line with the XML declaration may precede."""


def client_options(timeout: float, *, allow_http: bool = False) -> tuple[ClientConfig, RetryConfig]:
    """Return the options of an obstore client: up to two quick retries, and none after a timeout."""
    seconds = timedelta(seconds=timeout)
    client: ClientConfig = {
        "timeout": seconds,
        "connect_timeout": min(seconds, timedelta(seconds=3)),
        "allow_http": allow_http,
    }
    retry: RetryConfig = {
        "max_retries": 2,
        "retry_timeout": seconds,
        "backoff": {"init_backoff": timedelta(milliseconds=50), "max_backoff": timedelta(milliseconds=400), "base": 2},
    }
    return client, retry


def open_store(url: str, timeout: float) -> ObjectStore:
    """Open a store of GCS or Azure with the credentials that obstore finds. ValueError for an invalid URL."""
    client, retry = client_options(timeout)
    try:
        return from_url(url, client_options=client, retry_config=retry)
    except BaseError as error:
        raise ValueError(f"SOURCE_BUCKETS: `{url}` cannot be opened: {_first_line(error)}") from error


@contextmanager
def translate_errors(ref: ObjectRef, timeout: float, started: float | None = None) -> Iterator[None]:
    """Raise obstore's errors as errors of the handler. obstore has no type for timeouts, so the clock decides."""
    started = time.monotonic() if started is None else started
    try:
        yield
    except FileNotFoundError as error:
        raise store_errors.not_found(ref, _first_line(error)) from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise store_errors.no_access(ref, _first_line(error)) from error
    except BaseError as error:
        late = time.monotonic() - started >= timeout * 0.95
        raise (store_errors.slow if late else store_errors.failed)(ref, _first_line(error)) from error


def _first_line(error: Exception) -> str:
    """Return obstore's message without its internal details, which are on further lines, but with S3's code."""
    line, _, details = str(error).partition("\n")
    code = _CODE.search(details)
    return f"{line} ({code[1]})" if code else line

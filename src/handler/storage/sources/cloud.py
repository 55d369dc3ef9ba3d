"""Objects in the cloud, through obstore: S3 and what speaks like it, GCS, Azure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec
import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import from_url

from handler.ports import Listing, ObjectInfo, StoredObject
from handler.storage.sources import store_errors
from handler.storage.sources.keys import is_odd
from handler.storage.sources.stored import CHUNK_BYTES, Bounds, Stored, unquoted
from imaging import ObjectRef

if TYPE_CHECKING:
    from obstore import Attributes, GetResult, ObjectMeta
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

T = TypeVar("T")
_OWN_ATTRIBUTES = frozenset(
    {"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Storage-Class"}
)


class Client(Protocol):
    """Something that holds an obstore store; it may try another one when the first fails."""

    def ask(self, question: Callable[[ObjectStore], T]) -> T: ...


class OddKeys(Protocol):
    """Who serves the keys that obstore cannot, and the listing that may hold such."""

    def get(self, key: str) -> StoredObject: ...
    def head(self, key: str) -> ObjectInfo: ...
    def list(self, prefix: str) -> Iterator[ObjectInfo]: ...
    def page(self, prefix: str, cursor: str, limit: int) -> Listing: ...


class OneStore(msgspec.Struct, frozen=True):
    """A client with one store for good."""

    store: ObjectStore

    def ask(self, question: Callable[[ObjectStore], T]) -> T:
        return question(self.store)


class CloudSource:
    """A source on obstore."""

    def __init__(
        self, name: str, client: Client, bounds: Bounds, odd_keys: Callable[[], OddKeys] | None = None
    ) -> None:
        """`odd_keys`: what serves them, made with the first of them."""
        self._name = name
        self._client = client
        self._bounds = bounds
        self._odd_keys = odd_keys

    def get(self, key: str) -> StoredObject:
        ref = ObjectRef(self._name, key)
        if is_odd(key):
            return self._odd(ref).get(key)
        started = time.monotonic()
        with told(ref, self._bounds.timeout, started):
            result = self._client.ask(lambda store: obstore.get(store, key))
            info = info_of(ref, result.meta, result.attributes)
        return Stored(info, self._chunks(ref, result, started), self._bounds.limit)

    def head(self, key: str) -> ObjectInfo:
        ref = ObjectRef(self._name, key)
        if is_odd(key):
            return self._odd(ref).head(key)
        with told(ref, self._bounds.timeout):
            result = self._client.ask(lambda store: obstore.get(store, key, options={"head": True}))
            return info_of(ref, result.meta, result.attributes)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        if self._odd_keys is not None:
            yield from self._odd_keys().list(prefix)
            return
        # obstore takes whole segments: ask for those, then compare the rest.
        segments = prefix.rpartition("/")[0]
        ref = ObjectRef(self._name, prefix)
        with told(ref, self._bounds.timeout):
            for page in self._client.ask(lambda store: obstore.list(store, segments or None)):
                for meta in page:
                    if meta["path"].startswith(prefix):
                        yield info_of(ObjectRef(self._name, meta["path"]), meta, {})

    def page(self, prefix: str, cursor: str, limit: int) -> Listing:
        if self._odd_keys is not None:
            return self._odd_keys().page(prefix, cursor, limit)
        from handler.storage.sources.listing import page_of  # noqa: PLC0415 - no picture needs it

        segments = prefix.rpartition("/")[0]
        with told(ObjectRef(self._name, prefix), self._bounds.timeout):
            said = self._client.ask(lambda store: obstore.list_with_delimiter(store, segments or None))
        found: dict[str, ObjectInfo | None] = {f"{folder}/": None for folder in said["common_prefixes"]}
        found |= {meta["path"]: info_of(ObjectRef(self._name, meta["path"]), meta, {}) for meta in said["objects"]}
        return page_of({key: info for key, info in found.items() if key.startswith(prefix)}, cursor, limit)

    def _odd(self, ref: ObjectRef) -> OddKeys:
        if self._odd_keys is None:
            raise store_errors.not_found(ref, "a key with empty segments or control characters")
        return self._odd_keys()

    def _chunks(self, ref: ObjectRef, result: GetResult, started: float) -> Iterator[bytes]:
        with told(ref, self._bounds.timeout, started):
            yield from result.stream(CHUNK_BYTES)


def info_of(ref: ObjectRef, meta: ObjectMeta, attributes: Attributes) -> ObjectInfo:
    """The facts in this project's terms."""
    modified = meta["last_modified"]
    return ObjectInfo(
        ref,
        meta["size"],
        unquoted(meta["e_tag"] or "") or f"{meta['size']:x}-{modified.timestamp():.0f}",
        modified,
        attributes.get("Cache-Control", ""),
        attributes.get("Content-Type", ""),
        {name: value for name, value in attributes.items() if name not in _OWN_ATTRIBUTES},
    )


def patience(timeout: float, *, allow_http: bool = False) -> tuple[ClientConfig, RetryConfig]:
    """Options of an obstore client: two quick repetitions, none after a timeout."""
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
    """A store of GCS or Azure with the credentials that obstore finds by itself. ValueError says what is wrong."""
    client, retry = patience(timeout)
    try:
        return from_url(url, client_options=client, retry_config=retry)
    except BaseError as error:
        raise ValueError(f"SOURCE_BUCKETS: `{url}` cannot be opened: {_said(error)}") from error


@contextmanager
def told(ref: ObjectRef, timeout: float, started: float | None = None) -> Iterator[None]:
    """obstore's errors as this project's. It tells a timeout by its text alone, so the clock decides."""
    started = time.monotonic() if started is None else started
    try:
        yield
    except FileNotFoundError as error:
        raise store_errors.not_found(ref, _said(error)) from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise store_errors.no_access(ref, _said(error)) from error
    except BaseError as error:
        late = time.monotonic() - started >= timeout * 0.95
        raise (store_errors.slow if late else store_errors.failed)(ref, _said(error)) from error


def _said(error: Exception) -> str:
    """What obstore says before it comes to its own insides."""
    return str(error).partition("\n")[0]

"""Results in a bucket of S3."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import obstore
from obstore.exceptions import AlreadyExistsError, PreconditionError

from handler.aws import AwsAccess
from handler.errors import NotFound, UpstreamError
from handler.ports import ObjectAttributes, ObjectInfo, StoredObject
from handler.storage.results.keys import checked
from handler.storage.sources import StoreLocation
from handler.storage.sources.boto_fallback import BotoFallback
from handler.storage.sources.cloud import CloudSource, info_of, told
from handler.storage.sources.keys import is_odd
from handler.storage.sources.s3 import S3Bucket
from handler.storage.sources.stored import Bounds
from imaging import ObjectRef

if TYPE_CHECKING:
    from obstore import Attributes, PutMode
    from obstore.store import ObjectStore, S3Store

_LARGEST = 100_000_000
"""Bytes of what is read back."""
_AT_ONCE = 1_000
"""Keys of one call."""


class S3Results:
    """A bucket of S3. Conditions are its own: If-None-Match and If-Match."""

    def __init__(self, location: StoreLocation, aws: AwsAccess, timeout: float) -> None:
        self.location = location
        self._bucket = S3Bucket(location, aws, timeout)
        self._odd_keys = BotoFallback(self._bucket, _LARGEST)
        self._stored = CloudSource(location.name, self._bucket, Bounds(_LARGEST, timeout), lambda: self._odd_keys)

    def head(self, key: str) -> ObjectInfo | None:
        """What lies there, None if nothing does."""
        try:
            return self._stored.head(checked(key))
        except NotFound:
            return None

    def get(self, key: str) -> StoredObject | None:
        """What lies there, its bytes not yet read; None if nothing does."""
        try:
            return self._stored.get(checked(key))
        except NotFound:
            return None

    def read(self, key: str) -> bytes | None:
        """All bytes, None if nothing lies there."""
        stored = self.get(key)
        return stored.read() if stored else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """What lies under a prefix that ends in a slash, in no order."""
        ref = ObjectRef(self.location.name, prefix)
        try:
            with told(ref, self._bucket.timeout):
                pages = list(self._bucket.ask(lambda store: obstore.list(store, prefix.rstrip("/"))))
        except UpstreamError:
            # obstore tells a bucket that is gone like any other failure; boto3 tells them apart.
            yield from self._odd_keys.list(prefix)
            return
        for page in pages:
            yield from (info_of(ObjectRef(self.location.name, meta["path"]), meta, {}) for meta in page)

    def delete(self, keys: Sequence[str]) -> None:
        """Delete what lies under these keys; what is not there is no fault."""
        with told(ObjectRef(self.location.name, ", ".join(keys)), self._bucket.timeout):
            for start in range(0, len(keys), _AT_ONCE):
                some = list(keys[start : start + _AT_ONCE])
                self._bucket.ask(lambda store, some=some: obstore.delete(store, some))  # type: ignore[misc]  # mypy infers no lambda with a default

    def link(self, key: str, seconds: int) -> str:
        """A presigned address. It dies with the session that signs it, so it is made for minutes."""
        with told(ObjectRef(self.location.name, key), self._bucket.timeout):
            return self._bucket.ask(lambda store: _signed(store, key, timedelta(seconds=seconds)))

    def admits(self, key: str, until: str, proof: str) -> bool:  # noqa: ARG002 - as a folder has it
        """Never: who may read is S3's to say."""
        return False

    def put(self, key: str, body: bytes, attributes: ObjectAttributes, *, replaces: str | None) -> bool:
        """Write if nothing lies there (`replaces` None) or exactly that ETag; False when it is otherwise by now."""
        headers = {"Content-Type": attributes.content_type, "Cache-Control": attributes.cache_control}
        stored = headers | dict(attributes.metadata)
        try:
            if is_odd(checked(key)):
                return self._odd_keys.put(key, body, stored, replaces)
            return self._put(key, body, stored, replaces)
        except NotFound as error:
            raise UpstreamError("the output bucket does not exist", detail=error.detail) from error

    def _put(self, key: str, body: bytes, attributes: Attributes, replaces: str | None) -> bool:
        said = {name: value for name, value in attributes.items() if value}
        mode: PutMode = "create" if replaces is None else {"e_tag": f'"{replaces}"'}

        def write(store: ObjectStore) -> bool:
            try:
                obstore.put(store, key, body, attributes=said, mode=mode)
            except (AlreadyExistsError, PreconditionError):
                return False
            return True

        with told(ObjectRef(self.location.name, key), self._bucket.timeout):
            return self._bucket.ask(write)


def _signed(store: ObjectStore, key: str, life: timedelta) -> str:
    return obstore.sign(cast("S3Store", store), "GET", key, life)

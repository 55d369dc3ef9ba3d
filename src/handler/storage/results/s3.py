"""A results store in a bucket of S3."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import obstore
from obstore.exceptions import AlreadyExistsError, PreconditionError

from handler.aws import AwsAccess
from handler.core.errors import NotFound, UpstreamError
from handler.core.ports import ObjectAttributes, ObjectInfo, StoredObject
from handler.storage.results.keys import checked
from handler.storage.sources import StoreLocation
from handler.storage.sources.boto_fallback import BotoFallback
from handler.storage.sources.cloud import CloudSource, info_of, translate_errors
from handler.storage.sources.keys import needs_boto
from handler.storage.sources.s3 import S3Bucket
from handler.storage.sources.stored import Bounds
from imaging import ObjectRef

if TYPE_CHECKING:
    from obstore import Attributes, PutMode
    from obstore.store import ObjectStore, S3Store

_MAX_BYTES = 100_000_000
"""Limit of an object that is read back."""
_KEYS_PER_DELETE = 1_000
"""Limit of S3."""


class S3Results:
    """A bucket of S3, which itself checks the conditions of a write: If-None-Match and If-Match."""

    def __init__(self, location: StoreLocation, aws: AwsAccess, timeout: float) -> None:
        self.location = location
        self._bucket = S3Bucket(location, aws, timeout)
        self._boto_fallback = BotoFallback(self._bucket, _MAX_BYTES)
        self._source = CloudSource(
            location.name, self._bucket, Bounds(_MAX_BYTES, timeout), lambda: self._boto_fallback
        )

    def head(self, key: str) -> ObjectInfo | None:
        """Return what S3 knows of an object, None if there is no such object."""
        try:
            return self._source.head(checked(key))
        except NotFound:
            return None

    def get(self, key: str) -> StoredObject | None:
        """Return an object whose bytes are not read yet, None if there is no such object."""
        try:
            return self._source.get(checked(key))
        except NotFound:
            return None

    def read(self, key: str) -> bytes | None:
        """Return all bytes of an object, None if there is no such object."""
        stored = self.get(key)
        return stored.read() if stored else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield all objects under a prefix that ends in a slash, in no order."""
        ref = ObjectRef(self.location.name, prefix)
        try:
            with translate_errors(ref, self._bucket.timeout):
                pages = list(self._bucket.call(lambda store: obstore.list(store, prefix.rstrip("/"))))
        except UpstreamError:
            # obstore raises the same error for a missing bucket as for any failure; boto3 distinguishes them.
            yield from self._boto_fallback.list(prefix)
            return
        for page in pages:
            yield from (info_of(ObjectRef(self.location.name, meta["path"]), meta, {}) for meta in page)

    def delete(self, keys: Sequence[str]) -> None:
        """Delete these objects; keys without an object are ignored."""
        with translate_errors(ObjectRef(self.location.name, ", ".join(keys)), self._bucket.timeout):
            for start in range(0, len(keys), _KEYS_PER_DELETE):
                some = list(keys[start : start + _KEYS_PER_DELETE])
                self._bucket.call(lambda store, some=some: obstore.delete(store, some))  # type: ignore[misc]  # mypy infers no lambda with a default

    def link(self, key: str, seconds: int) -> str:
        """Return a presigned address. It ends with the session that signed it, so its life should be minutes."""
        with translate_errors(ObjectRef(self.location.name, key), self._bucket.timeout):
            life = timedelta(seconds=seconds)
            return self._bucket.call(lambda store: obstore.sign(cast("S3Store", store), "GET", key, life))

    def admits(self, key: str, until: str, proof: str) -> bool:  # noqa: ARG002 - the signature of ResultStore
        """Return False: S3 itself checks its presigned addresses."""
        return False

    def put(self, key: str, body: bytes, attributes: ObjectAttributes, *, replaces: str | None) -> bool:
        """Write an object unless it exists (`replaces` None) or has another ETag; return whether it was written."""
        headers = {"Content-Type": attributes.content_type, "Cache-Control": attributes.cache_control}
        all_attributes = headers | dict(attributes.metadata)
        try:
            if needs_boto(checked(key)):
                return self._boto_fallback.put(key, body, all_attributes, replaces)
            return self._put(key, body, all_attributes, replaces)
        except NotFound as error:
            raise UpstreamError("the output bucket does not exist", detail=error.detail) from error

    def _put(self, key: str, body: bytes, attributes: Attributes, replaces: str | None) -> bool:
        not_empty = {name: value for name, value in attributes.items() if value}
        mode: PutMode = "create" if replaces is None else {"e_tag": f'"{replaces}"'}

        def write(store: ObjectStore) -> bool:
            try:
                obstore.put(store, key, body, attributes=not_empty, mode=mode)
            except (AlreadyExistsError, PreconditionError):
                return False
            return True

        with translate_errors(ObjectRef(self.location.name, key), self._bucket.timeout):
            return self._bucket.call(write)

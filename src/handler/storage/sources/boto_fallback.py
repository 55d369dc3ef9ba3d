"""Read and write keys of S3 that obstore refuses, and list keys that may be such: through boto3.

Open upstream: developmentseed/obstore #429, apache/arrow-rs-object-store #341. boto3 is imported when first needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from http import HTTPStatus
from typing import Any

from handler.aws.sdk import SdkError, SdkRefusal, SdkTimeout, sdk_client, sdk_errors
from handler.core.errors import BadRequest, HandlerError
from handler.core.ports import Listing, ObjectInfo, StoredObject
from handler.storage.sources import store_errors
from handler.storage.sources.s3 import S3Bucket
from handler.storage.sources.stored import CHUNK_BYTES, Stored, unquote_etag
from imaging import ObjectRef

_HEADERS = {"Cache-Control": "CacheControl", "Content-Type": "ContentType"}


class BotoFallback:
    """A bucket of S3, read and written through boto3."""

    def __init__(self, bucket: S3Bucket, limit: int) -> None:
        self._bucket = bucket
        self._name = bucket.location.name
        self._limit = limit

    def get(self, key: str) -> StoredObject:
        ref = ObjectRef(self._name, key)
        with _translate_errors(ref):
            answer = self._client.get_object(Bucket=self._bucket.location.bucket, Key=self._full_key(key))
            body, info = answer["Body"], _info(ref, answer)
        return Stored(info, _chunks(ref, body), self._limit, body.close, is_remote=True)

    def head(self, key: str) -> ObjectInfo:
        ref = ObjectRef(self._name, key)
        with _translate_errors(ref):
            return _info(ref, self._client.head_object(Bucket=self._bucket.location.bucket, Key=self._full_key(key)))

    def tags(self, key: str) -> dict[str, str]:
        """Return the tags of an object, which obstore does not read."""
        with _translate_errors(ObjectRef(self._name, key)):
            bucket = self._bucket.location.bucket
            answer = self._client.get_object_tagging(Bucket=bucket, Key=self._full_key(key))
            return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        with _translate_errors(ObjectRef(self._name, prefix)):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket.location.bucket, Prefix=self._full_key(prefix)):
                yield from self._infos(page)

    def page(self, prefix: str, cursor: str, limit: int) -> Listing:
        params = {
            "Bucket": self._bucket.location.bucket,
            "Prefix": self._full_key(prefix),
            "Delimiter": "/",
            "MaxKeys": limit,
        }
        try:
            with _translate_errors(ObjectRef(self._name, prefix)):
                answer = self._client.list_objects_v2(**params, **({"ContinuationToken": cursor} if cursor else {}))
                folders = [
                    entry["Prefix"].removeprefix(self._full_key("")) for entry in answer.get("CommonPrefixes", ())
                ]
                return Listing(tuple(self._infos(answer)), tuple(folders), answer.get("NextContinuationToken"))
        except HandlerError as error:
            if cursor and _status_of(error) == HTTPStatus.BAD_REQUEST:
                raise BadRequest(
                    "`cursor` must be the one that the previous page returned", detail=error.detail
                ) from error
            raise

    def _infos(self, page: Mapping[str, Any]) -> Iterator[ObjectInfo]:
        for entry in page.get("Contents", ()):
            ref = ObjectRef(self._name, entry["Key"].removeprefix(self._full_key("")))
            yield ObjectInfo(ref, entry["Size"], unquote_etag(entry["ETag"]), entry["LastModified"])

    def put(self, key: str, body: bytes, attributes: Mapping[str, str], replaces: str | None) -> bool:
        """Write an object unless it exists (`replaces` None) or has another ETag; return whether it was written."""
        metadata = {name: value for name, value in attributes.items() if name not in _HEADERS}
        headers = {_HEADERS[name]: value for name, value in attributes.items() if name in _HEADERS and value}
        condition = {"IfNoneMatch": "*"} if replaces is None else {"IfMatch": f'"{replaces}"'}
        name = self._bucket.location.bucket
        try:
            with _translate_errors(ObjectRef(self._name, key)):
                self._client.put_object(
                    Bucket=name, Key=self._full_key(key), Body=body, Metadata=metadata, **headers, **condition
                )
        except HandlerError as error:
            failed_conditions = {HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}
            failed_conditions |= {HTTPStatus.NOT_FOUND} if replaces else set()
            if _status_of(error) in failed_conditions:
                return False
            raise
        return True

    def _full_key(self, key: str) -> str:
        prefix = self._bucket.location.prefix
        return f"{prefix}/{key}" if prefix else key

    @cached_property
    def _client(self) -> Any:
        bucket = self._bucket
        return sdk_client(
            "s3",
            bucket.aws,
            region=bucket.region,
            endpoint=bucket.endpoint,
            connect_timeout=min(bucket.timeout, 3),
            read_timeout=bucket.timeout,
            attempts=2,
            s3={"addressing_style": "path" if bucket.endpoint else "auto"},
        )


def _info(ref: ObjectRef, answer: Mapping[str, Any]) -> ObjectInfo:
    return ObjectInfo(
        ref,
        answer["ContentLength"],
        unquote_etag(answer.get("ETag", "")),
        answer["LastModified"],
        answer.get("CacheControl", ""),
        answer.get("ContentType", ""),
        answer.get("Metadata", {}),
    )


def _chunks(ref: ObjectRef, body: Any) -> Iterator[bytes]:
    with _translate_errors(ref):
        yield from body.iter_chunks(CHUNK_BYTES)


def _status_of(error: HandlerError) -> int | None:
    """Return the HTTP status with which the store refused, None if the error has another cause."""
    cause = error.__cause__
    return cause.status if isinstance(cause, SdkRefusal) else None


@contextmanager
def _translate_errors(ref: ObjectRef) -> Iterator[None]:
    """Raise boto3's errors as errors of the handler."""
    try:
        with sdk_errors():
            yield
    except SdkRefusal as error:
        raise store_errors.of_status(ref, error.status, str(error)) from error
    except SdkTimeout as error:
        raise store_errors.slow(ref, str(error)) from error
    except SdkError as error:
        raise store_errors.failed(ref, str(error)) from error

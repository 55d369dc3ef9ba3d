"""Keys that S3 knows and obstore does not, and listings that may hold such: by boto3, imported when first needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from http import HTTPStatus
from typing import Any

from handler.aws.sdk import SdkError, SdkRefusal, SdkTimeout, sdk_client, sdk_errors
from handler.errors import BadRequest, HandlerError
from handler.ports import Listing, ObjectInfo, StoredObject
from handler.storage.sources import store_errors
from handler.storage.sources.s3 import S3Bucket
from handler.storage.sources.stored import CHUNK_BYTES, Stored, unquoted
from imaging import ObjectRef

_HEADERS = {"Cache-Control": "CacheControl", "Content-Type": "ContentType"}


class BotoFallback:
    """A bucket of S3 through boto3."""

    def __init__(self, bucket: S3Bucket, limit: int) -> None:
        self._bucket = bucket
        self._name = bucket.location.name
        self._limit = limit

    def get(self, key: str) -> StoredObject:
        ref = ObjectRef(self._name, key)
        with _told(ref):
            answer = self._client.get_object(Bucket=self._bucket.location.bucket, Key=self._full(key))
            body, info = answer["Body"], _info(ref, answer)
        return Stored(info, _chunks(ref, body), self._limit, body.close)

    def head(self, key: str) -> ObjectInfo:
        ref = ObjectRef(self._name, key)
        with _told(ref):
            return _info(ref, self._client.head_object(Bucket=self._bucket.location.bucket, Key=self._full(key)))

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        with _told(ObjectRef(self._name, prefix)):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket.location.bucket, Prefix=self._full(prefix)):
                yield from self._listed(page)

    def page(self, prefix: str, cursor: str, limit: int) -> Listing:
        asked = {
            "Bucket": self._bucket.location.bucket,
            "Prefix": self._full(prefix),
            "Delimiter": "/",
            "MaxKeys": limit,
        }
        try:
            with _told(ObjectRef(self._name, prefix)):
                said = self._client.list_objects_v2(**asked, **({"ContinuationToken": cursor} if cursor else {}))
                folders = [entry["Prefix"].removeprefix(self._full("")) for entry in said.get("CommonPrefixes", ())]
                return Listing(tuple(self._listed(said)), tuple(folders), said.get("NextContinuationToken"))
        except HandlerError as error:
            if cursor and _refused_with(error) == HTTPStatus.BAD_REQUEST:
                raise BadRequest("`cursor` must be one that the page before gave", detail=error.detail) from error
            raise

    def _listed(self, page: Mapping[str, Any]) -> Iterator[ObjectInfo]:
        for entry in page.get("Contents", ()):
            ref = ObjectRef(self._name, entry["Key"].removeprefix(self._full("")))
            yield ObjectInfo(ref, entry["Size"], unquoted(entry["ETag"]), entry["LastModified"])

    def put(self, key: str, body: bytes, attributes: Mapping[str, str], replaces: str | None) -> bool:
        """Write if nothing lies there (None) or that ETag; False when it is otherwise by now."""
        metadata = {name: value for name, value in attributes.items() if name not in _HEADERS}
        headers = {_HEADERS[name]: value for name, value in attributes.items() if name in _HEADERS and value}
        condition = {"IfNoneMatch": "*"} if replaces is None else {"IfMatch": f'"{replaces}"'}
        name = self._bucket.location.bucket
        try:
            with _told(ObjectRef(self._name, key)):
                self._client.put_object(
                    Bucket=name, Key=self._full(key), Body=body, Metadata=metadata, **headers, **condition
                )
        except HandlerError as error:
            lost = {HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}
            lost |= {HTTPStatus.NOT_FOUND} if replaces else set()
            if _refused_with(error) in lost:
                return False
            raise
        return True

    def _full(self, key: str) -> str:
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
        unquoted(answer.get("ETag", "")),
        answer["LastModified"],
        answer.get("CacheControl", ""),
        answer.get("ContentType", ""),
        answer.get("Metadata", {}),
    )


def _chunks(ref: ObjectRef, body: Any) -> Iterator[bytes]:
    with _told(ref):
        yield from body.iter_chunks(CHUNK_BYTES)


def _refused_with(error: HandlerError) -> int | None:
    """The status of the store's refusal, None where the error has another cause."""
    cause = error.__cause__
    return cause.status if isinstance(cause, SdkRefusal) else None


@contextmanager
def _told(ref: ObjectRef) -> Iterator[None]:
    """boto3's errors as this project's."""
    try:
        with sdk_errors():
            yield
    except SdkRefusal as error:
        raise store_errors.of_status(ref, error.status, str(error)) from error
    except SdkTimeout as error:
        raise store_errors.slow(ref, str(error)) from error
    except SdkError as error:
        raise store_errors.failed(ref, str(error)) from error

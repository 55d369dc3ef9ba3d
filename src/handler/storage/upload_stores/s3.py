"""Uploads to a bucket of S3 or of a compatible store.

Requests of this service and forms and URLs for its clients are signed by `handler.aws.signing`. Nothing here needs an
SDK, and what is held in memory of an upload is one part.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape, unescape
from http import HTTPStatus
from itertools import chain
from typing import Any
from urllib.parse import quote

from handler.aws import AwsAccess, Credentials
from handler.aws.client import Reply, send
from handler.aws.credentials import found_credentials
from handler.aws.signing import presigned_s3_url, signed_post_fields
from handler.core.errors import BadRequest, NotFound, UpstreamError
from handler.core.ports import ObjectInfo
from handler.storage.sources import StoreLocation, store_errors
from handler.storage.sources.boto_fallback import BotoFallback
from handler.storage.sources.cloud import CloudSource
from handler.storage.sources.keys import is_invalid
from handler.storage.sources.s3 import S3Bucket
from handler.storage.sources.stored import Bounds
from handler.storage.upload_stores.store import PART_BYTES, PresignedPost, UploadAttributes
from imaging import ObjectRef

_TIMEOUT_SECONDS = 30.0
"""Time of each step of a request that sends a part."""
_REQUEST_SECONDS = 300
"""How long the signature of a request of this service is valid."""
_PAUSES = (0.2, 0.8)
"""Seconds before the second and the third attempt."""
_TAKEN = (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED)


class S3Uploads:
    """A source in a bucket of S3, which checks the condition `If-None-Match` of a write."""

    sends_events = True

    def __init__(self, location: StoreLocation, aws: AwsAccess) -> None:
        self._name = location.name
        self._aws = aws
        self._bucket = S3Bucket(location, aws, _TIMEOUT_SECONDS)
        fallback = BotoFallback(self._bucket, 0)
        self._source = CloudSource(location.name, self._bucket, Bounds(0, _TIMEOUT_SECONDS), lambda: fallback)

    def head(self, key: str) -> ObjectInfo | None:
        """Return what S3 knows of an object, None if there is no such object.

        A request through obstore also finds out the region of the bucket, which all signatures need.
        """
        try:
            return self._source.head(self._checked(key))
        except NotFound:
            return None

    def sha256(self, key: str) -> str:
        """Return the SHA-256 that was stored with an object in its metadata; empty without one."""
        info = self.head(key)
        return info.metadata.get("sha256", "") if info else ""

    def write(
        self, key: str, blocks: Iterable[bytes], attributes: UploadAttributes, *, overwrite: bool
    ) -> ObjectInfo | None:
        """Write an object, in parts if it is larger than one. Return None if it exists and `overwrite` is false."""
        if not overwrite and self.head(key) is not None:
            return None
        parts = _join_blocks(blocks, PART_BYTES)
        first = next(parts, b"")
        second = next(parts, None)
        if second is None:
            headers = _headers(attributes) | ({} if overwrite else {"if-none-match": "*"})
            reply = self._send("PUT", key, first, headers=headers, accepted=_TAKEN)
            return None if reply.status in _TAKEN else self._stored(key)
        upload = self.begin(key, attributes)
        try:
            numbered = enumerate(chain((first, second), parts), start=1)
            etags = [(number, self.write_part(key, upload, number, [part])) for number, part in numbered]
            info = self.complete(key, upload, etags, overwrite=overwrite)
        except BaseException:
            self.abort(key, upload)
            raise
        if info is None:
            self.abort(key, upload)
        return info

    def delete(self, key: str) -> None:
        """Delete an object; nothing happens without one."""
        self._send_again("DELETE", key, accepted=(HTTPStatus.NOT_FOUND,))

    def presigned_post(
        self, key: str, attributes: UploadAttributes, sizes: tuple[int, int], now: datetime, expires: datetime
    ) -> PresignedPost | None:
        """Return a form with which a client writes to the bucket directly."""
        metadata = {f"x-amz-meta-{name}": value for name, value in attributes.metadata.items()}
        fields = {
            "key": self._full_key(key),
            "Content-Type": attributes.content_type,
            "success_action_status": str(int(HTTPStatus.CREATED)),
            **metadata,
        }
        conditions = [{"bucket": self._bucket.location.bucket}, ["content-length-range", *sizes]]
        signed = signed_post_fields(fields, conditions, self._bucket.region, self._keys, now, expires=expires)
        return PresignedPost(self._bucket.url, signed)

    def begin(self, key: str, attributes: UploadAttributes) -> str:
        """Begin an upload in parts, and return its ID."""
        reply = self._send_again("POST", key, query={"uploads": ""}, headers=_headers(attributes))
        found = re.search(rb"<UploadId>([^<]+)</UploadId>", reply.body)
        if found is None:
            raise store_errors.failed(ObjectRef(self._name, key), f"no upload ID in {reply.body[:200]!r}")
        return unescape(found[1].decode())

    def part_url(self, key: str, upload: str, number: int, now: datetime, seconds: int) -> str | None:
        """Return a URL to which a client sends one part by PUT."""
        query = {"partNumber": str(number), "uploadId": upload}
        return presigned_s3_url(
            "PUT", self._url(key), self._bucket.region, self._keys, now, seconds=seconds, query=query
        )

    def write_part(self, key: str, upload: str, number: int, blocks: Iterable[bytes]) -> str:
        """Write one part, or replace it, and return its ETag."""
        query = {"partNumber": str(number), "uploadId": upload}
        reply = self._send_again("PUT", key, b"".join(blocks), query=query)
        return reply.headers.get("etag", "").strip('"')

    def complete(
        self, key: str, upload: str, parts: Sequence[tuple[int, str]], *, overwrite: bool
    ) -> ObjectInfo | None:
        """Join parts into an object. Return None if it exists already."""
        if not overwrite and self.head(key) is not None:
            return None  # some compatible stores ignore the condition
        listed = "".join(
            f'<Part><PartNumber>{number}</PartNumber><ETag>"{escape(etag)}"</ETag></Part>' for number, etag in parts
        )
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        headers = {} if overwrite else {"if-none-match": "*"}
        reply = self._send("POST", key, body, query={"uploadId": upload}, headers=headers, accepted=(*_TAKEN, 400, 404))
        if reply.status in _TAKEN:
            return None
        if reply.status == HTTPStatus.NOT_FOUND:
            raise NotFound(f"there is no upload `{upload[:80]}` of the key `{key[:80]}`", code="NoSuchUpload")
        if reply.status == HTTPStatus.BAD_REQUEST:
            raise BadRequest("`parts` must name parts that are stored with their ETags", detail=repr(reply.body[:300]))
        if b"<Error>" in reply.body:
            # S3 sends status 200 before it joins the parts, so an error may follow.
            raise store_errors.failed(ObjectRef(self._name, key), repr(reply.body[:300]))
        return self._stored(key)

    def abort(self, key: str, upload: str) -> None:
        """Delete the parts of an upload; nothing happens if there is no such upload."""
        self._send_again("DELETE", key, query={"uploadId": upload}, accepted=(HTTPStatus.NOT_FOUND,))

    def _send_again(self, method: str, key: str, body: bytes | None = None, **options: Any) -> Reply:
        """Send a request that may be repeated, up to three times while S3 fails or throttles."""
        for pause in _PAUSES:
            try:
                return self._send(method, key, body, **options)
            except UpstreamError:
                time.sleep(pause)
        return self._send(method, key, body, **options)

    def _send(
        self,
        method: str,
        key: str,
        body: bytes | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accepted: Sequence[int] = (),
    ) -> Reply:
        """Send a signed request. Raise an error for a status above 299 that is not accepted."""
        ref = ObjectRef(self._name, key)
        url = presigned_s3_url(
            method, self._url(key), self._bucket.region, self._keys, datetime.now(UTC),
            seconds=_REQUEST_SECONDS, query=query, headers=headers,
        )  # fmt: skip
        try:
            reply = send(method, url, body or b"", headers or {}, _TIMEOUT_SECONDS)
        except TimeoutError as error:
            raise store_errors.slow(ref, repr(error)) from error
        except OSError as error:
            raise store_errors.failed(ref, repr(error)) from error
        if reply.status > 299 and reply.status not in accepted:
            raise store_errors.of_status(ref, reply.status, repr(reply.body[:300]))
        return reply

    def _stored(self, key: str) -> ObjectInfo:
        info = self.head(key)
        if info is None:
            raise UpstreamError(f"the key `{key[:80]}` was deleted while it was uploaded")
        return info

    def _url(self, key: str) -> str:
        return f"{self._bucket.url}/{quote(self._full_key(key), safe='/~')}"

    def _full_key(self, key: str) -> str:
        prefix = self._bucket.location.prefix
        return f"{prefix}/{self._checked(key)}" if prefix else self._checked(key)

    @staticmethod
    def _checked(key: str) -> str:
        if is_invalid(key):
            raise BadRequest(f"no store can have the key `{key[:60]}`")
        return key

    @property
    def _keys(self) -> Credentials:
        return self._aws.credentials or found_credentials()


def _headers(attributes: UploadAttributes) -> dict[str, str]:
    metadata = {f"x-amz-meta-{name}": value for name, value in attributes.metadata.items()}
    return {"content-type": attributes.content_type, **metadata}


def _join_blocks(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the same bytes in blocks of this size; the last one may be smaller."""
    joined = bytearray()
    for block in blocks:
        joined += block
        while len(joined) >= size:
            yield bytes(joined[:size])
            del joined[:size]
    if joined:
        yield bytes(joined)

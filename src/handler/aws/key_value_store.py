"""CloudFront's key value stores, which functions at the edge read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import msgspec

from handler.aws import AwsAccess
from handler.aws.client import Reply, send
from handler.aws.credentials import found_credentials
from handler.aws.signing_v4a import signed_headers
from handler.core.errors import UpstreamError

MAX_VALUE_BYTES = 1024
_CALL_SECONDS = 10.0


class KeyValueStore(msgspec.Struct, frozen=True):
    """A key value store."""

    arn: str
    aws: AwsAccess

    def put(self, key: str, value: str) -> bool:
        """Store a value, and return whether it is another one than before. Raise UpstreamError."""
        path = f"/keys/{quote(key, safe='')}"
        existing = self._call("GET", path)
        if existing.status == HTTPStatus.OK and json.loads(existing.body)["Value"] == value:
            return False
        if existing.status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND):
            raise self._error("read", existing)
        described = self._call("GET", "")
        if described.status != HTTPStatus.OK:
            raise self._error("described", described)
        headers = {"content-type": "application/json", "if-match": described.headers["etag"]}
        written = self._call("PUT", path, json.dumps({"Value": value}).encode(), headers)
        if written.status != HTTPStatus.OK:
            raise self._error("written", written)
        return True

    def _call(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        account = self.arn.split(":")[4]
        endpoint = self.aws.endpoint_url_key_value_store or f"https://{account}.cloudfront-kvs.global.api.aws"
        url = f"{endpoint}/key-value-stores/{quote(self.arn, safe='')}{path}"
        signed = signed_headers(
            method,
            url,
            body,
            headers or {},
            service="cloudfront-keyvaluestore",
            credentials=self.aws.credentials or found_credentials(),
            now=datetime.now(UTC),
        )
        try:
            return send(method, url, body or None, signed, _CALL_SECONDS)
        except OSError as error:
            raise _unavailable(f"{urlsplit(url).netloc} does not answer: {error!r}") from error

    def _error(self, action: str, reply: Reply) -> UpstreamError:
        return _unavailable(
            f"{self.arn} cannot be {action}: {reply.status} {reply.body[:300].decode(errors='replace')}"
        )


def _unavailable(detail: str) -> UpstreamError:
    return UpstreamError("the key value store of the edge cannot be used", detail=detail)

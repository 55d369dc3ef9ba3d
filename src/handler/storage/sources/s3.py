"""A bucket of S3 or of a compatible store, opened at its first use and in its own region."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from obstore.exceptions import GenericError
from obstore.store import S3Store

from handler.aws import AwsAccess, endpoint_of
from handler.storage.sources.cloud import client_options
from handler.storage.sources.locations import StoreLocation

if TYPE_CHECKING:
    from obstore.store import ObjectStore, S3Config, S3Credential

T = TypeVar("T")
_REGION_SECONDS = 3.0
_CREDENTIALS_AGE = timedelta(minutes=5)
"""Time after which obstore asks for credentials again."""


class S3Bucket:
    """The client of one bucket, for reading and writing."""

    def __init__(self, location: StoreLocation, aws: AwsAccess, timeout: float) -> None:
        self.location = location
        self.aws = aws
        self.timeout = timeout
        self.endpoint = location.endpoint or aws.s3
        self.region = location.region or aws.home
        self._store: ObjectStore | None = None
        self._region_is_known = False
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The URL of the bucket in its region, with its name in the host or in the path."""
        name = self.location.bucket
        if self.endpoint:
            return f"{self.endpoint}/{name}"
        if self._is_virtual_hosted:
            return endpoint_of(f"{name}.s3", self.region)
        return f"{endpoint_of('s3', self.region)}/{name}"

    @property
    def _is_virtual_hosted(self) -> bool:
        """Whether the bucket's name is in the host, as AWS recommends. Its certificates cover no names with dots."""
        name = self.location.bucket
        return not self.endpoint and "." not in name and name == name.lower()

    def call(self, function: Callable[[ObjectStore], T]) -> T:
        """Return what the function returns; after a failure, call it again if the bucket is in another region."""
        store = self._store or self._opened()
        started = time.monotonic()
        try:
            return function(store)
        except GenericError:
            late = time.monotonic() - started >= self.timeout * 0.95
            other = None if late else self._in_right_region(store)
            if other is None:
                raise
            return function(other)

    def _opened(self) -> ObjectStore:
        with self._lock:
            self._store = self._store or self._open()
            return self._store

    def _in_right_region(self, failed: ObjectStore) -> ObjectStore | None:
        """Return the store in the right region, None if the failed one is. In a wrong region S3 answers 301 or 400."""
        with self._lock:
            if self._store is failed and not self._region_is_known:
                region = _region_of(self.location.bucket, self.endpoint or endpoint_of("s3", self.region))
                self._region_is_known = region is not None
                if region and region != self.region:
                    self.region = region
                    self._store = self._open()
            return self._store if self._store is not failed else None

    def _open(self) -> S3Store:
        client, retry = client_options(self.timeout, allow_http=self.endpoint.startswith("http://"))
        name = self.location.bucket
        config: S3Config = {"region": self.region}
        if self.endpoint:
            config["aws_endpoint_url_s3"] = self.endpoint
        elif self._is_virtual_hosted:
            config["virtual_hosted_style_request"] = True
            config["aws_endpoint_url_s3"] = self.url
        else:
            config["aws_endpoint_url_s3"] = endpoint_of("s3", self.region)
        if self.aws.credentials is not None:
            config["access_key_id"] = self.aws.credentials.access_key_id
            config["secret_access_key"] = self.aws.credentials.secret_access_key
            if self.aws.credentials.session_token:
                config["session_token"] = self.aws.credentials.session_token
        # Without either of them, obstore looks in the environment, web identity, the container and the instance.
        provider = _renewed_credentials if self.aws.is_restored and self.aws.credentials is None else None
        return S3Store(
            name,
            prefix=self.location.prefix or None,
            config=config,
            client_options=client,
            retry_config=retry,
            credential_provider=provider,
        )


def _renewed_credentials() -> S3Credential:
    """Return the credentials of botocore's chain, which renews them in time if this function is called that often."""
    from handler.aws.credentials import found_credentials  # noqa: PLC0415 - of a function with SnapStart alone

    keys = found_credentials()
    return {
        "access_key_id": keys.access_key_id,
        "secret_access_key": keys.secret_access_key,
        "token": keys.session_token or None,
        "expires_at": datetime.now(UTC) + _CREDENTIALS_AGE,
    }


def _region_of(bucket: str, endpoint: str) -> str | None:
    """Return the bucket's region, which S3 sends with any status; empty if it does not, None after a failure."""
    from handler.aws.client import send  # noqa: PLC0415 - imports http.client, which few buckets need

    try:
        reply = send("HEAD", f"{endpoint}/{bucket}", None, {}, _REGION_SECONDS)
    except OSError:
        return None
    return reply.headers.get("x-amz-bucket-region", "")

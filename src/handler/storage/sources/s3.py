"""A bucket of S3, or of a store that speaks like it, opened when first needed and in the region where it lies."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from obstore.exceptions import GenericError
from obstore.store import S3Store

from handler.aws import AwsAccess, endpoint_of
from handler.storage.sources.cloud import patience
from handler.storage.sources.locations import StoreLocation

if TYPE_CHECKING:
    from obstore.store import ObjectStore, S3Config

T = TypeVar("T")
_REGION_SECONDS = 3.0


class S3Bucket:
    """The client of one bucket, shared by reading and writing."""

    def __init__(self, location: StoreLocation, aws: AwsAccess, timeout: float) -> None:
        self.location = location
        self.aws = aws
        self.timeout = timeout
        self.endpoint = location.endpoint or aws.s3
        self.region = location.region or aws.home
        self._store: ObjectStore | None = None
        self._region_is_known = False
        self._lock = threading.Lock()

    def ask(self, question: Callable[[ObjectStore], T]) -> T:
        """The store's answer; after a failure from the region where the bucket lies, when that is another."""
        store = self._store or self._opened()
        started = time.monotonic()
        try:
            return question(store)
        except GenericError:
            late = time.monotonic() - started >= self.timeout * 0.95
            redirect = None if late else self._instead_of(store)
            if redirect is None:
                raise
            return question(redirect)

    def _opened(self) -> ObjectStore:
        with self._lock:
            self._store = self._store or self._open()
            return self._store

    def _instead_of(self, failed: ObjectStore) -> ObjectStore | None:
        """The store of the right region, None if that was it. S3 answers 301 or 400 to a question in the wrong one."""
        with self._lock:
            if self._store is failed and not self._region_is_known:
                region = _region_of(self.location.bucket, self.endpoint or endpoint_of("s3", self.region))
                self._region_is_known = region is not None
                if region and region != self.region:
                    self.region = region
                    self._store = self._open()
            return self._store if self._store is not failed else None

    def _open(self) -> S3Store:
        client, retry = patience(self.timeout, allow_http=self.endpoint.startswith("http://"))
        name = self.location.bucket
        config: S3Config = {"region": self.region}
        if self.endpoint:
            config["aws_endpoint_url_s3"] = self.endpoint
        elif "." not in name and name == name.lower():
            # The way of addressing that AWS asks for; TLS certificates do not cover names with dots.
            config["virtual_hosted_style_request"] = True
            config["aws_endpoint_url_s3"] = endpoint_of(f"{name}.s3", self.region)
        else:
            config["aws_endpoint_url_s3"] = endpoint_of("s3", self.region)
        if self.aws.credentials is not None:
            config["access_key_id"] = self.aws.credentials.access_key_id
            config["secret_access_key"] = self.aws.credentials.secret_access_key
            if self.aws.credentials.session_token:
                config["session_token"] = self.aws.credentials.session_token
        # Without any, obstore asks the environment, web identity, the container and the instance.
        return S3Store(
            name, prefix=self.location.prefix or None, config=config, client_options=client, retry_config=retry
        )


def _region_of(bucket: str, endpoint: str) -> str | None:
    """The bucket's region, which S3 sends to anyone, whatever the status. Empty if the store sends none, None if it
    does not answer."""
    from handler.aws.client import send  # noqa: PLC0415 - http.client, which a bucket in its own region does not need

    try:
        reply = send("HEAD", f"{endpoint}/{bucket}", None, {}, _REGION_SECONDS)
    except OSError:
        return None
    return reply.headers.get("x-amz-bucket-region", "")

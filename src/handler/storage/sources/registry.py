"""The configured sources, each opened when it is first asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from handler.aws import AwsAccess
from handler.errors import Forbidden, NotFound
from handler.ports import Listing, ObjectInfo, StoredObject
from handler.storage.sources import store_errors
from handler.storage.sources.keys import is_impossible, other_forms
from handler.storage.sources.locations import StoreLocation, read_locations
from handler.storage.sources.stored import Bounds
from imaging import ObjectRef

if TYPE_CHECKING:
    import ssl

    from handler.storage.sources.cloud import OddKeys

T = TypeVar("T")
TIMEOUT_SECONDS = 10.0


class Source(Protocol):
    """One bucket, folder or origin."""

    def get(self, key: str) -> StoredObject: ...
    def head(self, key: str) -> ObjectInfo: ...
    def list(self, prefix: str) -> Iterator[ObjectInfo]: ...
    def page(self, prefix: str, cursor: str, limit: int) -> Listing: ...


class Sources:
    """`handler.ports.Objects` over the entries of `SOURCE_BUCKETS`; the first is the default."""

    def __init__(self, locations: Sequence[StoreLocation], opener: Callable[[StoreLocation], Source]) -> None:
        self.locations = tuple(locations)
        self._by_name = {location.name: location for location in locations}
        self._opener = opener
        self._open: dict[str, Source] = {}
        self._lock = threading.Lock()

    def resolve(self, ref: ObjectRef) -> ObjectRef:
        """The object with its bucket's name; a key that is a URL becomes bucket and key of the origin it lies under."""
        if not ref.bucket and ref.key.startswith(("https://", "http://")):
            return self._of_url(ref.key)
        bucket = ref.bucket or next(iter(self._by_name), "")
        if bucket not in self._by_name:
            raise Forbidden(
                f"bucket `{ref.bucket}` is none of those that this service reads"
                if ref.bucket
                else "no source is configured",
                code=store_errors.CANNOT_ACCESS,
            )
        return ObjectRef(bucket, ref.key)

    def get(self, ref: ObjectRef) -> StoredObject:
        return self._asked(ref, lambda source, key: source.get(key))

    def head(self, ref: ObjectRef) -> ObjectInfo:
        return self._asked(ref, lambda source, key: source.head(key))

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        return self.open(self.resolve(ObjectRef(bucket, "")).bucket).list(prefix)

    def page(self, bucket: str, prefix: str, cursor: str, limit: int) -> Listing:
        return self.open(self.resolve(ObjectRef(bucket, "")).bucket).page(prefix, cursor, limit)

    def _asked(self, ref: ObjectRef, question: Callable[[Source, str], T]) -> T:
        """The answer for the key as it came, and only when that is missing for its other normal forms."""
        ref = self.resolve(ref)
        if is_impossible(ref.key):
            raise store_errors.not_found(ref, "no store serves such a key")
        source = self.open(ref.bucket)
        try:
            return question(source, ref.key)
        except NotFound:
            for key in other_forms(ref.key):
                try:
                    return question(source, key)
                except NotFound:
                    continue
            raise

    def open(self, name: str) -> Source:
        """The source of that name, opened once."""
        source = self._open.get(name)
        if source is None:
            with self._lock:
                source = self._open.setdefault(name, self._open.get(name) or self._opener(self._by_name[name]))
        return source

    def _of_url(self, address: str) -> ObjectRef:
        ref = origin_of(address, self.locations)
        if ref is None:
            raise Forbidden("the URL lies under none of the listed HTTPS sources", code=store_errors.CANNOT_ACCESS)
        return ref


def origin_of(address: str, locations: Sequence[StoreLocation]) -> ObjectRef | None:
    """The listed HTTPS origin under which a URL lies, the one with the longest prefix, and the rest as key."""
    try:
        url = urlsplit(address)
        # A page of old may say http; what is listed is fetched by https alone.
        is_plain = url.scheme == "http" and url.port in (None, 80)
        requested = ("https", url.hostname, 443) if is_plain else (url.scheme, url.hostname, url.port or 443)
    except ValueError:
        return None
    if url.query or url.fragment or "@" in url.netloc:
        return None
    path = unquote(url.path).removeprefix("/")
    fitting = []
    for location in (location for location in locations if location.scheme == "https"):
        origin = urlsplit(location.url)
        prefix = f"{location.prefix}/" if location.prefix else ""
        if requested == ("https", origin.hostname, origin.port or 443) and path.startswith(prefix):
            fitting.append((len(prefix), ObjectRef(location.name, path[len(prefix) :])))
    return max(fitting)[1] if fitting else None


def source_of(bucket: str, key: str, locations: Sequence[StoreLocation]) -> ObjectRef | None:
    """The listed source that an object of an S3 bucket lies in, that with the longest prefix, and its key there."""
    fitting = []
    for location in (location for location in locations if location.scheme == "s3" and location.bucket == bucket):
        prefix = f"{location.prefix}/" if location.prefix else ""
        if key.startswith(prefix):
            fitting.append((len(prefix), ObjectRef(location.name, key[len(prefix) :])))
    return max(fitting)[1] if fitting else None


def open_sources(
    spec: str,
    *,
    limit: int,
    aws: AwsAccess | None = None,
    timeout: float = TIMEOUT_SECONDS,
    allow_private_origins: bool = False,
    origin_tls: ssl.SSLContext | None = None,
) -> Sources:
    """The sources that `SOURCE_BUCKETS` names; objects up to `limit` bytes, answers within `timeout` seconds.

    ValueError lists every fault, a line each. The last two are for tests: origins on loopback, and whom to trust there.
    """
    bounds = Bounds(limit, timeout)
    https = partial(_https, allow_private=allow_private_origins, tls=origin_tls)
    openers: dict[str, Callable[[StoreLocation, Bounds], Source]] = {
        "s3": partial(_s3, aws=aws or AwsAccess()),
        "file": _folder,
        "https": https,
        "gs": _cloud,
        "az": _cloud,
    }
    sources = Sources(read_locations(spec), lambda location: openers[location.scheme](location, bounds))
    for location in sources.locations:
        if location.scheme in {"gs", "az"}:
            sources.open(location.name)  # whether their URL makes sense, only obstore knows
    return sources


# Each kind of source is imported with the first bucket of its kind: a folder needs no obstore, S3 no http.client.


def _s3(location: StoreLocation, bounds: Bounds, *, aws: AwsAccess) -> Source:
    from handler.storage.sources.cloud import CloudSource  # noqa: PLC0415 - only what is listed is opened
    from handler.storage.sources.s3 import S3Bucket  # noqa: PLC0415 - only what is listed is opened

    bucket = S3Bucket(location, aws, bounds.timeout)

    @cache
    def through_boto3() -> OddKeys:
        from handler.storage.sources.boto_fallback import BotoFallback  # noqa: PLC0415 - few keys need boto3

        return BotoFallback(bucket, bounds.limit)

    return CloudSource(location.name, bucket, bounds, through_boto3)


def _folder(location: StoreLocation, bounds: Bounds) -> Source:
    from handler.storage.sources.folder import Folder  # noqa: PLC0415 - only what is listed is opened

    return Folder(location.name, location.folder, bounds.limit)


def _https(location: StoreLocation, bounds: Bounds, *, allow_private: bool, tls: ssl.SSLContext | None) -> Source:
    from handler.storage.sources.https_origin import HttpsOrigin  # noqa: PLC0415 - only what is listed is opened

    return HttpsOrigin(location.name, location.url, bounds, allow_private=allow_private, tls=tls)


def _cloud(location: StoreLocation, bounds: Bounds) -> Source:
    from handler.storage.sources.cloud import CloudSource, OneStore, open_store  # noqa: PLC0415 - only what is listed is opened

    return CloudSource(location.name, OneStore(open_store(location.url, bounds.timeout)), bounds)

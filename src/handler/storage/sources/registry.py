"""The configured sources, each opened at its first use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit

from handler.aws import AwsAccess
from handler.core.errors import Forbidden, NotFound, PrivateSource
from handler.core.ports import Listing, ObjectInfo, StoredObject
from handler.requests.parsed_request import CANVAS_SOURCE
from handler.storage.sources import store_errors
from handler.storage.sources.keys import is_invalid, other_forms
from handler.storage.sources.locations import StoreLocation, read_locations
from handler.storage.sources.stored import Bounds
from imaging import ObjectRef

if TYPE_CHECKING:
    import ssl

    from handler.storage.sources.boto_fallback import BotoFallback
    from handler.storage.sources.source import Source

T = TypeVar("T")
TIMEOUT_SECONDS = 10.0


class Sources:
    """Implements `handler.core.ports.Objects` with the entries of `SOURCE_BUCKETS`, of which the first is the default.

    Canvases, which need no store, are a source beside them.
    """

    def __init__(self, locations: Sequence[StoreLocation], opener: Callable[[StoreLocation], Source]) -> None:
        self.locations = tuple(locations)
        self._by_name = {location.name: location for location in locations}
        self._opener = opener
        self._open: dict[str, Source] = {}
        self._lock = threading.Lock()
        self._private: frozenset[str] = frozenset()

    def without(self, private: frozenset[str]) -> Sources:
        """Return the same sources for callers that may not read these: any use of one of them raises PrivateSource."""
        others = Sources(self.locations, self._opener)
        others._open, others._lock, others._private = self._open, self._lock, private
        return others

    def resolve(self, ref: ObjectRef) -> ObjectRef:
        """Return the object with its bucket's name; for a key that is a URL, that of its origin and the key there."""
        if not ref.bucket and ref.key.startswith(("https://", "http://")):
            return self._of_url(ref.key)
        bucket = ref.bucket or next(iter(self._by_name), "")
        if bucket not in self._by_name and bucket != CANVAS_SOURCE:
            raise Forbidden(
                f"bucket `{ref.bucket}` is not in SOURCE_BUCKETS" if ref.bucket else "no source is configured",
                code=store_errors.CANNOT_ACCESS,
            )
        return self._admitted(ObjectRef(bucket, ref.key))

    def get(self, ref: ObjectRef) -> StoredObject:
        return self._try_forms(ref, lambda source, key: source.get(key))

    def head(self, ref: ObjectRef) -> ObjectInfo:
        return self._try_forms(ref, lambda source, key: source.head(key))

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        return self.open(self.resolve(ObjectRef(bucket, "")).bucket).list(prefix)

    def page(self, bucket: str, prefix: str, cursor: str, limit: int) -> Listing:
        return self.open(self.resolve(ObjectRef(bucket, "")).bucket).page(prefix, cursor, limit)

    def _try_forms(self, ref: ObjectRef, function: Callable[[Source, str], T]) -> T:
        """Call the function with the key as given and, only if that is missing, with its other normal forms."""
        ref = self.resolve(ref)
        if is_invalid(ref.key):
            raise store_errors.not_found(ref, "no store has such a key")
        source = self.open(ref.bucket)
        try:
            return function(source, ref.key)
        except NotFound:
            for key in other_forms(ref.key):
                try:
                    return function(source, key)
                except NotFound:
                    continue
            raise

    def open(self, name: str) -> Source:
        """Return the source of that name, opened at its first use."""
        source = self._open.get(name)
        if source is None and name == CANVAS_SOURCE:
            from handler.storage.sources.canvas import CanvasSource  # noqa: PLC0415 - most requests have an original

            return CanvasSource()
        if source is None:
            with self._lock:
                source = self._open.setdefault(name, self._open.get(name) or self._opener(self._by_name[name]))
        return source

    def _of_url(self, address: str) -> ObjectRef:
        ref = origin_of(address, self.locations)
        if ref is None:
            raise Forbidden(
                "the URL is not under any of the HTTPS sources in SOURCE_BUCKETS", code=store_errors.CANNOT_ACCESS
            )
        return self._admitted(ref)

    def _admitted(self, ref: ObjectRef) -> ObjectRef:
        """Return the object. Raise PrivateSource, whether it exists or not, if its source may not be read."""
        if ref.bucket in self._private:
            raise PrivateSource("an image that the URL names is private: `signature` must cover the URL, got none")
        return ref


def origin_of(address: str, locations: Sequence[StoreLocation]) -> ObjectRef | None:
    """Return the configured HTTPS origin of a URL, the one with the longest prefix, and the rest of the URL as key."""
    try:
        url = urlsplit(address)
        # Old pages may have http URLs of an origin; the request to the origin is sent by HTTPS in any case.
        is_plain = url.scheme == "http" and url.port in (None, 80)
        requested = ("https", url.hostname, 443) if is_plain else (url.scheme, url.hostname, url.port or 443)
    except ValueError:
        return None
    if url.query or url.fragment or "@" in url.netloc:
        return None
    path = unquote(url.path).removeprefix("/")
    matches = []
    for location in (location for location in locations if location.scheme == "https"):
        origin = urlsplit(location.url)
        prefix = f"{location.prefix}/" if location.prefix else ""
        if requested == ("https", origin.hostname, origin.port or 443) and path.startswith(prefix):
            matches.append((len(prefix), ObjectRef(location.name, path[len(prefix) :])))
    return max(matches)[1] if matches else None


def object_of(address: str, locations: Sequence[StoreLocation]) -> ObjectRef | None:
    """Return the configured source of an object's URL and its key there; None if it is in none of the sources.

    `s3://bucket/key` is in a source of that bucket or name, `gs://` and `abs://` likewise; `local:///key` is in the
    source named `local`, or in the first folder. Without a scheme it is a key of the default source.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        return ObjectRef("", address.lstrip("/"))
    if scheme in ("http", "https"):
        return origin_of(address, locations)
    bucket, _, key = rest.partition("/")
    key = key.lstrip("/")
    if scheme == "local":
        folders = [location.name for location in locations if location.scheme == "file"]
        name = "local" if "local" in folders or not folders else folders[0]
        return ObjectRef(name, key) if folders else None
    if scheme == "s3" and (found := source_of(bucket, key, locations)) is not None:
        return found
    store = {"abs": "az"}.get(scheme, scheme)
    for location in locations:
        if location.scheme == store and (within := _key_within(location, bucket, key)) is not None:
            return ObjectRef(location.name, within)
    return None


def _key_within(location: StoreLocation, bucket: str, key: str) -> str | None:
    """Return the key in a source that has the name of the bucket or, except in S3, is in it; None in another one."""
    if bucket == location.name and bucket != location.bucket:
        return key
    place = urlsplit(location.url)
    within = f"{prefix}/" if (prefix := place.path.strip("/")) else ""
    is_within = location.scheme != "s3" and bucket == place.netloc and key.startswith(within)
    return key.removeprefix(within) if is_within else None


def source_of(bucket: str, key: str, locations: Sequence[StoreLocation]) -> ObjectRef | None:
    """Return the configured source of an object of an S3 bucket, the one with the longest prefix, and its key there."""
    matches = []
    for location in (location for location in locations if location.scheme == "s3" and location.bucket == bucket):
        prefix = f"{location.prefix}/" if location.prefix else ""
        if key.startswith(prefix):
            matches.append((len(prefix), ObjectRef(location.name, key[len(prefix) :])))
    return max(matches)[1] if matches else None


def open_sources(
    spec: str,
    *,
    limit: int,
    aws: AwsAccess | None = None,
    timeout: float = TIMEOUT_SECONDS,
    allow_private_origins: bool = False,
    origin_tls: ssl.SSLContext | None = None,
    require_tag: tuple[str, str] | None = None,
) -> Sources:
    """Return the sources in `SOURCE_BUCKETS`; objects may have `limit` bytes, and requests time out after `timeout`.

    Of S3 only objects with the tag `require_tag` are read, if it is given. ValueError has a line for each fault.
    `allow_private_origins` and `origin_tls` are for tests: origins on loopback, and their certificates.
    """
    bounds = Bounds(limit, timeout)
    https = partial(_https, allow_private=allow_private_origins, tls=origin_tls)
    openers: dict[str, Callable[[StoreLocation, Bounds], Source]] = {
        "s3": partial(_s3, aws=aws or AwsAccess(), require_tag=require_tag),
        "file": _folder,
        "https": https,
        "gs": _cloud,
        "az": _cloud,
    }
    sources = Sources(read_locations(spec), lambda location: openers[location.scheme](location, bounds))
    if any(location.name == CANVAS_SOURCE for location in sources.locations):
        raise ValueError(f"SOURCE_BUCKETS must not name a source {CANVAS_SOURCE}, which is that of plain canvases")
    for location in sources.locations:
        if location.scheme in {"gs", "az"}:
            sources.open(location.name)  # only obstore can check their URLs
    return sources


# Each kind of source is imported when one is opened: a folder needs no obstore, S3 no http.client.


def _s3(location: StoreLocation, bounds: Bounds, *, aws: AwsAccess, require_tag: tuple[str, str] | None) -> Source:
    from handler.storage.sources.cloud import CloudSource  # noqa: PLC0415 - only configured kinds are imported
    from handler.storage.sources.s3 import S3Bucket  # noqa: PLC0415 - only configured kinds are imported

    bucket = S3Bucket(location, aws, bounds.timeout)

    @cache
    def boto_fallback() -> BotoFallback:
        from handler.storage.sources.boto_fallback import BotoFallback  # noqa: PLC0415 - few keys need boto3

        return BotoFallback(bucket, bounds.limit)

    source = CloudSource(location.name, bucket, bounds, boto_fallback)
    if require_tag is None:
        return source
    from handler.storage.sources.tag_gate import TagGate  # noqa: PLC0415 - few services require a tag

    return TagGate(source, lambda key: boto_fallback().tags(key), require_tag)


def _folder(location: StoreLocation, bounds: Bounds) -> Source:
    from handler.storage.sources.folder import Folder  # noqa: PLC0415 - only configured kinds are imported

    return Folder(location.name, location.folder, bounds.limit)


def _https(location: StoreLocation, bounds: Bounds, *, allow_private: bool, tls: ssl.SSLContext | None) -> Source:
    from handler.storage.sources.https_origin import HttpsOrigin  # noqa: PLC0415 - only configured kinds are imported

    return HttpsOrigin(location.name, location.url, bounds, allow_private=allow_private, tls=tls)


def _cloud(location: StoreLocation, bounds: Bounds) -> Source:
    from handler.storage.sources.cloud import CloudSource, OneStore, open_store  # noqa: PLC0415 - only configured kinds are imported

    return CloudSource(location.name, OneStore(open_store(location.url, bounds.timeout)), bounds)

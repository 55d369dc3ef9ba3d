"""The cache of finished results in the results bucket, which also takes results that are too large for an answer.

Keys are made of the cache tag of the original (32 hex digits) and the ETag of the result:

private/<tag>/<etag>         the result; or an empty marker, whose metadata name the `public` object that has the bytes,
                             and the public object that it `was` before
private/<tag>/<etag>-closed  a result too large for an answer, where the request's signature or end of life, and not a
                             setting of the service, is why it must not be public
private/<tag>/<etag>@<tag>   empty: a reference to a result, under the tag of a further object that went into it
public/_results/<name>       a result too large for an answer and open to all, under a random name
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
from msgspec.structs import replace

from handler.core.circuit_breaker import BreakerOpen, CircuitBreaker
from handler.core.errors import Forbidden, HandlerError, NotFound, UpstreamError
from handler.core.http_headers import content_disposition, directives, freshness, is_looser
from handler.core.ports import ObjectAttributes, ObjectInfo, StoredObject
from handler.observability.logs import logger
from handler.render.results import IMAGE_FACTS, Offloaded, RenderedResult, ResultFacts
from handler.requests.image_request import ImageRequest
from handler.storage.cache_rules import is_public_and_restricted, may_be_large, saves_work
from handler.storage.results import ResultStore
from handler.storage.streamed_results import StreamedResults
from imaging import SCRIPTED, Deadline

PRIVATE, PUBLIC = "private/", "public/_results/"
LINK_SECONDS = 300
"""Life of a link to a result that is not open to all: shorter than any session that signs it."""
REDIRECT_SECONDS = 3600
"""Life of a redirect to a public result; the object lives at least a day longer."""
LOOKUP_SECONDS = 1.0
"""Timeout of a lookup. The response to the request for the original waits meanwhile; then the result is rendered."""
STORE_SECONDS = 3.0
"""Longest time for which an answer waits until its result is stored."""
_BYTES_PER_SECOND = 10_000_000
"""The speed at which a stored result must be read, after the first second; a slower read is given up."""
_NAME = re.compile("[0-9a-f]{32}")
_PUBLIC_NAME, _PREVIOUS_NAME = "public", "was"
"""Metadata of a marker: the name of the public object now, and of the one before."""
_CLOSED = "-closed"
_NOT_STORED = "the results bucket cannot store the image"


class BucketResultCache(msgspec.Struct, frozen=True):
    """The `handler.render.results.ResultCache` in a results bucket."""

    bucket: ResultStore
    stores_results: bool
    """Whether results are stored to save work (STORE_RESULTS), or only those too large for an answer, and those of
    expensive and billed features that anyone may request.
    """
    max_bytes: int
    """Bytes of the largest body that an answer can have; 0: no limit."""
    life: timedelta
    """After which the bucket deletes what was stored."""
    cache_control: str
    """Of public objects."""
    streams: StreamedResults | None = None
    """None where a whole body is needed."""
    breaker: CircuitBreaker = msgspec.field(default_factory=CircuitBreaker)
    """Around lookups and stores that an answer can do without."""

    def lookup(self, request: ImageRequest, facts: ResultFacts, size: int) -> RenderedResult | Offloaded | None:
        """Return the stored result that has these facts, or None; `size`: bytes of all inputs."""
        if not _has_key(facts) or not (self._is_stored(request, size) or may_be_large(request, size, self.max_bytes)):
            return None
        deadline = Deadline.after(LOOKUP_SECONDS)
        found = None
        try:
            for key in _keys(request, facts):
                stored = self.breaker.call(partial(self.bucket.get, key), deadline.left())
                if stored is not None and not self._is_old(stored.info):
                    found = self._result(request, facts, stored)
                if found is not None:
                    break
        except BreakerOpen:
            return None
        except HandlerError as error:
            # Nothing is lost but the time to render it again.
            logger().warning("a stored result cannot be read", extra={"detail": error.detail or error.message})
            return None
        return self._offloaded(request, *found) if isinstance(found, tuple) else found

    def store(
        self, request: ImageRequest, result: RenderedResult, size: int, deadline: Deadline
    ) -> RenderedResult | Offloaded:
        """Store a result if that saves work; return it, offloaded if it is too large for an answer."""
        if not _has_key(result.facts):
            return result
        if self.max_bytes and len(result.body) > self.max_bytes:
            try:
                return self._offload(request, result)
            except (Forbidden, NotFound) as error:
                # The client is not at fault, and must not learn the key.
                raise UpstreamError(_NOT_STORED, detail=error.detail or error.message) from error
        timeout = min(STORE_SECONDS, deadline.left())
        if self._is_stored(request, size) and timeout > 0:
            try:
                self.breaker.call(partial(self._store, request, result), timeout)
            except BreakerOpen:
                return result
            except HandlerError as error:
                logger().warning("a result cannot be stored", extra={"detail": error.detail or error.message})
        return result

    def read(self, path: str, until: str, proof: str) -> StoredObject | None:
        """Return what `/_results/<path>` names if it is public, or if `until` and `proof` are those of a link that a
        results folder made; None if there is no such result.
        """
        if _NAME.fullmatch(path):
            return self.bucket.get(PUBLIC + path)
        if path.startswith(PRIVATE) and self.bucket.admits(path, until, proof):
            return self.bucket.get(path)
        return None

    def purge(self, tag: str) -> int:
        """Delete all results that an object went into, and its detections; return the number of results."""
        keys = list(dict.fromkeys(self._keys_of_tag(tag)))
        self.bucket.delete([*keys, *(info.ref.key for info in self.bucket.list(f"detections/{tag}/"))])
        return len({key.removesuffix(_CLOSED) for key in keys if key.startswith(PRIVATE) and "@" not in key})

    def _keys_of_tag(self, tag: str) -> Iterator[str]:
        for info in self.bucket.list(f"{PRIVATE}{tag}/"):
            yield info.ref.key
            etag, _, first_tag = info.ref.key.removeprefix(f"{PRIVATE}{tag}/").partition("@")
            key = f"{PRIVATE}{first_tag}/{etag}" if first_tag else info.ref.key
            # An empty object may be a marker, whose metadata name a public object.
            marker = self.bucket.head(key) if first_tag or not info.size else None
            if marker is None:
                continue
            if first_tag:
                yield key
            yield from _public_keys(marker)

    def _is_stored(self, request: ImageRequest, size: int) -> bool:
        return (self.stores_results or is_public_and_restricted(request)) and saves_work(request, size)

    def _is_old(self, stored: ObjectInfo) -> bool:
        """Whether the bucket could delete it while a redirect still leads to it."""
        return datetime.now(UTC) - stored.last_modified > self.life - timedelta(days=1)

    def _result(
        self, request: ImageRequest, facts: ResultFacts, stored: StoredObject
    ) -> RenderedResult | tuple[ResultFacts, str] | None:
        """Return the result in an object, or its facts and the key of the object that it is offloaded to."""
        metadata = stored.info.metadata
        if not stored.info.content_type:
            return None  # A results folder stores metadata after the body; it crashed in between.
        facts = replace(facts, negotiated=metadata.get("negotiated") == "yes")
        if name := metadata.get(_PUBLIC_NAME):
            # A result that has become restricted since is rendered again, under a key that the CDN cannot read.
            return (facts, PUBLIC + name) if not _is_closed(request, facts) else None
        if self.max_bytes and stored.info.size > self.max_bytes:
            return (facts, stored.info.ref.key) if _is_closed(request, facts) else None
        streamed = stored if self.streams is not None and self.streams.admit(stored) else None
        seconds = LOOKUP_SECONDS + stored.info.size / _BYTES_PER_SECOND
        body = b"" if streamed is not None else self.breaker.call(stored.read, seconds)
        image_facts = {name: metadata[name] for name in IMAGE_FACTS if name in metadata}
        width, height = (int(image_facts.get(name, 0)) for name in ("width", "height"))
        return RenderedResult(facts, body, stored.info.content_type, width, height, image_facts, streamed)

    def _offloaded(self, request: ImageRequest, facts: ResultFacts, key: str) -> Offloaded:
        """Return where to read an object, and for how long a redirect to it may be cached."""
        if key.startswith(PUBLIC):
            own = facts.cache_control or self.cache_control
            in_request = (value for name, value in request.headers.items() if name.lower() == "cache-control")
            cache_control = next((value for value in in_request if not is_looser(value, own)), own)
            return Offloaded(facts, f"/{key.removeprefix('public/')}", freshness(cache_control, REDIRECT_SECONDS))
        seconds = LINK_SECONDS
        if request.expires is not None:
            seconds = max(1, min(seconds, int((request.expires - datetime.now(UTC)).total_seconds())))
        return Offloaded(facts, self.bucket.link(key, seconds), 0)

    def _store(self, request: ImageRequest, result: RenderedResult) -> None:
        key, *_ = _keys(request, result.facts)
        self._put(key, request, result, result.body, self.bucket.head(key))

    def _offload(self, request: ImageRequest, result: RenderedResult) -> Offloaded:
        """Store a result where a redirect can lead to. UpstreamError if that fails: there is no other way to answer."""
        *_, key = _keys(request, result.facts)
        existing = self.bucket.head(key)
        if not _is_closed(request, result.facts):
            return self._offloaded(request, result.facts, PUBLIC + self._publish(request, result, existing))
        # If the conditional write fails, another process has stored the same result. If what it stored is a marker of
        # a public object instead, there is no private object to link to.
        if not self._put(key, request, result, result.body, existing) and self._public_name(self.bucket.head(key)):
            raise UpstreamError(_NOT_STORED, detail=key)
        return self._offloaded(request, result.facts, key)

    def _publish(self, request: ImageRequest, result: RenderedResult, existing: ObjectInfo | None) -> str:
        """Return the name of the public object with this result, made unless the marker `existing` has one.

        Several processes may publish the same result at once, and all must redirect to one object that a purge finds:
        the one that the marker names. So each first writes the bytes under a random name of its own, to which nothing
        leads yet, and then the marker, by a conditional write. A process whose write fails deletes its own object and
        takes the name that the winner's marker has. A crash in between leaves an object to which nothing leads, until
        the bucket's lifecycle rule deletes it.
        """
        if name := self._public_name(existing):
            return name
        (key,), name = _keys(request, result.facts), os.urandom(16).hex()
        self._put(PUBLIC + name, request, result, result.body, None)
        # A redirect to the previous object may be cached for an hour more. So that object stays, and the new marker
        # names it too, for a purge to find it.
        names = existing.metadata if existing else {}
        previous = {_PREVIOUS_NAME: names[_PUBLIC_NAME]} if _PUBLIC_NAME in names else {}
        if self._put(key, request, result, b"", existing, **{_PUBLIC_NAME: name}, **previous):
            return name
        self.bucket.delete([PUBLIC + name])
        winner = self._public_name(self.bucket.head(key))
        if winner is None:
            raise UpstreamError(_NOT_STORED, detail=key)
        return winner

    def _public_name(self, marker: ObjectInfo | None) -> str | None:
        """Return the name of the public object, as long as a redirect may lead to it."""
        return marker.metadata.get(_PUBLIC_NAME) if marker and not self._is_old(marker) else None

    def _put(
        self,
        key: str,
        request: ImageRequest,
        result: RenderedResult,
        body: bytes,
        existing: ObjectInfo | None,
        **markers: str,
    ) -> bool:
        """Write an object in the place of the existing one, which is too old or of another visibility.

        Return False if another process wrote it first.
        """
        facts = result.facts
        metadata = {**result.image_facts, **({"negotiated": "yes"} if facts.negotiated else {})}
        metadata |= {"cache-tag": ",".join(facts.tags), **markers}
        is_public = key.startswith(PUBLIC)
        if named := content_disposition(request.output, result.media_type):
            metadata["Content-Disposition"] = named
        if result.media_type in SCRIPTED and not is_public and not named.startswith("attachment"):
            # S3 answers a presigned address itself and cannot forbid scripts by a header, so an SVG is sent as a file.
            metadata["Content-Disposition"] = "attachment"
        if not is_public:
            self._put_references(key, facts)
        cache_control = (facts.cache_control or self.cache_control) if is_public else "no-store"
        attributes = ObjectAttributes(result.media_type, cache_control, metadata)
        is_written = self.bucket.put(key, body, attributes, replaces=existing.etag if existing else None)
        if not is_written and is_public:
            raise UpstreamError(_NOT_STORED, detail=key)
        # The bytes took the place of a marker: nothing names its public objects any more.
        if is_written and existing and _PUBLIC_NAME not in markers:
            self.bucket.delete(list(_public_keys(existing)))
        return is_written

    def _put_references(self, key: str, facts: ResultFacts) -> None:
        """Write a reference to a result under the tag of each further object, so that purging that object finds it.

        They are written each time, or the bucket's lifecycle rule would delete them before the result.
        """
        first, *others = facts.tags
        for tag in others:
            reference = f"{PRIVATE}{tag}/{key.rpartition('/')[2]}@{first}"
            existing = self.bucket.head(reference)
            self.bucket.put(reference, b"", ObjectAttributes(), replaces=existing.etag if existing else None)


def _has_key(facts: ResultFacts) -> bool:
    """Whether the next request would have the same result: false for inline images and undecided moderation."""
    return bool(facts.tags) and facts.is_cacheable


def _keys(request: ImageRequest, facts: ResultFacts) -> tuple[str, ...]:
    """Return the keys under which a result may be stored; the last one is that of an offloaded result.

    A request that is private by its own signature or expiry has another key for an offloaded result. Otherwise it would
    take the place of the marker of the public object that other requests are redirected to.
    """
    key = f"{PRIVATE}{facts.tags[0]}/{facts.etag}"
    return (key, key + _CLOSED) if request.is_private_by_request else (key,)


def _is_closed(request: ImageRequest, facts: ResultFacts) -> bool:
    """Whether a result must not be public: not all may see it, or an object in it forbids shared caches."""
    closed = request.restricted or request.is_private_by_request
    return closed or not {"no-store", "private"}.isdisjoint(directives(facts.cache_control))


def _public_keys(marker: ObjectInfo) -> Iterator[str]:
    """Yield the keys of the public objects that a marker names, now and before."""
    return (PUBLIC + marker.metadata[name] for name in (_PUBLIC_NAME, _PREVIOUS_NAME) if name in marker.metadata)

"""Finished pictures that are kept, and those that are too large for an answer and lie elsewhere.

In the results bucket, under the cache tag of the original (32 hex digits) and the ETag of the answer:

private/<tag>/<etag>         the picture; or empty, and its metadata name where it lies in public, and where it `was`
private/<tag>/<etag>-closed  what is too large for an answer, asked for with a signature or an end where none is needed
private/<tag>/<etag>@<tag>   empty: a picture under the second tag into which this object went as well
public/_results/<name>       what is too large for an answer and open to all, under a name that nobody can guess
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
from msgspec.structs import replace

from handler.cache_control import directives, freshness, is_looser
from handler.circuit_breaker import BreakerOpen, CircuitBreaker
from handler.errors import Forbidden, HandlerError, NotFound, UpstreamError
from handler.observability import logger
from handler.ports import ObjectAttributes, ObjectInfo, StoredObject
from handler.render.render import Result
from handler.requests.image_request import ImageRequest
from handler.response import SVG, attachment
from handler.storage.results import ResultStore
from imaging import Deadline, Output

PRIVATE, PUBLIC = "private/", "public/_results/"
LINK_SECONDS = 300
"""Life of a link to what is not open to all: shorter than any session that signs it."""
REDIRECT_SECONDS = 3600
"""Life of a redirect to what is; the object lives at least a day longer."""
LOOKUP_SECONDS = 1.0
"""How long a kept picture is looked for. Meanwhile the original waits to be read; then the picture is made."""
STORE_SECONDS = 3.0
"""How long an answer waits until it is kept."""
_BYTES_PER_SECOND = 10_000_000
"""At which a kept picture must be read at least, beyond the first second."""
LARGE_ORIGINAL = 2_000_000
"""Bytes. From anything smaller, other formats than AVIF take at most 0.17 s of a processor (docs/deploy.md)."""
_SLOW = frozenset({"clahe", "median", "quantize", "waveletSharpen"})
"""Features that take more than writing an object costs, which is 0.2 s of a processor, at 1200 pixels."""
_STILL = (".jpg", ".jpeg", ".png", ".heic", ".avif", ".tif", ".tiff", ".bmp")
"""How keys end of what has one frame, as far as a name can tell; any other may be an animation."""
_NAME = re.compile("[0-9a-f]{32}")
_AT, _WAS = "public", "was"
_CLOSED = "-closed"
_NOT_TAKEN = "the results bucket does not take the picture"


class ResultCache(msgspec.Struct, frozen=True):
    """`handler.render.render.Shelf` in a results bucket."""

    store: ResultStore
    keeps: bool
    """Whether whatever is worth it is kept (STORE_RESULTS), or only what is too large for an answer."""
    most: int
    """Bytes of the largest body that an answer takes; 0: no limit."""
    life: timedelta
    """After which the bucket forgets what was kept."""
    cache_control: str
    """Of what is read in public."""
    breaker: CircuitBreaker = msgspec.field(default_factory=CircuitBreaker)
    """Around what a picture can do without: to look for it and to keep it."""

    def find(self, request: ImageRequest, bare: Result, size: int) -> Result | None:
        """The answer whose facts `bare` holds, if it was kept; `size`: bytes of the original."""
        if not _is_nameable(bare) or not (self._is_worth_it(request, size) or self._may_be_large(request, size)):
            return None
        patience = Deadline.after(LOOKUP_SECONDS)
        try:
            for key in _keys(request, bare):
                kept = self.breaker.call(partial(self.store.get, key), patience.left())
                if kept is not None and not self._is_old(kept.info) and (found := self._result(request, bare, kept)):
                    return found
        except BreakerOpen:
            return None
        except HandlerError as error:
            # Nothing is lost but the time to make it again.
            logger().warning("a kept picture cannot be read", extra={"detail": error.detail or error.message})
        return None

    def keep(self, request: ImageRequest, result: Result, size: int, deadline: Deadline) -> Result:
        """The same answer, kept if that is worth it; without its body where that is too large for an answer."""
        if not _is_nameable(result):
            return result
        if self.most and len(result.body) > self.most:
            try:
                return self._offload(request, result)
            except (Forbidden, NotFound) as error:
                # Not the client's fault, and its key is not the client's to know.
                raise UpstreamError(_NOT_TAKEN, detail=error.detail or error.message) from error
        patience = min(STORE_SECONDS, deadline.left())
        if self._is_worth_it(request, size) and patience > 0:
            try:
                self.breaker.call(partial(self._store, request, result), patience)
            except BreakerOpen:
                return result
            except HandlerError as error:
                logger().warning("a picture cannot be kept", extra={"detail": error.detail or error.message})
        return result

    def _store(self, request: ImageRequest, result: Result) -> None:
        key, *_ = _keys(request, result)
        self._put(key, request, result, result.body, self.store.head(key))

    def link(self, result: Result, request: ImageRequest) -> tuple[str, int]:
        """Where to read what lies aside, and for how many seconds that may be kept; 0: not at all."""
        if result.offloaded_key.startswith(PUBLIC):
            own = result.cache_control or self.cache_control
            in_request = (value for name, value in request.headers.items() if name.lower() == "cache-control")
            said = next((value for value in in_request if not is_looser(value, own)), own)
            return f"/{result.offloaded_key.removeprefix('public/')}", freshness(said, REDIRECT_SECONDS)
        seconds = LINK_SECONDS
        if request.expires is not None:
            seconds = max(1, min(seconds, int((request.expires - datetime.now(UTC)).total_seconds())))
        return self.store.link(result.offloaded_key, seconds), 0

    def read(self, path: str, until: str, proof: str) -> StoredObject | None:
        """What `/_results/<path>` names, open to all or proved by an address that a folder made; None for nothing."""
        if _NAME.fullmatch(path):
            return self.store.get(PUBLIC + path)
        if path.startswith(PRIVATE) and self.store.admits(path, until, proof):
            return self.store.get(path)
        return None

    def purge(self, tag: str) -> int:
        """Forget whatever an object went into, and what was seen in it; how many pictures that were."""
        keys = list(dict.fromkeys(self._touched(tag)))
        self.store.delete([*keys, *(info.ref.key for info in self.store.list(f"detections/{tag}/"))])
        return len({key.removesuffix(_CLOSED) for key in keys if key.startswith(PRIVATE) and "@" not in key})

    def _touched(self, tag: str) -> Iterator[str]:
        for info in self.store.list(f"{PRIVATE}{tag}/"):
            yield info.ref.key
            etag, _, other = info.ref.key.removeprefix(f"{PRIVATE}{tag}/").partition("@")
            key = f"{PRIVATE}{other}/{etag}" if other else info.ref.key
            # An empty one may say that its bytes lie in public.
            facts = self.store.head(key) if other or not info.size else None
            if facts is None:
                continue
            if other:
                yield key
            yield from _in_public(facts)

    def _is_worth_it(self, request: ImageRequest, size: int) -> bool:
        """What is cheaper to make again than to fetch is not kept."""
        if not self.keeps:
            return False
        output, steps = request.output, request.steps
        if any(step.feature.expensive or step.feature.billed or step.feature.name in _SLOW for step in steps):
            return True
        if output.max_bytes or output.format == "avif" or (output.format == "auto" and "avif" in request.accepts):
            return True
        return size > LARGE_ORIGINAL and bool(steps or output != Output())

    def _may_be_large(self, request: ImageRequest, size: int) -> bool:
        """Whether to look for a redirect first. A guess: where it is wrong, the picture is made again."""
        return 0 < self.most < size * 4 and not 0 < _raw_bytes(request) < self.most

    def _is_old(self, kept: ObjectInfo) -> bool:
        """Whether it could be gone while a redirect still leads to it."""
        return datetime.now(UTC) - kept.last_modified > self.life - timedelta(days=1)

    def _result(self, request: ImageRequest, bare: Result, kept: StoredObject) -> Result | None:
        facts = kept.info.metadata
        if not kept.info.content_type:
            return None  # a crash came between the picture and what is said of it
        found = replace(
            bare,
            media_type=kept.info.content_type,
            width=int(facts.get("width", 0)),
            height=int(facts.get("height", 0)),
            negotiated=facts.get("negotiated") == "yes",
        )
        if name := facts.get(_AT):
            # What has become restricted since is made again, under a key that the CDN cannot read.
            return replace(found, offloaded_key=PUBLIC + name) if not _is_closed(request, bare) else None
        if self.most and kept.info.size > self.most:
            return replace(found, offloaded_key=kept.info.ref.key) if _is_closed(request, bare) else None
        return replace(found, body=self.breaker.call(kept.read, LOOKUP_SECONDS + kept.info.size / _BYTES_PER_SECOND))

    def _offload(self, request: ImageRequest, result: Result) -> Result:
        """Put where a redirect can lead to. UpstreamError if that does not work: there is no other way to answer."""
        *_, key = _keys(request, result)
        there = self.store.head(key)
        if not _is_closed(request, result):
            return replace(result, body=b"", offloaded_key=PUBLIC + self._published(request, result, there))
        if not self._put(key, request, result, result.body, there) and self._name(self.store.head(key)):
            raise UpstreamError(_NOT_TAKEN, detail=key)
        return replace(result, body=b"", offloaded_key=key)

    def _published(self, request: ImageRequest, result: Result, there: ObjectInfo | None) -> str:
        """The name under which it is open to all. Of several that make it at once the first gives it."""
        if name := self._name(there):
            return name
        (key,), name = _keys(request, result), os.urandom(16).hex()
        self._put(PUBLIC + name, request, result, result.body, None)
        # A redirect to the one before may be kept for an hour: it stays, and the new one knows of it.
        was = {_WAS: there.metadata[_AT]} if there and _AT in there.metadata else {}
        if self._put(key, request, result, b"", there, **{_AT: name}, **was):
            return name
        self.store.delete([PUBLIC + name])
        first = self._name(self.store.head(key))
        if first is None:
            raise UpstreamError(_NOT_TAKEN, detail=key)
        return first

    def _name(self, there: ObjectInfo | None) -> str | None:
        """Under which a picture lies in public, as long as a redirect may lead to it."""
        return there.metadata.get(_AT) if there and not self._is_old(there) else None

    def _put(
        self, key: str, request: ImageRequest, result: Result, body: bytes, there: ObjectInfo | None, **more: str
    ) -> bool:
        """Write in the place of what lies there: it is too old, or readable by others than may read it now.

        False where somebody else was faster.
        """
        facts = {name: str(getattr(result, name)) for name in ("width", "height") if getattr(result, name)}
        facts |= {"negotiated": "yes"} if result.negotiated else {}
        facts |= {"cache-tag": ",".join(result.tags), **more}
        is_public = key.startswith(PUBLIC)
        if request.output.download:
            facts["Content-Disposition"] = attachment(request.output.download)
        elif result.media_type == SVG and not is_public:
            # Behind a presigned address S3 answers itself, and cannot say that no script may run: so it is no page.
            facts["Content-Disposition"] = "attachment"
        if not is_public:
            self._refer(key, result)
        cache_control = (result.cache_control or self.cache_control) if is_public else "no-store"
        attributes = ObjectAttributes(result.media_type, cache_control, facts)
        written = self.store.put(key, body, attributes, replaces=there.etag if there else None)
        if not written and is_public:
            raise UpstreamError(_NOT_TAKEN, detail=key)
        if written and there and _AT not in more:
            self.store.delete(list(_in_public(there)))
        return written

    def _refer(self, kept: str, result: Result) -> None:
        """Say under each further object where the picture is `kept`, so that withdrawing any of them finds it.

        Written anew each time, or the bucket would forget it before the picture.
        """
        first, *others = result.tags
        for tag in others:
            key = f"{PRIVATE}{tag}/{kept.rpartition('/')[2]}@{first}"
            there = self.store.head(key)
            self.store.put(key, b"", ObjectAttributes(), replaces=there.etag if there else None)


def _is_nameable(result: Result) -> bool:
    """Whether the next request would have the same answer: not where one came along, or nobody could judge it."""
    return bool(result.tags) and result.is_cacheable


def _keys(request: ImageRequest, result: Result) -> tuple[str, ...]:
    """Where a picture is kept; last where it lies aside, so that the terms of one request change nothing for others."""
    key = f"{PRIVATE}{result.tags[0]}/{result.etag}"
    return (key, key + _CLOSED) if request.own_terms else (key,)


def _raw_bytes(request: ImageRequest) -> float:
    """What a still picture of the named size has without any compression, square where one side is free; 0: unknown."""
    asked = next((step.params for step in request.steps if step.feature.name == "resize"), None)
    if isinstance(request.source, bytes) or not request.source.key.lower().endswith(_STILL):
        return 0
    width, height = getattr(asked, "width", 0), getattr(asked, "height", 0)
    return float(4 * (width or height or 0) * (height or width or 0) * getattr(asked, "dpr", 1.0) ** 2)


def _is_closed(request: ImageRequest, result: Result) -> bool:
    """Whether its bytes may lie nowhere in public: not all may see it, or the original says that no cache may."""
    closed = request.restricted or request.own_terms
    return closed or not {"no-store", "private"}.isdisjoint(directives(result.cache_control))


def _in_public(facts: ObjectInfo) -> Iterator[str]:
    """What a marker leads to, now and before."""
    return (PUBLIC + facts.metadata[name] for name in (_AT, _WAS) if name in facts.metadata)

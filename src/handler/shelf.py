"""Finished pictures that are kept, and those that are too large for an answer and lie elsewhere.

In the results bucket, under the cache tag of the original (32 hex digits) and the ETag of the answer:

private/<tag>/<etag>         the picture; or empty, and its metadata name where it lies in public
private/<tag>/<etag>@<tag>   empty: a picture under the second tag into which this object went as well
public/_results/<name>       what is too large for an answer and open to all, under a name that nobody can guess
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from features import Output
from handler.errors import HandlerError, UpstreamError
from handler.observability import logger
from handler.ports import StoredObject
from handler.produce import Result
from handler.request import ImageRequest
from handler.response import SVG, attachment
from handler.results import ResultStore

PRIVATE, PUBLIC = "private/", "public/_results/"
LINK_SECONDS = 300
"""Life of a link to what is not open to all: shorter than any session that signs it."""
REDIRECT_SECONDS = 3600
"""Life of a redirect to what is; the object lives at least a day longer."""
LARGE_ORIGINAL = 2_000_000
"""Bytes. From anything smaller, other formats than AVIF take at most 0.17 s of a processor (docs/deploy.md)."""
_SLOW = frozenset({"clahe", "median", "quantize", "waveletSharpen"})
"""Features that take more than writing an object costs, which is 0.2 s of a processor, at 1200 pixels."""
_NAME = re.compile("[0-9a-f]{32}")
_AT = "public"


class Shelf(msgspec.Struct, frozen=True):
    """`handler.produce.Shelf` in a results bucket."""

    store: ResultStore
    keeps: bool
    """Whether whatever is worth it is kept (STORE_RESULTS), or only what is too large for an answer."""
    most: int
    """Bytes of the largest body that an answer takes; 0: no limit."""
    life: timedelta
    """After which the bucket forgets what was kept."""
    cache_control: str
    """Of what is read in public."""

    def find(self, request: ImageRequest, bare: Result, size: int) -> Result | None:
        """The answer whose facts `bare` holds, if it was kept; `size`: bytes of the original."""
        if not _is_nameable(bare) or not (self._is_worth_it(request, size) or self._may_be_large(size)):
            return None
        try:
            kept = self.store.get(_key(bare))
            return self._result(request, bare, kept) if kept is not None and not self._is_old(kept) else None
        except HandlerError as error:
            # Nothing is lost but the time to make it again.
            logger().warning("a kept picture cannot be read", extra={"detail": error.detail or error.message})
            return None

    def keep(self, request: ImageRequest, result: Result, size: int) -> Result:
        """The same answer, kept if that is worth it; without its body where that is too large for an answer."""
        if not _is_nameable(result):
            return result
        if self.most and len(result.body) > self.most:
            return self._aside(request, result)
        if self._is_worth_it(request, size):
            try:
                self._put(_key(result), request, result, result.body)
                self._refer(result)
            except HandlerError as error:
                logger().warning("a picture cannot be kept", extra={"detail": error.detail or error.message})
        return result

    def link(self, result: Result, request: ImageRequest) -> tuple[str, int]:
        """Where to read what lies aside, and for how many seconds that may be kept; 0: not at all."""
        if result.aside.startswith(PUBLIC):
            return f"/{result.aside.removeprefix('public/')}", REDIRECT_SECONDS
        seconds = LINK_SECONDS
        if request.expires is not None:
            seconds = max(1, min(seconds, int((request.expires - datetime.now(UTC)).total_seconds())))
        return self.store.link(result.aside, seconds), 0

    def read(self, path: str, until: str, proof: str) -> StoredObject | None:
        """What `/_results/<path>` names, open to all or proved by an address that a folder made; None for nothing."""
        if _NAME.fullmatch(path):
            return self.store.get(PUBLIC + path)
        if path.startswith(PRIVATE) and self.store.admits(path, until, proof):
            return self.store.get(path)
        return None

    def withdraw(self, tag: str) -> int:
        """Forget whatever an object went into, and what was seen in it; how many pictures that were."""
        keys = list(dict.fromkeys(self._touched(tag)))
        self.store.delete([*keys, *(info.ref.key for info in self.store.list(f"detections/{tag}/"))])
        return len([key for key in keys if key.startswith(PRIVATE) and "@" not in key])

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
            if name := facts.metadata.get(_AT):
                yield PUBLIC + name

    def _is_worth_it(self, request: ImageRequest, size: int) -> bool:
        """What is cheaper to make again than to fetch is not kept."""
        if not self.keeps:
            return False
        output, steps = request.output, request.steps
        if any(step.feature.heavy or step.feature.billed or step.feature.name in _SLOW for step in steps):
            return True
        if output.max_bytes or output.format == "avif" or (output.format == "auto" and "avif" in request.accepts):
            return True
        return size > LARGE_ORIGINAL and bool(steps or output != Output())

    def _may_be_large(self, size: int) -> bool:
        return 0 < self.most < size * 4

    def _is_old(self, kept: StoredObject) -> bool:
        """Whether it could be gone while a redirect still leads to it."""
        return datetime.now(UTC) - kept.info.last_modified > self.life - timedelta(days=1)

    def _result(self, request: ImageRequest, bare: Result, kept: StoredObject) -> Result | None:
        facts = kept.info.metadata
        found = replace(
            bare,
            media_type=kept.info.content_type,
            width=int(facts.get("width", 0)),
            height=int(facts.get("height", 0)),
            negotiated=facts.get("negotiated") == "yes",
        )
        if name := facts.get(_AT):
            # What has become restricted since is made again, under a key that the CDN cannot read.
            return replace(found, aside=PUBLIC + name) if not request.restricted else None
        if self.most and kept.info.size > self.most:
            return replace(found, aside=kept.info.ref.key) if request.restricted else None
        return replace(found, body=kept.read())

    def _aside(self, request: ImageRequest, result: Result) -> Result:
        """Put where a redirect can lead to. UpstreamError if that does not work: there is no other way to answer."""
        key = _key(result)
        if request.restricted:
            self._put(key, request, result, result.body)
            self._refer(result)
            return replace(result, body=b"", aside=key)
        name = os.urandom(16).hex()
        self._put(PUBLIC + name, request, result, result.body)
        self._put(key, request, result, b"", **{_AT: name})
        self._refer(result)
        return replace(result, body=b"", aside=PUBLIC + name)

    def _put(self, key: str, request: ImageRequest, result: Result, body: bytes, **more: str) -> None:
        """Write over whatever lies there: it is as good, too old, or readable by others than may read it now."""
        facts = {name: str(getattr(result, name)) for name in ("width", "height") if getattr(result, name)}
        facts |= {"negotiated": "yes"} if result.negotiated else {}
        facts |= {"cache-tag": ",".join(result.tags), **more}
        if request.output.download:
            facts["Content-Disposition"] = attachment(request.output.download)
        elif result.media_type == SVG and not key.startswith(PUBLIC):
            # Behind a presigned address S3 answers itself, and cannot say that no script may run: so it is no page.
            facts["Content-Disposition"] = "attachment"
        there = self.store.head(key) if not key.startswith(PUBLIC) else None
        written = self.store.put(
            key,
            body,
            content_type=result.media_type,
            cache_control=self.cache_control if key.startswith(PUBLIC) else "no-store",
            metadata=facts,
            replaces=there.etag if there else None,
        )
        if not written and key.startswith(PUBLIC):
            raise UpstreamError("the results bucket does not take the picture", detail=key)
        if there and (name := there.metadata.get(_AT)):
            self.store.delete([PUBLIC + name])

    def _refer(self, result: Result) -> None:
        """Say under each further object where the picture lies, so that withdrawing any of them finds it."""
        first, *others = result.tags
        for tag in others:
            self.store.put(
                f"{PRIVATE}{tag}/{result.etag}@{first}",
                b"",
                content_type="",
                cache_control="",
                metadata={},
                replaces=None,
            )


def _is_nameable(result: Result) -> bool:
    """Whether the next request would have the same answer: not where one came along, or nobody could judge it."""
    return bool(result.tags) and result.is_certain


def _key(result: Result) -> str:
    return f"{PRIVATE}{result.tags[0]}/{result.etag}"

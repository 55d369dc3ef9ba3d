"""Purge originals: delete stored results and detections, and invalidate the CDN's copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from handler.aws.cloudfront import Distribution
from handler.core.errors import BadRequest
from handler.core.ports import Objects
from handler.render.inputs import tag_of
from handler.storage.result_cache import BucketResultCache
from handler.storage.sources.keys import is_invalid, other_forms
from imaging import Deadline, ObjectRef

if TYPE_CHECKING:
    from imaging import PixelCache


class Purge(msgspec.Struct, frozen=True):
    """Purges originals from the result cache and the CDN."""

    objects: Objects
    result_cache: BucketResultCache | None
    cdn: Distribution | None
    source_of: Callable[[ObjectRef], ObjectRef] = lambda ref: ref
    """Resolves a key of an address without a bucket, by SOURCE_PATHS."""
    pixels: PixelCache | None = None

    def of(self, refs: Sequence[ObjectRef], deadline: Deadline) -> dict[str, object]:
        """Purge objects that may not exist any more. Forbidden for a bucket that is not a source, UpstreamError."""
        tags = list(dict.fromkeys(tag for ref in refs for tag in self._tags(ref)))
        # The result cache first, or the CDN could fetch a stored result again.
        results = sum(self.result_cache.purge(tag) for tag in tags) if self.result_cache else 0
        if self.pixels is not None:
            self.pixels.purge(tags)
        invalidation = self.cdn.purge(tags, deadline) if self.cdn else None
        return {"keys": len(refs), "results": results, "invalidation": invalidation}

    def _tags(self, ref: ObjectRef) -> Iterator[str]:
        """Yield the tags of the key as given, and of the keys under which the object may have been found."""
        for resolved in dict.fromkeys((self.objects.resolve(ref), self.objects.resolve(self.source_of(ref)))):
            if is_invalid(resolved.key):
                raise BadRequest(f"`keys` must be valid keys, got {resolved.key[:60]!a}")
            yield from tags_of(resolved)


def tags_of(ref: ObjectRef) -> Iterator[str]:
    """Yield the cache tags of an object: those of its key and of the other keys under which it may have been found."""
    for key in (ref.key, *other_forms(ref.key)):
        yield tag_of(ObjectRef(ref.bucket, key))

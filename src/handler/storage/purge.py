"""An original and everything that was made of it, withdrawn: kept pictures, what was seen in it, the CDN's copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from handler.aws.cloudfront import Distribution
from handler.errors import BadRequest
from handler.ports import Objects
from handler.render.inputs import tag_of
from handler.storage.result_cache import BucketResultCache
from handler.storage.sources.keys import is_impossible, other_forms
from imaging import Deadline, ObjectRef

MOST = 300
"""Keys of one call; CloudFront works on 3,000 tags at a time."""


class Purge(msgspec.Struct, frozen=True):
    """What can be withdrawn here, and from where."""

    objects: Objects
    result_cache: BucketResultCache | None
    cdn: Distribution | None
    source_of: Callable[[ObjectRef], ObjectRef] = lambda ref: ref
    """Where a key of an address lies that is named without a bucket, as SOURCE_PATHS have it."""

    def of(self, refs: Sequence[ObjectRef], deadline: Deadline) -> dict[str, object]:
        """Withdraw objects, which may be gone already. Forbidden for a bucket that is not listed, UpstreamError."""
        tags = list(dict.fromkeys(tag for ref in refs for tag in self._tags(ref)))
        # The kept pictures first, or the CDN could fetch one of them again.
        results = sum(self.result_cache.purge(tag) for tag in tags) if self.result_cache else 0
        invalidation = self.cdn.purge(tags, deadline) if self.cdn else None
        return {"keys": len(refs), "results": results, "invalidation": invalidation}

    def _tags(self, ref: ObjectRef) -> Iterator[str]:
        """Of the key as it came, and of those under which it may have been found."""
        for lies in dict.fromkeys((self.objects.resolve(ref), self.objects.resolve(self.source_of(ref)))):
            yield from self._spelled(lies)

    def _spelled(self, ref: ObjectRef) -> Iterator[str]:
        if is_impossible(ref.key):
            raise BadRequest(f"`keys` must be keys that a store can have, got {ref.key[:60]!a}")
        for key in (ref.key, *other_forms(ref.key)):
            yield tag_of(ObjectRef(ref.bucket, key))

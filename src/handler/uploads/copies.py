"""Purge what was made of an original that has changed: stored results, detections and the CDN's copies."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from handler.aws.cloudfront import Distribution
from handler.storage.purge import tags_of
from handler.storage.result_cache import BucketResultCache
from imaging import Deadline, ObjectRef

if TYPE_CHECKING:
    from imaging import PixelCache

_MAX_TAGS = 3000
"""Tags of one invalidation; CloudFront's limit."""


class CopyPurge:
    """Deletes stored results and detections at once, and collects the cache tags for one invalidation of the CDN.

    CloudFront limits how many invalidations may run, so the caller sends one for many changes (`flush`), before it
    acknowledges them.
    """

    def __init__(
        self,
        result_cache: BucketResultCache | None = None,
        cdn: Distribution | None = None,
        pixels: PixelCache | None = None,
    ) -> None:
        self._pixels = pixels
        self._result_cache = result_cache
        self._cdn = cdn
        self._tags: dict[str, None] = {}
        self._lock = threading.Lock()

    def purge(self, ref: ObjectRef) -> None:
        """Purge what was made of an object, which may not exist any more. Raise UpstreamError."""
        tags = list(tags_of(ref))
        # The result cache first, or the CDN could fetch a stored result again.
        if self._result_cache is not None:
            for tag in tags:
                self._result_cache.purge(tag)
        if self._pixels is not None:
            self._pixels.purge(tags)
        if self._cdn is not None:
            with self._lock:
                self._tags.update(dict.fromkeys(tags))

    def flush(self, deadline: Deadline) -> None:
        """Invalidate what was collected. Raise UpstreamError; the tags that remain are sent by the next call."""
        while self._cdn is not None and self._tags:
            with self._lock:
                tags = list(self._tags)[:_MAX_TAGS]
            self._cdn.purge(tags, deadline)
            with self._lock:
                for tag in tags:
                    self._tags.pop(tag, None)

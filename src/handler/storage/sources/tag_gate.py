"""Reads only originals in S3 that have a certain tag, such as the one that a malware scan sets (REQUIRE_TAG)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from handler.core.errors import Forbidden
from handler.core.ports import Listing, ObjectInfo, StoredObject

if TYPE_CHECKING:
    from handler.storage.sources.source import Source

_MAX_CACHED = 10_000
"""Versions of objects whose tag is known; the least recently used one is dropped."""


class TagMissing(Forbidden):
    """The object does not have the tag yet."""

    code = "TagMissing"


class TagRefused(Forbidden):
    """The tag of the object has another value than the required one."""

    code = "TagRefused"


class TagGate:
    """A source that refuses objects without the required tag. Names and sizes can still be listed."""

    def __init__(self, source: Source, read_tags: Callable[[str], Mapping[str, str]], tag: tuple[str, str]) -> None:
        """`read_tags` returns the tags of a key; `tag` is the required name and value."""
        self._source = source
        self._read_tags = read_tags
        self._name, self._value = tag
        self._passed: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> StoredObject:
        """Return an object with the tag. Raise TagMissing or TagRefused for another one."""
        stored = self._source.get(key)
        version = key, stored.info.etag
        with self._lock:
            is_known = version in self._passed
        if not is_known:
            self._check(key)
        with self._lock:
            self._passed[version] = None
            self._passed.move_to_end(version)
            if len(self._passed) > _MAX_CACHED:
                self._passed.popitem(last=False)
        return stored

    def _check(self, key: str) -> None:
        value = self._read_tags(key).get(self._name)
        if value is None:
            raise TagMissing(f"the original must have the tag `{self._name}`, got none yet")
        if value != self._value:
            raise TagRefused(f"the tag `{self._name}` of the original must be `{self._value}`, got `{value}`")

    def head(self, key: str) -> ObjectInfo:
        return self._source.head(key)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        return self._source.list(prefix)

    def page(self, prefix: str, cursor: str, limit: int) -> Listing:
        return self._source.page(prefix, cursor, limit)

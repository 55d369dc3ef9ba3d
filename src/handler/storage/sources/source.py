"""The protocol of one source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from handler.core.ports import Listing, ObjectInfo, StoredObject


class Source(Protocol):
    """One bucket, folder or HTTPS origin; see `handler.core.ports.Objects` for its methods."""

    def get(self, key: str) -> StoredObject: ...
    def head(self, key: str) -> ObjectInfo: ...
    def list(self, prefix: str) -> Iterator[ObjectInfo]: ...
    def page(self, prefix: str, cursor: str, limit: int) -> Listing: ...

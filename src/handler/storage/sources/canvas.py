"""The source of plain canvases, which is in every service: an object is made from its key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from handler.core.ports import Listing, ObjectInfo, StoredObject
from handler.requests.parsed_request import CANVAS_SOURCE
from handler.storage.sources.stored import Stored
from imaging import Canvas, ObjectRef

_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
"""A canvas never changes; answers state the time of the deployment, if that is later."""


class CanvasSource:
    """Canvases of every size and colour; none of them is listed. Raises InvalidParameter for any other key."""

    def get(self, key: str) -> StoredObject:
        canvas = Canvas.of_key(key)
        body = canvas.as_png()
        info = ObjectInfo(ObjectRef(CANVAS_SOURCE, key), len(body), canvas.key, _SINCE)
        return Stored(info, [body], len(body))

    def head(self, key: str) -> ObjectInfo:
        return self.get(key).info

    def list(self, prefix: str) -> Iterator[ObjectInfo]:  # noqa: ARG002 - the shape of all sources
        return iter(())

    def page(self, prefix: str, cursor: str, limit: int) -> Listing:  # noqa: ARG002 - the shape of all sources
        return Listing((), (), None)

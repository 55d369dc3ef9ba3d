"""What the handler needs of the outside: Protocols, whose adapters are in `objects`, `results`, `vision` and `aws`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from imaging import Deadline, Limits, ObjectRef, Vision


class ObjectInfo(msgspec.Struct, frozen=True):
    """What a store says of an object."""

    ref: ObjectRef
    """Bucket as configured (never empty) and key."""
    size: int
    etag: str
    """Opaque and unquoted; made of size and modification time where the store has none."""
    last_modified: datetime
    cache_control: str = ""
    content_type: str = ""
    metadata: Mapping[str, str] = msgspec.field(default_factory=dict)


class Listing(msgspec.Struct, frozen=True):
    """One page of what lies directly under a prefix, in the order of the keys."""

    objects: tuple[ObjectInfo, ...]
    prefixes: tuple[str, ...]
    """Where more lies, a slash at their ends."""
    cursor: str | None
    """What asks for the next page, None after the last."""


class StoredObject(Protocol):
    """An object that was asked for: its facts are there, its bytes are not yet read."""

    @property
    def info(self) -> ObjectInfo: ...

    def read(self) -> bytes:
        """All bytes; PayloadTooLarge when there are more than the limit, UpstreamError when the store fails midway."""
        ...


class Objects(Protocol):
    """The configured sources; all raise Forbidden (`ImageBucket::CannotAccessBucket`), NotFound or UpstreamError."""

    def resolve(self, ref: ObjectRef) -> ObjectRef:
        """The same object with its bucket's name filled in; Forbidden for a bucket that is not listed."""
        ...

    def get(self, ref: ObjectRef) -> StoredObject:
        """Ask for an object; one round trip, the body is read later or never."""
        ...

    def head(self, ref: ObjectRef) -> ObjectInfo: ...

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]: ...

    def page(self, bucket: str, prefix: str, cursor: str, limit: int) -> Listing:
        """What lies directly under a prefix, `limit` entries from `cursor` on; BadRequest for a cursor that is none."""
        ...


class ObjectAttributes(msgspec.Struct, frozen=True):
    """What is stored with an object and comes back in its ObjectInfo; an empty text is not stored."""

    content_type: str = ""
    cache_control: str = ""
    metadata: Mapping[str, str] = msgspec.field(default_factory=dict)


class ObjectWriter(Protocol):
    """A bucket or a folder that objects are written to."""

    def head(self, key: str) -> ObjectInfo | None:
        """The object's facts, None if there is no such object."""
        ...

    def put(self, key: str, body: bytes, attributes: ObjectAttributes, *, replaces: str | None) -> bool:
        """Write if there is no such object (`replaces` None) or if it has exactly that ETag.

        False when that is no longer so: somebody else wrote or deleted it.
        """
        ...


class ObjectStore(ObjectWriter, Protocol):
    """The same, with reading, listing and deleting."""

    def get(self, key: str) -> StoredObject | None:
        """The object, its bytes not yet read; None if there is no such object."""
        ...

    def read(self, key: str) -> bytes | None:
        """All bytes of the object, None if there is no such object."""
        ...

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """All objects under a prefix that ends in a slash, in no order."""
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Delete these objects; a key without an object is no fault."""
        ...


class DetectionInput(msgspec.Struct, frozen=True):
    """Bytes that somebody may look at, and what names them."""

    tag: str
    """The cache tag of the object; of a posted picture a word of its own."""
    etag: str
    name: str
    """For messages."""
    read: Callable[[], bytes]


class DetectionService(Protocol):
    """Those who see for the features."""

    def on(
        self, original: DetectionInput, overlays: Sequence[DetectionInput], limits: Limits, deadline: Deadline
    ) -> Vision:
        """What can be asked of one request's pictures."""
        ...


InvokeFunction = Callable[[Mapping[str, Any], Deadline], dict[str, Any]]
"""The function for heavy work: its answer to an event, in the shape of ours. UpstreamError where there is none."""


class SecretSource(Protocol):
    """Where a secret comes from."""

    def values(self, *, refresh: bool = False) -> tuple[str, ...]:
        """The current value and then the previous one, if there is one; kept for five minutes.

        With `refresh` they are fetched again, at most once in ten seconds. The last good values are kept when the
        source is down; UpstreamError when there never were any.
        """
        ...

"""Protocols of what the handler needs from outside; `storage`, `detection` and `aws` implement them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from imaging import Deadline, Limits, ObjectRef, SubjectMasks, Vision


class ObjectInfo(msgspec.Struct, frozen=True):
    """What a store knows of an object."""

    ref: ObjectRef
    """Bucket as configured (never empty) and key."""
    size: int
    etag: str
    """Opaque and unquoted; made from size and modification time if the store has none."""
    last_modified: datetime
    cache_control: str = ""
    content_type: str = ""
    metadata: Mapping[str, str] = msgspec.field(default_factory=dict)


class Listing(msgspec.Struct, frozen=True):
    """One page of the objects and prefixes directly under a prefix, in the order of the keys."""

    objects: tuple[ObjectInfo, ...]
    prefixes: tuple[str, ...]
    """Prefixes under which there are more objects, each with a slash at its end."""
    cursor: str | None
    """The parameter for the next page, None after the last one."""


class StoredObject(Protocol):
    """An object whose facts are known and whose bytes are not read yet."""

    @property
    def info(self) -> ObjectInfo: ...

    @property
    def is_remote(self) -> bool:
        """Whether the bytes come over a network, so that there is time while they arrive."""
        ...

    def blocks(self) -> Generator[bytes]:
        """Yield the bytes in blocks as they arrive; raise as `read` does. Closing it ends the transfer."""
        ...

    def read(self, head: Sequence[bytes] = ()) -> bytes:
        """Return all bytes, of which `blocks` has yielded `head` already; can be called once.

        PayloadTooLarge if they exceed the limit, UpstreamError if the store fails midway.
        """
        ...


class ObjectReader(Protocol):
    """Reads originals and overlays. It may raise Forbidden, NotFound or UpstreamError."""

    def get(self, ref: ObjectRef) -> StoredObject:
        """Request an object: one round trip, and the body is read later or never."""
        ...


class Objects(ObjectReader, Protocol):
    """The configured sources. Every method may raise Forbidden, NotFound or UpstreamError."""

    def resolve(self, ref: ObjectRef) -> ObjectRef:
        """Return the same object with its bucket's name filled in. Forbidden for a bucket that is not configured."""
        ...

    def head(self, ref: ObjectRef) -> ObjectInfo: ...

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]: ...

    def page(self, bucket: str, prefix: str, cursor: str, limit: int) -> Listing:
        """List `limit` entries directly under a prefix, from `cursor` on. BadRequest for an invalid cursor."""
        ...


class ObjectAttributes(msgspec.Struct, frozen=True):
    """What is stored with an object and returned in its ObjectInfo; an empty string is not stored."""

    content_type: str = ""
    cache_control: str = ""
    metadata: Mapping[str, str] = msgspec.field(default_factory=dict)


class ObjectWriter(Protocol):
    """A bucket or a folder to write objects to."""

    def head(self, key: str) -> ObjectInfo | None:
        """Return what the store knows of an object, None if there is no such object."""
        ...

    def put(self, key: str, body: bytes, attributes: ObjectAttributes, *, replaces: str | None) -> bool:
        """Write an object on the condition that it does not exist (`replaces` None) or has exactly that ETag.

        Return False if that does not hold, because another process has written or deleted the object.
        """
        ...


class ObjectStore(ObjectWriter, Protocol):
    """A bucket or a folder to write, read, list and delete objects."""

    def get(self, key: str) -> StoredObject | None:
        """Return an object whose bytes are not read yet, None if there is no such object."""
        ...

    def read(self, key: str) -> bytes | None:
        """Return all bytes of an object, None if there is no such object."""
        ...

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield all objects under a prefix that ends in a slash, in no order."""
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Delete these objects; keys without an object are ignored."""
        ...


class DetectionInput(msgspec.Struct, frozen=True):
    """An image for detectors, and what identifies it."""

    tag: str
    """The cache tag of the object; `posted` for an image that was sent with the request."""
    etag: str
    name: str
    """Name for messages."""
    read: Callable[[], bytes]
    is_inline: bool = False
    """Whether it was sent with the request, so that no purge can find what is stored of it."""


class DetectionService(Protocol):
    """The detectors that features use."""

    def on(
        self, original: DetectionInput, overlays: Mapping[ObjectRef, DetectionInput], limits: Limits, deadline: Deadline
    ) -> Vision:
        """Return the detections of one request, which are made when a feature asks for them."""
        ...

    def masks(self, original: DetectionInput, version: str, deadline: Deadline) -> SubjectMasks:
        """Return the masks of subjects in an original. `version` is that of the code that edits images."""
        ...


InvokeFunction = Callable[[Mapping[str, Any], Deadline], dict[str, Any]]
"""Invokes the model function with an event and returns its answer. UpstreamError if it does not answer."""


class SecretSource(Protocol):
    """A source of one secret."""

    def values(self, *, refresh: bool = False) -> tuple[str, ...]:
        """Return the current value and then the previous one, if there is one; they are cached for five minutes.

        `refresh` fetches them again, at most once in ten seconds. While the source is down the last values are
        returned; UpstreamError if it never had a value.
        """
        ...

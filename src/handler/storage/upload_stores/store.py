"""The protocol of a store to which originals are uploaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from handler.core.ports import ObjectInfo

PART_BYTES = 8 * 1024 * 1024
"""Size of every part of an upload but the last one. S3 accepts 5 MiB to 5 GiB, and at most 10,000 parts."""


class UploadAttributes(msgspec.Struct, frozen=True):
    """What is stored with an original."""

    content_type: str = "application/octet-stream"
    metadata: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Names in lower case without `x-amz-meta-`; values in ASCII. A folder does not store them."""


class PresignedPost(msgspec.Struct, frozen=True):
    """A form that uploads one object: it is posted to `url` with these fields, and with the bytes as field `file`."""

    url: str
    fields: Mapping[str, str]


class UploadStore(Protocol):
    """A source that can be written. Every method may raise BadRequest, Forbidden or UpstreamError.

    An object appears under its key when all of its bytes are stored, and never before.
    """

    @property
    def sends_events(self) -> bool:
        """Whether the store itself reports new and deleted objects to this service."""
        ...

    def head(self, key: str) -> ObjectInfo | None:
        """Return what the store knows of an object, None if there is no such object."""
        ...

    def sha256(self, key: str) -> str:
        """Return the SHA-256 of an object in hex; empty if the store does not know it."""
        ...

    def write(
        self, key: str, blocks: Iterable[bytes], attributes: UploadAttributes, *, overwrite: bool
    ) -> ObjectInfo | None:
        """Write an object block by block. Return None if it exists and `overwrite` is false."""
        ...

    def delete(self, key: str) -> None:
        """Delete an object; nothing happens without one."""
        ...

    def presigned_post(
        self, key: str, attributes: UploadAttributes, sizes: tuple[int, int], now: datetime, expires: datetime
    ) -> PresignedPost | None:
        """Return a form with which a client writes to the store directly; None if the store has no such forms."""
        ...

    def begin(self, key: str, attributes: UploadAttributes) -> str:
        """Begin an upload in parts, and return its ID."""
        ...

    def part_url(self, key: str, upload: str, number: int, now: datetime, seconds: int) -> str | None:
        """Return a URL to which a client sends one part by PUT; None if the store has no such URLs."""
        ...

    def write_part(self, key: str, upload: str, number: int, blocks: Iterable[bytes]) -> str:
        """Write one part, or replace it, and return its ETag. Raise NotFound if there is no such upload."""
        ...

    def complete(
        self, key: str, upload: str, parts: Sequence[tuple[int, str]], *, overwrite: bool
    ) -> ObjectInfo | None:
        """Join parts, each given by its number and ETag, into an object. Return None if it exists already."""
        ...

    def abort(self, key: str, upload: str) -> None:
        """Delete the parts of an upload; nothing happens if there is no such upload."""
        ...

"""The record of one original, and the notices about it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

Status = Literal["uploading", "processing", "ready", "rejected", "failed", "deleted"]
FINAL: tuple[Status, ...] = ("ready", "rejected", "failed", "deleted")
"""The states that end the processing of one version of an original. Each is announced by one notice."""


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One result of a preset that is stored and can be read."""

    preset: str
    key: str
    """Key in OUTPUT_BUCKET."""
    media_type: str
    width: int
    height: int
    """In pixels."""
    bytes: int
    etag: str
    """The ETag of the result, which an answer to the same request would have; a store has ETags of its own."""
    url: str = ""
    """Under OUTPUT_URL; empty if that is not set."""


class ProcessingError(msgspec.Struct, frozen=True, kw_only=True):
    """Why an original was rejected or could not be processed."""

    code: str
    """The stable code of the error, as in HTTP answers."""
    message: str
    attempts: int
    """Number of attempts so far."""
    is_moderation: bool = False
    """Whether moderation has rejected the original."""


class AppliedRecipe(msgspec.Struct, frozen=True, kw_only=True):
    """A result that the owner of an original keeps: the recipe is stored, and the result is rendered from it."""

    id: str
    """Unique within the record."""
    recipe: str
    """The name of the recipe; empty if the owner composed the edits."""
    edits: Mapping[str, Any]
    """In the form of the JSON dialect; empty for a preset of the operator, which is applied by its name."""
    created_at: datetime


class ImageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one original."""

    id: str
    """Derived from source and key by `record_id`."""
    source: str
    """The configured name of the source."""
    key: str
    status: Status
    created_at: datetime
    updated_at: datetime
    owner: str = ""
    """The gallery visitor that uploaded the original; empty for all other uploads."""
    name: str = ""
    """The name that a person sees; empty: the last part of the key."""
    bytes: int = 0
    """What the original counts for the storage of its source, from before it is stored until it is deleted; 0 for
    originals whose storage is not limited.
    """
    sequencer: str = ""
    """The sequencer of the newest event, which orders the versions of an original.

    Hexadecimal, in upper case and without zeros on the left; `handler.uploads.change` compares two of them.
    """
    etag: str = ""
    """The ETag of the original that facts and variants were made of."""
    facts: Mapping[str, Any] = msgspec.field(default_factory=dict)
    variants: tuple[Variant, ...] = ()
    applied: tuple[AppliedRecipe, ...] = ()
    """The results that the owner keeps, in the order in which they were made."""
    error: ProcessingError | None = None
    attempts: int = 0
    """Attempts to process the version of `sequencer`."""
    is_forced: bool = False
    """Whether the variants of this version are to be rendered again although they are stored; until it is final."""
    announced: tuple[Status, ...] = ()
    """The final states of this version that were announced, so that none is announced twice."""
    expires_at: datetime | None = None
    """When the store may delete the record."""
    revision: int = 0
    """Counts the writes of this record; a write names the revision that it replaces."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """The announcement of one final state of one version of an original."""

    id: str
    """The same for every attempt to send it, so that a receiver can ignore repetitions."""
    type: str
    """`image.ready`, `image.rejected`, `image.failed` or `image.deleted`."""
    time: datetime
    record: ImageRecord


class PendingNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice in the outbox."""

    notice: Notice
    attempts: int
    due_at: datetime
    sent_to: tuple[str, ...] = ()
    """The names of the receivers that have accepted it."""


def record_id(source: str, key: str) -> str:
    """Return the ID of an original's record: 32 hexadecimal digits. Only who knows the key can tell the ID."""
    return hashlib.sha256(f"{source}\0{key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def notice_of(record: ImageRecord) -> Notice:
    """Return the notice of a record in a final state. Its ID is the same each time for the same version and state."""
    version = f"{record.id}\0{record.sequencer}\0{record.etag}\0{record.status}"
    digest = hashlib.sha256(version.encode()).hexdigest()[:32]
    return Notice(id=digest, type=f"image.{record.status}", time=record.updated_at, record=record)

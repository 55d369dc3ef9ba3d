"""The outcome of a change, and the decisions about it that need no store, database or image."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

from handler.core.errors import HandlerError
from handler.records.record import FINAL, ImageRecord, ProcessingError, Status, record_id
from handler.uploads.change import OriginalChange, is_same
from imaging import FeatureError, ObjectRef


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a change."""

    status: Literal["ready", "rejected", "deleted", "waiting", "repeated", "superseded", "ignored"]
    """`waiting`: the original has no REQUIRE_TAG yet; `repeated`: it was processed before; `superseded`: there is a
    newer change; `ignored`: filters exclude the key.
    """
    stored: tuple[str, ...] = ()
    """Output keys that were written."""
    kept: tuple[str, ...] = ()
    """Output keys whose variant was already that of the same or a newer change."""
    error: ProcessingError | None = None
    """Why an original is rejected."""


class KeyFilter(msgspec.Struct, frozen=True):
    """Which originals are processed: UPLOAD_PREFIX and UPLOAD_SUFFIX, which do not apply to the gallery."""

    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    """In lower case."""
    gallery: str = ""
    """GALLERY_SOURCE."""

    def includes(self, ref: ObjectRef) -> bool:
        """Return whether an original is processed; suffixes are compared without case."""
        if self.gallery and ref.bucket == self.gallery:
            return True
        has_prefix = not self.prefixes or ref.key.startswith(self.prefixes)
        return has_prefix and (not self.suffixes or ref.key.lower().endswith(self.suffixes))


def is_done(change: OriginalChange, record: ImageRecord) -> bool:
    """Return whether a version is in a final state already. One that has failed is processed when it is redriven."""
    is_final = record.status in FINAL and record.status != "failed"
    return is_final and not change.force and is_same(change.sequencer, record.sequencer)


def is_continued(change: OriginalChange, record: ImageRecord) -> bool:
    """Return whether a change is another attempt at the version that a record has in process."""
    return record.status == "processing" and is_same(record.sequencer, change.sequencer)


def make_claim(change: OriginalChange, record: ImageRecord | None, attempts: int, now: datetime) -> ImageRecord:
    """Return the record that says that a change is being processed.

    `attempts` is the number for a version that was not claimed before.
    """
    if record is None:
        record = ImageRecord(
            id=record_id(*change.ref), source=change.ref.bucket, key=change.ref.key, status="processing",
            created_at=now, updated_at=now,
        )  # fmt: skip
    continues = is_continued(change, record)
    is_forced = change.renders_again or (record.is_forced and is_same(record.sequencer, change.sequencer))
    return replace(
        record, status="processing", sequencer=change.sequencer, updated_at=now,
        attempts=record.attempts + 1 if continues else attempts, error=record.error if continues else None,
        announced=announced_states(change, record), is_forced=is_forced,
    )  # fmt: skip


def keep_changes(final: ImageRecord, current: ImageRecord) -> ImageRecord:
    """Return a final state with what the owner has changed meanwhile: renamed, applied recipes to, or deleted."""
    expires_at = final.expires_at if final.status == "deleted" else current.expires_at
    return replace(final, owner=current.owner, name=current.name, applied=current.applied, expires_at=expires_at)


def announced_states(change: OriginalChange, record: ImageRecord) -> tuple[Status, ...]:
    """Return the states in which a version is not announced again after it was claimed.

    An original that is known to be deleted is not announced as deleted a second time.
    """
    is_repeated = change.is_repetition and is_same(record.sequencer, change.sequencer)
    if is_repeated or is_continued(change, record):
        return record.announced
    return ("deleted",) if record.status == "deleted" and "deleted" in record.announced else ()


def explain(error: Exception) -> tuple[str, str]:
    """Return the code and the message of an error for the record, without what is for the log alone."""
    if isinstance(error, (FeatureError, HandlerError)):
        return error.code, error.message
    return HandlerError.code, "the original could not be processed"


def widen(change: OriginalChange, record: ImageRecord | None) -> OriginalChange:
    """Return the change, forced if an earlier attempt at the same version was forced and has not ended."""
    is_forced = record is not None and record.is_forced and is_same(record.sequencer, change.sequencer)
    return replace(change, force=True, presets=None) if is_forced else change

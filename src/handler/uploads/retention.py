"""How long the originals of the gallery are kept, and which of them are not kept at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from handler.core.errors import HandlerError
from handler.records.record import ImageRecord, ProcessingError
from handler.uploads.change import OriginalChange
from imaging import FeatureError, Rejected


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of the gallery's source; without one they apply to nothing."""

    source: str = ""
    """GALLERY_SOURCE."""
    life: timedelta = timedelta(0)
    """GALLERY_EXPIRE_DAYS."""
    delete: Callable[[str], None] = lambda _: None
    """Deletes the original with a key."""
    sends_events: bool = False
    """Whether the store reports the deletion by itself."""

    def expiry_of(self, record: ImageRecord) -> datetime | None:
        """Return when the record of an original expires that is being processed.

        A visitor's deletion takes the record's owner away and lets it expire at once, so that a sweep goes on with it.
        Processing must not undo that.
        """
        if record.source != self.source:
            return None
        is_given_up = not record.owner and record.status != "deleted"
        return record.expires_at if is_given_up and record.expires_at else record.created_at + self.life

    def is_unwanted(self, record: ImageRecord, error: FeatureError | HandlerError) -> bool:
        """Return whether the original of a record is to be deleted, because moderation has rejected it."""
        return record.source == self.source and isinstance(error, Rejected)

    def is_removed(self, record: ImageRecord) -> bool:
        """Return whether the original of a record was, or is being, deleted because moderation has rejected it."""
        return record.source == self.source and record.error is not None and record.error.is_moderation

    def has_caused(self, change: OriginalChange, record: ImageRecord | None) -> bool:
        """Return whether a deletion is that of such an original, whose record goes on to say why it is gone."""
        is_deletion = change.kind == "deleted" and not change.force
        return is_deletion and record is not None and bool(record.owner) and self.is_removed(record)


def forget_owner(record: ImageRecord) -> ImageRecord:
    """Return the record of an original that has no owner any more."""
    return replace(record, owner="", name="", applied=())


def describe_rejection(error: FeatureError | HandlerError, attempts: int) -> ProcessingError:
    """Return what a record says of an original that would fail again in the same way."""
    is_moderation = isinstance(error, Rejected)
    return ProcessingError(code=error.code, message=error.message, attempts=attempts, is_moderation=is_moderation)

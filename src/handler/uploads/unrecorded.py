"""The records of a service without a database: none. The sequencers of the variants alone order the changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handler.records.record import ImageRecord, Notice, PendingNotice
from handler.records.store import Added, RecordFilter, RecordPage


class Unrecorded:
    """Implements `handler.records.store.Records` without RECORDS: each original is a new one, nothing is announced.

    Variants are still stored once, and an older one never replaces a newer one. But nothing remembers a deletion.
    """

    def get(self, record_id: str) -> ImageRecord | None:  # noqa: ARG002 - the signature of Records
        """Return None."""
        return None

    def write(self, record: ImageRecord, *, replaces: int | None, notices: Sequence[Notice] = ()) -> bool:  # noqa: ARG002 - as above
        """Return True: nothing contradicts the record."""
        return True

    def add_within(self, record: ImageRecord, *, owner_limit: int, total_bytes: int | None = None) -> Added:  # noqa: ARG002 - as above
        """Return `full`: nothing can be added."""
        return "full"

    def stored_bytes(self, source: str, now: datetime) -> int:  # noqa: ARG002 - as above
        """Return 0."""
        return 0

    def expired(self, source: str, now: datetime, limit: int) -> Sequence[ImageRecord]:  # noqa: ARG002 - as above
        """Return no records."""
        return ()

    def remove(self, record_id: str, *, revision: int) -> bool:  # noqa: ARG002 - as above
        """Return False: there is nothing to remove."""
        return False

    def page(self, which: RecordFilter, cursor: str, limit: int) -> RecordPage:  # noqa: ARG002 - as above
        """Return a page without records."""
        return RecordPage((), None)

    def pending(self, now: datetime, limit: int) -> Sequence[PendingNotice]:  # noqa: ARG002 - as above
        """Return no notices."""
        return ()

    def find_pending(self, notice_id: str) -> PendingNotice | None:  # noqa: ARG002 - as above
        """Return None."""
        return None

    def postpone(self, notice_id: str, until: datetime, *, sent_to: Sequence[str] = ()) -> None:
        """Do nothing."""

    def settle(self, notice_id: str) -> None:
        """Do nothing."""

    def purge_expired(self, now: datetime, limit: int, *, keeping: str = "") -> int:  # noqa: ARG002 - as above
        """Return 0."""
        return 0

    def close(self) -> None:
        """Do nothing."""

"""The Protocol of a database of records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol

import msgspec

from handler.records.record import ImageRecord, Notice, PendingNotice, Status

MAX_PAGE = 1000
"""The largest number of records or notices that one call returns."""
NOTICE_MEMORY = timedelta(days=365)
"""How long the ID of a notice that was sent is remembered, so that it is not put into the outbox again."""

Added = Literal["added", "exists", "full", "no_space"]


class RecordFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which records a page contains; an empty field does not restrict it."""

    source: str = ""
    prefix: str = ""
    """Of the key; only together with `source`."""
    status: Status | None = None
    owner: str = ""
    updated_before: datetime | None = None


class RecordPage(msgspec.Struct, frozen=True):
    """One page of records."""

    records: tuple[ImageRecord, ...]
    cursor: str | None
    """The parameter for the next page, None after the last one."""


class Records(Protocol):
    """A database of records. Every method may raise UpstreamError if the database does not answer.

    All writes are conditional, and a record and its notices are written together or not at all. After an UpstreamError
    of a write, it is unknown whether the write has taken place; the caller reads the record to find out.
    """

    def get(self, record_id: str) -> ImageRecord | None:
        """Return a record, None if it does not exist. What this process or another has written before is seen."""
        ...

    def write(self, record: ImageRecord, *, replaces: int | None, notices: Sequence[Notice] = ()) -> bool:
        """Write a record and put notices into the outbox, all at once.

        Only if there is no record with this ID (`replaces` None), or if it has exactly that revision; else return
        False and write nothing. The stored revision is one higher than `replaces` (1 for a new record), whatever
        `record.revision` says. A notice whose ID was put into the outbox before is ignored, also after it was sent.

        BadRequest if the record is too large, or its texts hold characters that a database cannot store.
        """
        ...

    def add_within(self, record: ImageRecord, *, owner_limit: int, total_bytes: int | None = None) -> Added:
        """Write a new record, unless its owner has `owner_limit` records already, which is `full`.

        `no_space` if all records of its source would then have more than `total_bytes` (None: no limit). DynamoDB may
        exceed `total_bytes` by records that are added at the same moment; `owner_limit` is exact everywhere.

        Records that are deleted, or have expired at `record.updated_at`, do not count. `exists` if there is a record
        with this ID, whatever its owner has.
        """
        ...

    def stored_bytes(self, source: str, now: datetime) -> int:
        """Return the sum of `bytes` of all records of a source that are not deleted and have not expired.

        It is derived from the records, or changed together with them. In DynamoDB what expires is counted up to a day
        longer.
        """
        ...

    def expired(self, source: str, now: datetime, limit: int) -> Sequence[ImageRecord]:
        """Return up to `limit` records of a source that have expired although their original is not deleted.

        Nothing where the database deletes them by itself, as DynamoDB does.
        """
        ...

    def remove(self, record_id: str, *, revision: int) -> bool:
        """Delete a record if it has exactly that revision; else return False. Its notices stay in the outbox."""
        ...

    def page(self, which: RecordFilter, cursor: str, limit: int) -> RecordPage:
        """Return up to `limit` records, at most MAX_PAGE.

        With a prefix they are in the order of their keys; else the latest update comes first. A record that does not
        change while pages are read is in exactly one of them. A page can hold fewer records than `limit`, or none,
        and not be the last one. BadRequest for an invalid cursor.
        """
        ...

    def pending(self, now: datetime, limit: int) -> Sequence[PendingNotice]:
        """Return up to `limit` notices of the outbox that are due, the oldest first.

        A notice that was written within the last seconds may be missing. It is there later.
        """
        ...

    def find_pending(self, notice_id: str) -> PendingNotice | None:
        """Return a notice of the outbox, due or not; None if no notice has this ID, or if it was sent."""
        ...

    def postpone(self, notice_id: str, until: datetime, *, sent_to: Sequence[str] = ()) -> None:
        """Count an attempt to send a notice and make it due at that time. Does nothing if it was sent.

        `sent_to` are the names of all receivers that have accepted it so far; a name holds no comma.
        """
        ...

    def settle(self, notice_id: str) -> None:
        """Mark a notice as sent: it is not pending any more."""
        ...

    def purge_expired(self, now: datetime, limit: int, *, keeping: str = "") -> int:
        """Delete records and counters that have expired, and what is remembered of notices sent before NOTICE_MEMORY.

        Of the source `keeping` only records of deleted originals are deleted: `expired` returns the others.

        Return the number deleted, at most `limit` of each kind. Databases that do this by themselves return 0.
        """
        ...

    def close(self) -> None:
        """Close all connections. Another call opens new ones."""
        ...

"""The adapter for SQL databases."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, and_, func, not_, or_, select, true, tuple_, update

from handler.core.errors import UpstreamError
from handler.records.encoding import (
    check_page,
    counted_bytes,
    decode_cursor,
    decode_notice,
    decode_record,
    encode_cursor,
    encode_notice,
    encode_record,
    position_of,
    stored_record,
    time_text,
)
from handler.records.record import ImageRecord, Notice, PendingNotice
from handler.records.sql.counters import SqlCounters
from handler.records.sql.schema import COUNTERS, NOTICES, RECORDS
from handler.records.sql.transactions import Transactions, count_rows
from handler.records.store import NOTICE_MEMORY, Added, RecordFilter, RecordPage

_Result = TypeVar("_Result")
_PENDING = select(NOTICES.c.body, NOTICES.c.attempts, NOTICES.c.due_at, NOTICES.c.sent_to).where(
    NOTICES.c.settled_at.is_(None)
)


class SqlRecords:
    """Implements `handler.records.store.Records` with SQLite or PostgreSQL."""

    def __init__(self, address: str) -> None:
        """Take an SQLAlchemy URL. Raise ValueError for an invalid one; the first call connects and makes the tables."""
        self._transactions = Transactions(address)

    @property
    def counters(self) -> SqlCounters:
        """The counters beside the records."""
        return SqlCounters(self._transactions)

    def get(self, record_id: str) -> ImageRecord | None:
        """Return a record, None if it does not exist."""
        with self._transactions.read() as connection:
            body = connection.execute(select(RECORDS.c.body).where(RECORDS.c.id == record_id)).scalar()
        return None if body is None else decode_record(body)

    def write(self, record: ImageRecord, *, replaces: int | None, notices: Sequence[Notice] = ()) -> bool:
        """Write a record and put notices into the outbox, all at once."""
        row = _row_of(record, replaces)

        def put(connection: Connection) -> bool:
            if replaces is None:
                written = self._insert(connection, RECORDS, row)
            else:
                same = and_(RECORDS.c.id == record.id, RECORDS.c.revision == replaces)
                written = count_rows(connection.execute(update(RECORDS).where(same).values(row))) == 1
            for notice in notices if written else ():
                values = {"id": notice.id, "attempts": 0, "due_at": time_text(notice.time), "sent_to": ""}
                self._insert(connection, NOTICES, {**values, "body": encode_notice(notice)})
            return written

        return self._commit(put, row, True)

    def add_within(self, record: ImageRecord, *, owner_limit: int, total_bytes: int | None = None) -> Added:
        """Write a new record, unless its owner has `owner_limit` records already, or its source has no space for it."""
        row = _row_of(record, None)
        locks = [record.owner] if total_bytes is None else [record.owner, f"source {record.source}"]
        expires = RECORDS.c.expires_at
        counted = select(func.count()).where(
            RECORDS.c.owner == row["owner"],
            RECORDS.c.status != "deleted",
            or_(expires.is_(None), expires > row["updated_at"]),
        )

        def put(connection: Connection) -> Added:
            for name in locks:
                self._transactions.take_lock(connection, _lock_number(name))
            if connection.execute(select(RECORDS.c.id).where(RECORDS.c.id == record.id)).scalar() is not None:
                return "exists"
            if (connection.execute(counted).scalar() or 0) >= owner_limit:
                return "full"
            if total_bytes is not None:
                stored = connection.execute(_sum_of_bytes(record.source, record.updated_at)).scalar() or 0
                if stored + record.bytes > total_bytes:
                    return "no_space"
            return "added" if self._insert(connection, RECORDS, row) else "exists"

        return self._commit(put, row, "added")

    def stored_bytes(self, source: str, now: datetime) -> int:
        """Return the bytes of all originals of a source."""
        with self._transactions.read() as connection:
            return int(connection.execute(_sum_of_bytes(source, now)).scalar() or 0)

    def expired(self, source: str, now: datetime, limit: int) -> Sequence[ImageRecord]:
        """Return records of a source that have expired and whose original is not deleted."""
        is_old = and_(RECORDS.c.source == source, RECORDS.c.expires_at <= time_text(now), RECORDS.c.status != "deleted")
        query = select(RECORDS.c.body).where(is_old).order_by(RECORDS.c.expires_at).limit(limit)
        with self._transactions.read() as connection:
            return [decode_record(body) for body in connection.execute(query).scalars()]

    def remove(self, record_id: str, *, revision: int) -> bool:
        """Delete a record if it has exactly that revision."""
        same = and_(RECORDS.c.id == record_id, RECORDS.c.revision == revision)
        with self._transactions.write() as connection:
            return count_rows(connection.execute(RECORDS.delete().where(same))) == 1

    def page(self, which: RecordFilter, cursor: str, limit: int) -> RecordPage:
        """Return up to `limit` records."""
        check_page(which, limit)
        query = _page_query(which, decode_cursor(cursor, which)).limit(limit + 1)
        with self._transactions.read() as connection:
            records = [decode_record(body) for (body,) in connection.execute(query)]
        following = encode_cursor(position_of(records[limit - 1], which), which) if len(records) > limit else None
        return RecordPage(tuple(records[:limit]), following)

    def pending(self, now: datetime, limit: int) -> Sequence[PendingNotice]:
        """Return up to `limit` notices of the outbox that are due, the oldest first."""
        due = NOTICES.c.due_at
        return self._find_notices(_PENDING.where(due <= time_text(now)).order_by(due, NOTICES.c.id).limit(limit))

    def find_pending(self, notice_id: str) -> PendingNotice | None:
        """Return a notice of the outbox, None if no notice has this ID or it was sent."""
        return next(iter(self._find_notices(_PENDING.where(NOTICES.c.id == notice_id))), None)

    def _find_notices(self, query: Select[Any]) -> list[PendingNotice]:
        with self._transactions.read() as connection:
            rows = connection.execute(query).all()
        return [
            PendingNotice(
                notice=decode_notice(body),
                attempts=attempts,
                due_at=datetime.fromisoformat(time),
                sent_to=tuple(filter(None, names.split(","))),
            )
            for body, attempts, time, names in rows
        ]

    def postpone(self, notice_id: str, until: datetime, *, sent_to: Sequence[str] = ()) -> None:
        """Count an attempt to send a notice, make it due at that time, and store who has accepted it."""
        attempts = NOTICES.c.attempts + 1
        self._update_notice(notice_id, attempts=attempts, due_at=time_text(until), sent_to=",".join(sent_to))

    def settle(self, notice_id: str) -> None:
        """Mark a notice as sent. Its ID is remembered, its content is not."""
        self._update_notice(notice_id, settled_at=time_text(datetime.now(UTC)), body="")

    def purge_expired(self, now: datetime, limit: int, *, keeping: str = "") -> int:
        """Delete records and counters that have expired, and the IDs of notices that were sent long ago."""
        deleted = 0
        is_kept = and_(RECORDS.c.source == keeping, RECORDS.c.status != "deleted")
        for table, time, until, condition in (
            (RECORDS, RECORDS.c.expires_at, now, not_(is_kept)),
            (COUNTERS, COUNTERS.c.expires_at, now, true()),
            (NOTICES, NOTICES.c.settled_at, now - NOTICE_MEMORY, true()),
        ):
            is_old = and_(time <= time_text(until), condition)
            old = select(table.c.id).where(is_old).order_by(time).limit(limit)
            with self._transactions.write() as connection:
                # The condition again: a record can have been written since the subquery chose it.
                deleted += count_rows(connection.execute(table.delete().where(is_old, table.c.id.in_(old))))
        return deleted

    def close(self) -> None:
        """Close the connections that no thread uses."""
        self._transactions.close()

    def _insert(self, connection: Connection, table: Any, row: dict[str, Any]) -> bool:
        """Insert a row. Return False if there is one with this ID."""
        insertion = self._transactions.insert(table).values(row)
        statement = insertion.on_conflict_do_nothing(index_elements=["id"]).returning(table.c.id)
        return connection.execute(statement).scalar() is not None

    def _update_notice(self, notice_id: str, **values: Any) -> None:
        pending = and_(NOTICES.c.id == notice_id, NOTICES.c.settled_at.is_(None))
        with self._transactions.write() as connection:
            connection.execute(update(NOTICES).where(pending).values(values))

    def _commit(self, work: Callable[[Connection], _Result], row: dict[str, Any], success: _Result) -> _Result:
        """Run a transaction that writes a row.

        If the connection is lost while the transaction is committed, the row tells whether it was: its token is that
        of this call. Any other row proves nothing, because the database may still be at work.
        """
        try:
            with self._transactions.write() as connection:
                return work(connection)
        except UpstreamError:
            token = select(RECORDS.c.token).where(RECORDS.c.id == row["id"])
            with self._transactions.read() as connection:
                if connection.execute(token).scalar() == row["token"]:
                    return success
            raise


def _row_of(record: ImageRecord, replaces: int | None) -> dict[str, Any]:
    """Return the columns of a record."""
    stored = stored_record(record, replaces)
    return {
        "id": stored.id,
        "source": stored.source,
        "key": stored.key,
        "status": stored.status,
        "owner": stored.owner or None,
        "updated_at": time_text(stored.updated_at),
        "expires_at": time_text(stored.expires_at) if stored.expires_at else None,
        "revision": stored.revision,
        "bytes": counted_bytes(stored),
        "token": uuid.uuid4().hex,
        "body": encode_record(stored),
    }


def _sum_of_bytes(source: str, now: datetime) -> Select[Any]:
    """Return the statement for the bytes that the records of a source count."""
    expires = RECORDS.c.expires_at
    counts = and_(RECORDS.c.source == source, RECORDS.c.bytes.is_not(None))
    return select(func.sum(RECORDS.c.bytes)).where(counts, or_(expires.is_(None), expires > time_text(now)))


def _lock_number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


def _page_query(which: RecordFilter, position: str) -> Select[str]:
    """Return the statement for the records after a position."""
    query = select(RECORDS.c.body)
    equal = {"source": which.source, "status": which.status, "owner": which.owner}
    conditions: list[ColumnElement[bool]] = [RECORDS.c[name] == value for name, value in equal.items() if value]
    if which.updated_before:
        conditions.append(RECORDS.c.updated_at < time_text(which.updated_before))
    if which.prefix:
        # Not LIKE: SQLite's ignores case, and neither can use the index for every prefix.
        conditions += [RECORDS.c.key >= which.prefix, RECORDS.c.key > position]
        if after := _after_prefix(which.prefix):
            conditions.append(RECORDS.c.key < after)
        return query.where(*conditions).order_by(RECORDS.c.key)
    newest = (RECORDS.c.updated_at, RECORDS.c.id)
    if position:
        conditions.append(tuple_(*newest) < tuple_(*position.split("#")))
    return query.where(*conditions).order_by(*(column.desc() for column in newest))


def _after_prefix(prefix: str) -> str:
    """Return the first text after all texts with this prefix, empty if no text is."""
    stem = prefix.rstrip("\U0010ffff")
    if not stem:
        return ""
    following = ord(stem[-1]) + 1
    # Surrogates are no characters.
    return stem[:-1] + chr(0xE000 if following == 0xD800 else following)

"""The adapter for DynamoDB."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from handler.aws import AwsAccess
from handler.errors import UpstreamError
from handler.records.dynamodb.client import DynamoTable
from handler.records.dynamodb.listing import read_page, read_pending
from handler.records.dynamodb.table import (
    TTL_ATTRIBUTE,
    Item,
    notice_item,
    notice_key,
    owner_key,
    record_item,
    to_attributes,
)
from handler.records.encoding import check_page, decode_cursor, decode_notice, decode_record, stored_record, time_text
from handler.records.record import ImageRecord, Notice, PendingNotice
from handler.records.store import NOTICE_MEMORY, Added, RecordFilter, RecordPage

_ATTEMPTS = 20
_ABSENT: Mapping[str, Any] = {"ConditionExpression": "attribute_not_exists(id)"}


class DynamoRecords:
    """Implements `handler.records.store.Records` with a table of DynamoDB."""

    def __init__(self, table: str, aws: AwsAccess) -> None:
        """Take the name of a table, which must exist."""
        self._table = DynamoTable(table, aws)

    def get(self, record_id: str) -> ImageRecord | None:
        """Return a record, None if there is none."""
        item = self._table.get(record_id, fields=("body",))
        return decode_record(item["body"]) if item else None

    def write(self, record: ImageRecord, *, replaces: int | None, notices: Sequence[Notice] = ()) -> bool:
        """Write a record and put notices into the outbox, all at once."""
        item = record_item(stored_record(record, replaces), uuid.uuid4().hex)
        condition = _ABSENT if replaces is None else _has_revision(replaces)
        counted = [("Update", _count_for_owner(record))] if record.owner and record.status != "deleted" else []
        pending = {notice.id: notice for notice in notices}
        while pending or counted:
            puts = [("Put", _put(notice_item(notice), _ABSENT)) for notice in pending.values()]
            written, *others = self._table.transact([("Put", _put(item, condition)), *puts, *counted])
            if not written:
                return self._is_own(item)
            if all(others):
                return True
            # These notices have been in the outbox before.
            pending = {each: pending[each] for each, is_new in zip(pending, others, strict=False) if is_new}
        return self._table.put(item, condition) or self._is_own(item)

    def add_within(self, record: ImageRecord, *, owner_limit: int) -> Added:
        """Write a new record, unless its owner has `owner_limit` records already."""
        item = record_item(stored_record(record, None), uuid.uuid4().hex)
        if owner_limit < 1:
            return "exists" if self.get(record.id) else "full"
        count = _count_for_owner(record, owner_limit)
        for _ in range(_ATTEMPTS):
            is_new, is_within = self._table.transact([("Put", _put(item, _ABSENT)), ("Update", count)])
            if not is_new:
                return "added" if self._is_own(item) else "exists"
            if is_within:
                return "added"
            if not self._forget_old_records(record):
                return "full"
        raise UpstreamError("the database of records is busy", detail="DynamoDB: an owner changes", status=503)

    def remove(self, record_id: str, *, revision: int) -> bool:
        """Delete a record if it has exactly that revision."""
        return self._table.delete(record_id, _has_revision(revision))

    def page(self, which: RecordFilter, cursor: str, limit: int) -> RecordPage:
        """Return up to `limit` records."""
        check_page(which, limit)
        return read_page(self._table, which, decode_cursor(cursor, which), limit)

    def pending(self, now: datetime, limit: int) -> Sequence[PendingNotice]:
        """Return up to `limit` notices of the outbox that are due, the oldest first."""
        return [_pending_notice(item) for item in read_pending(self._table, now, limit)]

    def find_pending(self, notice_id: str) -> PendingNotice | None:
        """Return a notice of the outbox, None if there is none with this ID or it was sent."""
        item = self._table.get(notice_key(notice_id))
        return _pending_notice(item) if item and "list" in item else None

    def postpone(self, notice_id: str, until: datetime, *, sent_to: Sequence[str] = ()) -> None:
        """Count an attempt to send a notice, make it due at that time, and store who has accepted it."""
        values = {":at": f"{time_text(until)}#{notice_id}", ":sent": ",".join(sent_to), ":one": 1}
        change = "SET #at = :at, sent_to = :sent ADD attempts :one"
        self._update_notice(notice_id, change, {"#at": "at"}, values)

    def settle(self, notice_id: str) -> None:
        """Mark a notice as sent. Its ID is remembered, its content is not."""
        names = {"#at": "at", "#ttl": TTL_ATTRIBUTE}
        until = int(time.time() + NOTICE_MEMORY.total_seconds())
        self._update_notice(notice_id, "SET #ttl = :ttl REMOVE #at, #list, body", names, {":ttl": until})

    def purge_expired(self, now: datetime, limit: int) -> int:  # noqa: ARG002 - the table's time to live does it
        """Return 0: DynamoDB deletes expired items by itself."""
        return 0

    def close(self) -> None:
        """Close the connections."""
        self._table.close()

    def _is_own(self, item: Item) -> bool:
        """Return whether this call has written an item, although a condition did not hold.

        That is so if the answer to the write was lost and the SDK has sent it again.
        """
        found = self._table.get(item["id"], fields=("token",))
        return found is not None and found["token"] == item["token"]

    def _update_notice(self, notice_id: str, change: str, names: Mapping[str, str], values: Item) -> None:
        expression = {
            "UpdateExpression": change,
            "ConditionExpression": "attribute_exists(#list)",
            "ExpressionAttributeNames": {"#list": "list", **names},
            "ExpressionAttributeValues": to_attributes(values),
        }
        self._table.update(notice_key(notice_id), expression)

    def _forget_old_records(self, record: ImageRecord) -> bool:
        """Remove from the set of an owner what does not count. Return False if there is nothing to remove."""
        owner = self._table.get(owner_key(record.owner)) or {}
        listed: set[str] = owner.get("ids", set())
        found = {each: decode_record(item["body"]) for each, item in self._table.get_all(listed).items()}
        counted = {
            each
            for each, other in found.items()
            if other.status != "deleted" and (other.expires_at is None or other.expires_at > record.updated_at)
        }
        if not listed - counted:
            return False
        expression = {
            # Only if no record was added since: one of those that were read may be there again.
            "UpdateExpression": "DELETE ids :old",
            "ConditionExpression": "version = :version",
            "ExpressionAttributeValues": to_attributes({":old": listed - counted, ":version": owner["version"]}),
        }
        self._table.update(owner_key(record.owner), expression)
        return True


def _put(item: Item, condition: Mapping[str, Any]) -> dict[str, Any]:
    return {"Item": to_attributes(item), **condition}


def _has_revision(revision: int) -> dict[str, Any]:
    values = to_attributes({":revision": revision})
    return {"ConditionExpression": "revision = :revision", "ExpressionAttributeValues": values}


def _count_for_owner(record: ImageRecord, limit: int | None = None) -> dict[str, Any]:
    """Return the change that adds a record to the set of its owner, if the set has fewer than `limit` records."""
    values: Item = {":ids": {record.id}, ":one": 1}
    condition = {}
    if limit is not None:
        values[":limit"] = limit
        condition = {"ConditionExpression": "attribute_not_exists(ids) OR size(ids) < :limit"}
    return {
        "Key": to_attributes({"id": owner_key(record.owner)}),
        "UpdateExpression": "ADD ids :ids, version :one",
        "ExpressionAttributeValues": to_attributes(values),
        **condition,
    }


def _pending_notice(item: Item) -> PendingNotice:
    return PendingNotice(
        notice=decode_notice(item["body"]),
        attempts=item["attempts"],
        due_at=datetime.fromisoformat(item["at"].partition("#")[0]),
        sent_to=tuple(filter(None, item["sent_to"].split(","))),
    )

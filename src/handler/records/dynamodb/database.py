"""The adapter for DynamoDB."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from handler.aws import AwsAccess
from handler.core.errors import UpstreamError
from handler.records.dynamodb.client import DynamoTable
from handler.records.dynamodb.counters import DynamoCounters
from handler.records.dynamodb.listing import read_page, read_pending
from handler.records.dynamodb.table import (
    BY_STATUS,
    TTL_ATTRIBUTE,
    Item,
    notice_item,
    notice_key,
    owner_key,
    record_item,
    storage_change,
    storage_list,
    to_attributes,
)
from handler.records.encoding import check_page, decode_cursor, decode_notice, decode_record, stored_record, time_text
from handler.records.record import ImageRecord, Notice, PendingNotice
from handler.records.store import NOTICE_MEMORY, Added, RecordFilter, RecordPage

_ATTEMPTS = 20
_STORAGE_FIELDS = ("storage", "bytes")
_ABSENT: Mapping[str, Any] = {"ConditionExpression": "attribute_not_exists(id)"}


class DynamoRecords:
    """Implements `handler.records.store.Records` with a table of DynamoDB."""

    def __init__(self, table: str, aws: AwsAccess) -> None:
        """Take the name of a table, which must exist."""
        self._table = DynamoTable(table, aws)

    def get(self, record_id: str) -> ImageRecord | None:
        """Return a record, None if it does not exist."""
        item = self._table.get(record_id, fields=("body",))
        return decode_record(item["body"]) if item else None

    @property
    def counters(self) -> DynamoCounters:
        """The counters beside the records."""
        return DynamoCounters(self._table)

    def write(self, record: ImageRecord, *, replaces: int | None, notices: Sequence[Notice] = ()) -> bool:
        """Write a record and put notices into the outbox, all at once."""
        item = record_item(stored_record(record, replaces), uuid.uuid4().hex)
        if replaces is None:
            is_written = self._put_all(record, item, _ABSENT, _storage_changes({}, item), notices)
            return is_written or self._is_own(item)
        # Most writes do not change what the record counts for storage. If this one does, the condition fails.
        if self._put_all(record, item, _has_revision(replaces, item), [], notices):
            return True
        old = self._table.get(record.id, fields=(*_STORAGE_FIELDS, "revision", "token")) or {}
        is_own = bool(old.get("token") == item["token"])
        if is_own or old.get("revision") != replaces:
            return is_own
        changes = _storage_changes(old, item)
        return self._put_all(record, item, _has_revision(replaces, old), changes, notices) or self._is_own(item)

    def _put_all(
        self,
        record: ImageRecord,
        item: Item,
        condition: Mapping[str, Any],
        changes: Sequence[tuple[str, Mapping[str, Any]]],
        notices: Sequence[Notice],
    ) -> bool:
        """Write an item on a condition, with notices, other changes, and the place among the records of its owner."""
        others = [*changes]
        if record.owner and record.status != "deleted":
            others.append(("Update", _count_for_owner(record)))
        pending = {notice.id: notice for notice in notices}
        while pending or others:
            puts = [("Put", _put(notice_item(notice), _ABSENT)) for notice in pending.values()]
            written, *held = self._table.transact([("Put", _put(item, condition)), *puts, *others])
            if not written or all(held):
                return written
            # These notices have been in the outbox before.
            pending = {each: pending[each] for each, is_new in zip(pending, held, strict=False) if is_new}
        return self._table.put(item, condition)

    def add_within(self, record: ImageRecord, *, owner_limit: int, total_bytes: int | None = None) -> Added:
        """Write a new record, unless its owner has `owner_limit` records already, or its source has no space for it."""
        item = record_item(stored_record(record, None), uuid.uuid4().hex)
        if owner_limit < 1:
            return "exists" if self.get(record.id) else "full"
        others = [("Update", _count_for_owner(record, owner_limit)), *_storage_changes({}, item)]
        for _ in range(_ATTEMPTS):
            if total_bytes is not None and (
                self.stored_bytes(record.source, record.updated_at) + record.bytes > total_bytes
            ):
                return "exists" if self.get(record.id) else "no_space"
            is_new, is_within, *_ = self._table.transact([("Put", _put(item, _ABSENT)), *others])
            if not is_new:
                return "added" if self._is_own(item) else "exists"
            if is_within:
                return "added"
            if not self._forget_old_records(record):
                return "full"
        raise UpstreamError("the database of records is busy", detail="DynamoDB: an owner changes", status=503)

    def stored_bytes(self, source: str, now: datetime) -> int:
        """Return the bytes of all originals of a source."""
        values = {":list": storage_list(source)}
        entries = self._table.query(BY_STATUS, "#list = :list", {"#list": "list"}, values)
        items = self._table.get_all([entry["id"] for entry in entries])
        seconds = int(now.timestamp())
        return sum(each["bytes"] for each in items.values() if each.get(TTL_ATTRIBUTE, seconds + 1) > seconds)

    def expired(self, source: str, now: datetime, limit: int) -> Sequence[ImageRecord]:  # noqa: ARG002 - the table's time to live deletes them
        """Return nothing: DynamoDB deletes expired items by itself."""
        return ()

    def remove(self, record_id: str, *, revision: int) -> bool:
        """Delete a record if it has exactly that revision."""
        if self._table.delete(record_id, _has_revision(revision, {})):
            return True
        old = self._table.get(record_id, fields=(*_STORAGE_FIELDS, "revision")) or {}
        if old.get("revision") != revision or "storage" not in old:
            return False
        deletion = {"Key": to_attributes({"id": record_id}), **_has_revision(revision, old)}
        is_deleted, *_ = self._table.transact([("Delete", deletion), *_storage_changes(old, {})])
        return is_deleted

    def page(self, which: RecordFilter, cursor: str, limit: int) -> RecordPage:
        """Return up to `limit` records."""
        check_page(which, limit)
        return read_page(self._table, which, decode_cursor(cursor, which), limit)

    def pending(self, now: datetime, limit: int) -> Sequence[PendingNotice]:
        """Return up to `limit` notices of the outbox that are due, the oldest first."""
        return [_pending_notice(item) for item in read_pending(self._table, now, limit)]

    def find_pending(self, notice_id: str) -> PendingNotice | None:
        """Return a notice of the outbox, None if no notice has this ID or it was sent."""
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

    def purge_expired(self, now: datetime, limit: int, *, keeping: str = "") -> int:  # noqa: ARG002 - the table's time to live does it
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
            if other.owner == record.owner
            and other.status != "deleted"
            and (other.expires_at is None or other.expires_at > record.updated_at)
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


def _has_revision(revision: int, counting: Item) -> dict[str, Any]:
    """Return the condition that a record has a revision, and counts for storage as another item does."""
    names, values = {"#storage": "storage"}, {":revision": revision}
    condition = "revision = :revision AND attribute_not_exists(#storage)"
    if "storage" in counting:
        condition = "revision = :revision AND #storage = :storage AND #bytes = :bytes"
        names["#bytes"] = "bytes"
        values |= {":storage": counting["storage"], ":bytes": counting["bytes"]}
    return {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": to_attributes(values),
    }


def _storage_changes(old: Item, new: Item) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the changes of the storage items where one version of a record takes the place of another."""
    added: dict[str, int] = {}
    for item, factor in ((old, -1), (new, 1)):
        if "storage" in item:
            added[item["storage"]] = added.get(item["storage"], 0) + factor * item["bytes"]
    return [("Update", storage_change(name, number)) for name, number in added.items() if number]


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

"""The table and its items.

| Item | `id` | what else |
| --- | --- | --- |
| record | the record's ID | `body`, `revision`, `token`, and the keys of the indexes |
| notice | `notice#` and the notice's ID | `body`, `attempts`, `sent_to`, and `list` and `at` until it was sent |
| owner | `owner#` and the owner | `ids`: the set of the owner's records; `version` |
| storage | `storage#`, a source and a time | `bytes`: of the records of the source that expire until then |
| counter | `counter#` and its name | `count` |
| value | `value#` and its name | `value`: what is taken once |

A record that counts for storage names its storage item, and the bytes that it adds there. Both are written together.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from handler.records.encoding import counted_bytes, encode_notice, encode_record, time_text
from handler.records.record import ImageRecord, Notice, Status

BY_STATUS, BY_OWNER, BY_KEY = "by-status", "by-owner", "by-key"
_DAY, _HOUR, _NEVER = "%Y%m%d", "%Y%m%d%H", "never"
SHARDS = 4
"""Into how many parts an index divides the records of one status or source.

A part takes 1,000 writes per second: a record writes about twice into the index of its status.
"""
PENDING = "pending"
"""The status of a notice that is still to be sent. Notices share the index by status."""

Item = dict[str, Any]


def _index(name: str, key: str, sort: str) -> dict[str, Any]:
    keys = [{"AttributeName": key, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
    return {"IndexName": name, "KeySchema": keys, "Projection": {"ProjectionType": "KEYS_ONLY"}}


TABLE: Mapping[str, Any] = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": "S"} for name in ("id", "list", "at", "owner", "place", "key")
    ],
    "GlobalSecondaryIndexes": [
        _index(BY_STATUS, "list", "at"),
        _index(BY_OWNER, "owner", "at"),
        _index(BY_KEY, "place", "key"),
    ],
    "BillingMode": "PAY_PER_REQUEST",
}
"""The parameters of CreateTable, without the name. The template declares the same table."""
TTL_ATTRIBUTE = "expires_at"


def record_item(record: ImageRecord, token: str) -> Item:
    """Return the item of a record. BadRequest if it is too large."""
    shard = _shard(record.id)
    item: Item = {
        "id": record.id,
        "revision": record.revision,
        "token": token,
        "body": encode_record(record),
        "list": f"{record.status}#{shard}",
        "at": f"{time_text(record.updated_at)}#{record.id}",
        "place": f"{shard}#{record.source}",
        "key": record.key,
    }
    if record.owner:
        item["owner"] = record.owner
    item |= storage_fields(record)
    if record.expires_at:
        item[TTL_ATTRIBUTE] = int(record.expires_at.timestamp())
    return item


def notice_item(notice: Notice) -> Item:
    """Return the item of a notice that is to be sent."""
    return {
        "id": notice_key(notice.id),
        "body": encode_notice(notice),
        "attempts": 0,
        "sent_to": "",  # the names of receivers, separated by commas
        "list": f"{PENDING}#{_shard(notice.id)}",
        "at": f"{time_text(notice.time)}#{notice.id}",
    }


def storage_fields(record: ImageRecord) -> Item:
    """Return which storage item counts a record, and with how many bytes; nothing if none does.

    An upload that does not arrive expires within the hour, and every other record on a day.
    """
    counted = counted_bytes(record)
    if counted is None:
        return {}
    end = record.expires_at and record.expires_at.astimezone(UTC).strftime(
        _HOUR if record.status == "uploading" else _DAY
    )
    return {"storage": f"{storage_list(record.source)}#{end or _NEVER}", "bytes": counted}


def storage_change(storage: str, added: int) -> dict[str, Any]:
    """Return the change that adds bytes to a storage item."""
    listed, _, end = storage.rpartition("#")
    values: Item = {":bytes": added, ":list": listed, ":at": end}
    names = {"#bytes": "bytes", "#list": "list", "#at": "at"}
    change = "ADD #bytes :bytes SET #list = :list, #at = :at"
    if end != _NEVER:
        names["#ttl"] = TTL_ATTRIBUTE
        values[":ttl"] = int(_end_of(end).timestamp())
        change += ", #ttl = :ttl"
    return {
        "Key": to_attributes({"id": storage}),
        "UpdateExpression": change,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": to_attributes(values),
    }


def storage_list(source: str) -> str:
    """Return the key of the index by status under which the storage items of a source are; it begins their IDs too."""
    return f"storage#{source}"


def _end_of(text: str) -> datetime:
    """Return when the hour or day of a storage item is over."""
    is_day = len(text) == len("20260131")
    start = datetime.strptime(text, _DAY if is_day else _HOUR).replace(tzinfo=UTC)
    return start + (timedelta(days=1) if is_day else timedelta(hours=1))


def notice_key(notice_id: str) -> str:
    """Return the ID of a notice's item."""
    return f"notice#{notice_id}"


def owner_key(owner: str) -> str:
    """Return the ID of an owner's item."""
    return f"owner#{owner}"


def status_lists(status: str | None) -> list[str]:
    """Return the keys of the index by status under which records with a status are, None: all records."""
    return [f"{each}#{shard}" for each in ([status] if status else get_args(Status)) for shard in range(SHARDS)]


def source_places(source: str) -> list[str]:
    """Return the keys of the index by key under which the records of a source are."""
    return [f"{shard}#{source}" for shard in range(SHARDS)]


def _shard(identifier: str) -> int:
    return int(identifier[:4], 16) % SHARDS


def to_attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return values in the form of DynamoDB's API: texts, integers and sets of texts."""
    return {name: _to_attribute(value) for name, value in item.items()}


def _to_attribute(value: str | int | set[str]) -> dict[str, Any]:
    if isinstance(value, str):
        return {"S": value}
    return {"N": str(value)} if isinstance(value, int) else {"SS": sorted(value)}


def from_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> Item:
    """Return the values of an item."""
    return {name: _from_attribute(*attribute.items()) for name, attribute in attributes.items()}


def _from_attribute(typed: tuple[str, Any]) -> str | int | set[str]:
    kind, value = typed
    if kind == "N":
        return int(value)
    return set(value) if kind == "SS" else str(value)

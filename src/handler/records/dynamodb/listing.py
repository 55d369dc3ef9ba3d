"""Pages from indexes: the parts of an index are read side by side and merged.

An index is behind the table. Its entries say where a record was; what a page holds is read from the table itself.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from handler.records.dynamodb.client import DynamoTable
from handler.records.dynamodb.table import (
    BY_KEY,
    BY_OWNER,
    BY_STATUS,
    PENDING,
    Item,
    source_places,
    status_lists,
)
from handler.records.encoding import decode_record, encode_cursor, matches, position_of, time_text
from handler.records.record import ImageRecord
from handler.records.store import RecordFilter, RecordPage

_MAX_READ = 2000
"""How many entries a page may read if its filter drops most of them."""
_CHUNK = 100


def read_page(table: DynamoTable, which: RecordFilter, position: str, limit: int) -> RecordPage:
    """Return the page that begins after a position."""
    entries = _entries(table, which, position, limit)
    records: list[ImageRecord] = []
    for _ in range(0, _MAX_READ, _CHUNK):
        chunk = list(islice(entries, min(_CHUNK, limit + 1)))
        items = table.get_all(entry["id"] for entry in chunk)
        for entry in chunk:
            record = decode_record(items[entry["id"]]["body"]) if entry["id"] in items else None
            # A record that was updated since is at another position.
            if record and position_of(record, which) == _position(entry, which) and matches(record, which):
                if len(records) == limit:
                    return RecordPage(tuple(records), encode_cursor(position, which))
                records.append(record)
            position = _position(entry, which)
        if not chunk:
            return RecordPage(tuple(records), None)
    return RecordPage(tuple(records), encode_cursor(position, which))


def read_pending(table: DynamoTable, now: datetime, limit: int) -> list[Item]:
    """Return the items of notices that are due, the oldest first."""
    end = time_text(now) + "$"  # the character after #, which separates the time from the ID
    names = {"#list": "list", "#at": "at"}
    parts = [
        table.query(BY_STATUS, "#list = :list AND #at < :end", names, {":list": each, ":end": end}, Limit=limit)
        for each in status_lists(PENDING)
    ]
    entries = heapq.merge(*parts, key=lambda entry: str(entry["at"]))
    found: list[Item] = []
    while len(found) < limit:
        chunk = [entry["id"] for entry in islice(entries, min(_CHUNK, limit))]
        if not chunk:
            break
        items = table.get_all(chunk)
        current = (items[each] for each in chunk if each in items)
        found += [item for item in current if "list" in item and item["at"] < end]
    return sorted(found, key=lambda item: str(item["at"]))[:limit]


def _position(entry: Item, which: RecordFilter) -> str:
    return str(entry["key"] if which.prefix else entry["at"])


def _entries(table: DynamoTable, which: RecordFilter, position: str, limit: int) -> Iterator[Item]:
    """Yield the entries of an index after a position, in the order of the page."""
    if which.prefix:
        yield from _entries_by_key(table, which, position, limit)
        return
    bounds = [each for each in (position, which.updated_before and time_text(which.updated_before)) if each]
    index, key = (BY_OWNER, "owner") if which.owner else (BY_STATUS, "list")
    names, values, condition = {"#key": key}, {}, "#key = :key"
    if bounds:
        condition += " AND #at < :before"
        names["#at"] = "at"
        values = {":before": min(bounds)}
    parts = [
        table.query(index, condition, names, {":key": each, **values}, Limit=limit + 1, ScanIndexForward=False)
        for each in ([which.owner] if which.owner else status_lists(which.status))
    ]
    yield from heapq.merge(*parts, key=lambda entry: str(entry["at"]), reverse=True)


def _entries_by_key(table: DynamoTable, which: RecordFilter, position: str, limit: int) -> Iterator[Item]:
    names = {"#place": "place", "#key": "key"}
    # A condition cannot combine a prefix and a bound: what is after the prefix ends the loop below.
    inside = position.startswith(which.prefix)
    if not inside and position.encode() > which.prefix.encode():
        return
    condition = "#place = :place AND " + ("#key > :from" if inside else "begins_with(#key, :from)")
    values = {":from": position if inside else which.prefix}
    parts = [
        table.query(BY_KEY, condition, names, {":place": each, **values}, Limit=limit + 1)
        for each in source_places(which.source)
    ]
    for entry in heapq.merge(*parts, key=lambda entry: str(entry["key"]).encode()):
        if not entry["key"].startswith(which.prefix):
            return
        yield entry

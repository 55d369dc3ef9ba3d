"""Counters within limits, values that are taken once, and the storage that records count."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from typing import Any

import msgspec
import pytest
from tests.handler.records.samples import moment, record

from handler.records.counters import Counters, Database
from handler.records.record import ImageRecord
from handler.records.sql.schema import MIGRATIONS
from handler.records.store import Records

HOUR = 3600


@pytest.fixture
def counters(reopen: Callable[[], Database]) -> Counters:
    return reopen().counters


def count(counters: Counters, name: str = "uploads", *, limit: int = 3, at: int = 0) -> bool:
    return counters.count(name, limit=limit, now=moment(at), until=moment(at + HOUR))


def test_a_counter_stops_at_its_limit_until_it_expires(counters: Counters) -> None:
    assert [count(counters, at=each) for each in (0, 1, 2, 3, HOUR - 1)] == [True, True, True, False, False]
    assert count(counters, limit=4)
    assert not count(counters, limit=0)
    # It expires an hour after it was first counted, not after the last time.
    assert [count(counters, at=HOUR) for _ in range(4)] == [True, True, True, False]


def test_counters_of_other_names_are_apart(reopen: Callable[[], Database]) -> None:
    assert count(reopen().counters, "a", limit=1)
    assert not count(reopen().counters, "a", limit=1)
    assert count(reopen().counters, "b", limit=1)
    assert count(reopen().counters, "A", limit=1)


def test_what_is_taken_from_a_counter_can_be_counted_again(counters: Counters) -> None:
    counters.uncount("uploads", now=moment(0))
    assert count(counters, limit=1)
    counters.uncount("uploads", now=moment(HOUR))
    assert not count(counters, limit=1)
    for _ in range(3):
        counters.uncount("uploads", now=moment(1))
    assert [count(counters, limit=1, at=1) for _ in range(2)] == [True, False]


def test_of_many_callers_at_a_time_as_many_are_counted_as_the_limit_allows(reopen: Callable[[], Database]) -> None:
    databases = [reopen().counters for _ in range(4)]
    databases[0].uncount("uploads", now=moment(0))  # makes the tables
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda n: count(databases[n % 4], limit=5), range(24)))
    assert counted.count(True) == 5


def test_a_value_is_taken_once(reopen: Callable[[], Database]) -> None:
    keeping, taking = reopen().counters, reopen().counters
    assert keeping.keep("code", "visitor", now=moment(0), until=moment(300))
    assert not keeping.keep("code", "other", now=moment(299), until=moment(900))
    assert taking.take("other code", now=moment(1)) is None
    assert taking.take("code", now=moment(1)) == "visitor"
    assert taking.take("code", now=moment(1)) is None
    assert keeping.keep("code", "other", now=moment(1), until=moment(300))


def test_a_value_that_has_expired_is_not_taken_and_its_name_is_free(counters: Counters) -> None:
    assert counters.keep("code", "visitor", now=moment(0), until=moment(300))
    assert counters.take("code", now=moment(300)) is None
    assert counters.keep("code", "other", now=moment(300), until=moment(600))
    assert counters.take("code", now=moment(599)) == "other"


def test_a_value_and_a_counter_may_have_the_same_name(counters: Counters) -> None:
    assert count(counters, "name", limit=1)
    assert counters.keep("name", "value", now=moment(0), until=moment(9))
    assert not count(counters, "name", limit=1)
    assert counters.take("name", now=moment(0)) == "value"


def test_of_many_callers_at_a_time_one_takes_a_value(reopen: Callable[[], Database]) -> None:
    databases = [reopen().counters for _ in range(4)]
    for name in ("first", "second", "third"):
        assert databases[0].keep(name, "visitor", now=moment(0), until=moment(300))
        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(lambda n, name=name: databases[n % 4].take(name, now=moment(1)), range(8)))
        assert sorted(filter(None, taken)) == ["visitor"]


@pytest.mark.parametrize("name", ["", "x" * 201, "é", "a\nb", "a\0b"])
def test_a_name_that_a_database_may_not_store_is_refused(counters: Counters, name: str) -> None:
    with pytest.raises(ValueError, match="a name must have"):
        count(counters, name)
    with pytest.raises(ValueError, match="a name must have"):
        counters.take(name, now=moment(0))


def test_a_sweep_deletes_what_has_expired(reopen: Callable[[], Database], address: str) -> None:
    records = reopen()
    assert count(records.counters, at=0)
    assert records.counters.keep("code", "visitor", now=moment(0), until=moment(300))
    by_itself = address.startswith("dynamodb")
    assert records.purge_expired(moment(299), 10) == 0
    assert records.purge_expired(moment(300), 10) == (0 if by_itself else 1)
    assert not count(records.counters, limit=1, at=300)
    assert records.purge_expired(moment(HOUR), 10) == (0 if by_itself else 1)


# --- the storage that records count


def add(records: Records, key: str, size: int, *, total: int | None = None, **fields: Any) -> str:
    new = record(key, bytes=size, **{"owner": "me", "status": "uploading", "expires_at": moment(HOUR), **fields})
    return records.add_within(new, owner_limit=100, total_bytes=total)


def stored(records: Records, at: float = 0) -> int:
    return records.stored_bytes("pictures", moment(at))


def change(records: Records, key: str, **fields: Any) -> ImageRecord:
    old = records.get(record(key).id)
    assert old
    new = msgspec.structs.replace(old, **fields)
    assert records.write(new, replaces=old.revision)
    return new


def test_a_source_has_space_for_so_many_bytes(records: Records) -> None:
    assert [add(records, "a", 40, total=100), add(records, "b", 60, total=100)] == ["added", "added"]
    assert add(records, "c", 1, total=100) == "no_space"
    assert records.get(record("c").id) is None
    assert add(records, "a", 1, total=100) == "exists"
    assert add(records, "c", 0, total=100) == "added"
    assert add(records, "d", 5, total=105) == "added"
    assert add(records, "else", 100, total=100, source="others") == "added"
    assert (stored(records), records.stored_bytes("others", moment(0))) == (105, 100)


def test_storage_follows_the_records(records: Records) -> None:
    """Through all the writes of an upload, whatever their order, and however often one is tried."""
    assert add(records, "a", 50) == "added"
    assert add(records, "b", 50) == "added"
    arrived = change(records, "a", bytes=30, expires_at=moment(30 * 24 * HOUR))
    assert stored(records) == 80
    assert not records.write(arrived, replaces=1)
    assert stored(records) == 80
    for status in ("processing", "ready", "processing", "failed"):
        change(records, "a", status=status)
        assert stored(records) == 80
    change(records, "a", owner="", expires_at=moment(1))
    change(records, "b", expires_at=None)
    assert stored(records) == 80
    gone = change(records, "a", status="deleted", expires_at=moment(40 * 24 * HOUR))
    assert stored(records) == 50
    assert not records.write(gone, replaces=gone.revision)
    assert stored(records) == 50
    change(records, "a", status="processing", bytes=7)
    assert stored(records) == 57
    revision = records.get(record("b").id)
    assert revision
    assert not records.remove(record("b").id, revision=9)
    assert records.remove(record("b").id, revision=revision.revision)
    assert not records.remove(record("b").id, revision=revision.revision)
    assert stored(records) == 7


def test_what_has_expired_takes_no_space(records: Records) -> None:
    day = 24 * HOUR
    assert add(records, "arriving", 10, expires_at=moment(HOUR)) == "added"
    assert add(records, "kept", 20, status="ready", expires_at=moment(day)) == "added"
    assert stored(records) == 30
    # DynamoDB counts an upload to the end of an hour, and what has arrived to the end of a day in UTC.
    assert stored(records, at=2 * HOUR) == 20
    assert stored(records, at=2 * day) == 0
    assert add(records, "new", 100, total=100, updated_at=moment(2 * day).astimezone(UTC)) == "added"


def test_concurrent_writers_lose_no_bytes(reopen: Callable[[], Database]) -> None:
    databases = [reopen() for _ in range(4)]
    assert stored(databases[0]) == 0  # makes the tables

    def work(n: int) -> None:
        key = f"{n}.jpg"
        assert add(databases[n % 4], key, 10, owner=f"visitor {n}") == "added"
        change(databases[(n + 1) % 4], key, bytes=7, status="ready", expires_at=moment(99 * HOUR))
        if n % 2:
            change(databases[n % 4], key, status="deleted")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(12)))
    assert stored(databases[0]) == 6 * 7


# --- records that have expired


def test_expired_records_of_a_source_are_found_and_kept(records: Records, address: str) -> None:
    """A sweep has to delete the original of each first. DynamoDB deletes the records, and a lifecycle the originals."""
    if address.startswith("dynamodb"):
        assert add(records, "old", 1, expires_at=moment(5)) == "added"
        assert records.expired("pictures", moment(9), 10) == ()
        return
    for n, status in enumerate(("ready", "uploading", "rejected", "deleted")):
        assert records.write(record(f"{n}", status=status, expires_at=moment(5 + n)), replaces=None)
    assert records.write(record("later", expires_at=moment(10)), replaces=None)
    assert records.write(record("else", source="others", expires_at=moment(5)), replaces=None)
    assert [each.key for each in records.expired("pictures", moment(9), 10)] == ["0", "1", "2"]
    assert [each.key for each in records.expired("pictures", moment(9), 2)] == ["0", "1"]
    assert records.purge_expired(moment(9), 10, keeping="pictures") == 2  # the deleted one, and that of the others
    assert [each.key for each in records.expired("pictures", moment(9), 10)] == ["0", "1", "2"]
    assert records.purge_expired(moment(9), 10) == 3


def test_a_database_of_the_version_before_gets_the_new_tables(
    reopen: Callable[[], Database], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if address.startswith("dynamodb"):
        assert stored(reopen()) == 0  # a table has no columns
        return
    with monkeypatch.context() as patch:
        patch.setattr("handler.records.sql.schema.MIGRATIONS", MIGRATIONS[:1])
        old = reopen()
        assert old.get("0" * 32) is None
    new = reopen()
    assert add(new, "a", 5) == "added"
    assert (stored(new), count(new.counters)) == (5, True)

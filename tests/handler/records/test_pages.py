"""Pages of records: filters, order, and cursors while records change."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from tests.handler.records.samples import moment, record

from handler.core.errors import BadRequest
from handler.records.record import ImageRecord
from handler.records.store import RecordFilter, Records


def put(records: Records, *written: ImageRecord) -> None:
    for each in written:
        assert records.write(each, replaces=None)


def keys(records: Records, limit: int = 100, **fields: Any) -> list[str]:
    """Return the keys of all records in all pages."""
    return [each.key for page in pages(records, limit, **fields) for each in page]


def pages(records: Records, limit: int, **fields: Any) -> Iterable[tuple[ImageRecord, ...]]:
    cursor = ""
    for _ in range(1000):
        page = records.page(RecordFilter(**fields), cursor, limit)
        assert len(page.records) <= limit
        yield page.records
        if page.cursor is None:
            return
        assert page.cursor.isascii()
        assert page.cursor.replace("-", "").replace("_", "").isalnum()
        cursor = page.cursor
    raise AssertionError("the pages have no end")


def test_the_latest_update_comes_first(records: Records) -> None:
    assert keys(records) == []
    put(records, *(record(f"{at}.jpg", at) for at in (3, 1, 4, 2)))
    for limit in (1, 2, 3, 4, 5):
        assert keys(records, limit) == ["4.jpg", "3.jpg", "2.jpg", "1.jpg"]
    assert records.write(record("1.jpg", 9), replaces=1)
    assert keys(records) == ["1.jpg", "4.jpg", "3.jpg", "2.jpg"]


def test_records_of_the_same_moment_are_each_in_one_page(records: Records) -> None:
    put(records, *(record(f"{n}.jpg") for n in range(7)))
    for limit in (1, 2, 3, 7):
        assert sorted(keys(records, limit)) == [f"{n}.jpg" for n in range(7)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "abcdef"),
        ({"source": "pictures"}, "abcdf"),
        ({"source": "pic"}, ""),
        ({"status": "failed"}, "bde"),
        ({"owner": "me"}, "ce"),
        ({"owner": "me", "status": "failed"}, "e"),
        ({"owner": "nobody"}, ""),
        ({"source": "other", "status": "failed"}, "e"),
        ({"updated_before": moment(3)}, "abc"),
        ({"status": "failed", "updated_before": moment(3)}, "b"),
        ({"owner": "me", "updated_before": moment(3)}, "c"),
    ],
)
def test_a_filter_restricts_the_records(records: Records, fields: dict[str, Any], expected: str) -> None:
    put(
        records,
        record("a", 0),
        record("b", 1, status="failed"),
        record("c", 2, owner="me"),
        record("d", 3, status="failed"),
        record("e", 4, source="other", status="failed", owner="me"),
        record("f", 5, status="processing"),
    )
    for limit in (1, 10):
        assert keys(records, limit, **fields) == [*reversed(expected)]


PREFIXES = ["a", "a/", "a/b", "A", "a%", "a_", "b/\uffff", "\U0010ffff", "\ud7ff", "ä", "z"]
KEYS = [
    *("a", "a/", "a/b", "a/b/c", "a/ä", "ab", "A/b", "a%b", "a_b", "axb", "b/\uffffx", "b/\U00010000"),
    *("\U0010ffff\U0010ffff", "\ud7ff1", "\ue000", "ä", "äz", "\U0010ffff"),
]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_with_a_prefix_records_are_in_the_order_of_their_keys(records: Records, prefix: str) -> None:
    put(records, *(record(key, at) for at, key in enumerate(KEYS)), record(f"{prefix}x", source="other"))
    expected = sorted((key for key in KEYS if key.startswith(prefix)), key=str.encode)
    for limit in (1, 3, 100):
        assert keys(records, limit, source="pictures", prefix=prefix) == expected


def test_a_prefix_goes_with_the_other_filters(records: Records) -> None:
    put(records, *(record(f"in/{n}", n, status=("ready", "failed")[n % 2], owner="me" * (n // 2)) for n in range(4)))
    put(records, record("out/1", status="failed"))
    inside = {"source": "pictures", "prefix": "in/"}
    assert keys(records, 1, **inside, status="failed") == ["in/1", "in/3"]
    assert keys(records, 1, **inside, owner="me") == ["in/2", "in/3"]
    assert keys(records, 1, **inside, status="failed", updated_before=moment(3)) == ["in/1"]


@pytest.mark.parametrize("which", [RecordFilter(), RecordFilter(source="pictures", prefix="k")])
def test_records_that_do_not_change_are_each_in_one_page(records: Records, which: RecordFilter) -> None:
    """Between two pages, records behind, at and before the cursor are updated, removed and added."""
    put(records, *(record(f"k{n:02}", n) for n in range(30)))
    found, cursor, changed = list[str](), "", set[str]()
    for step in range(30):
        page = records.page(which, cursor, 3)
        found += [each.key for each in page.records]
        if page.cursor is None:
            break
        cursor = page.cursor
        for n in {step * 5 % 30, (step * 5 + 7) % 30}:
            old = records.get(record(f"k{n:02}").id)
            if old:
                changed.add(old.key)
                assert records.write(msgspec.structs.replace(old, updated_at=moment(100 + step)), replaces=old.revision)
        if last := page.records and records.get(page.records[-1].id):
            changed.add(last.key)
            assert records.remove(last.id, revision=last.revision)
        put(records, record(f"k{step:02}-new", 200 + step))
    unchanged = {f"k{n:02}" for n in range(30)} - changed
    assert len(unchanged) > 5
    assert all(found.count(key) == 1 for key in unchanged)


@pytest.mark.parametrize("cursor", ["x", "====", "ä", "a" * 5, base64.urlsafe_b64encode(b"update:x#y").decode(), "\0"])
def test_another_text_is_no_cursor(records: Records, cursor: str) -> None:
    for which in (RecordFilter(), RecordFilter(source="pictures", prefix="a")):
        with pytest.raises(BadRequest, match="cursor"):
            records.page(which, cursor, 1)


def test_a_cursor_goes_with_its_order(records: Records) -> None:
    put(records, *(record(f"{n}") for n in range(3)))
    by_key = RecordFilter(source="pictures", prefix="")
    by_update = records.page(by_key, "", 1).cursor
    assert by_update
    with pytest.raises(BadRequest, match="same filter"):
        records.page(RecordFilter(source="pictures", prefix="1"), by_update, 1)


def test_a_cursor_does_not_lead_out_of_its_prefix(records: Records) -> None:
    put(records, *(record(key) for key in ("a1", "b1", "b2")))
    for position in ("a", "b", "c"):
        cursor = base64.urlsafe_b64encode(f"key:{position}".encode()).decode().rstrip("=")
        found = records.page(RecordFilter(source="pictures", prefix="b"), cursor, 9).records
        assert {each.key for each in found} <= {"b1", "b2"}


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_has_a_bound(records: Records, limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        records.page(RecordFilter(), "", limit)

"""What every database of records does: the Protocol's methods one by one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.handler.records.samples import START, VARIANT, moment, record

from handler.core.errors import BadRequest
from handler.records.record import FINAL, AppliedRecipe, ImageRecord, ProcessingError, notice_of, record_id
from handler.records.store import Records


def put(records: Records, *written: ImageRecord) -> None:
    for each in written:
        assert records.write(each, replaces=None)


def test_an_id_tells_records_apart_and_not_their_keys() -> None:
    ids = {record_id(source, key) for source in ("a", "ab", "") for key in ("a", "b", "ba", "\udc80")}
    assert len(ids) == 12
    assert all(len(each) == 32 and int(each, 16) for each in ids)


def test_each_final_state_of_a_version_has_one_notice_id() -> None:
    versions = [record(sequencer=sequencer, etag=etag, status=status)
        for sequencer in ("1", "2") for etag in ("x", "y") for status in FINAL]  # fmt: skip
    assert len({notice_of(each).id for each in versions}) == len(versions)
    later = msgspec.structs.replace(versions[0], updated_at=moment(5), revision=9, attempts=3)
    assert notice_of(later).id == notice_of(versions[0]).id
    assert notice_of(later).type == "image.ready"


def test_a_record_is_read_back_with_all_its_fields(reopen: Callable[[], Records]) -> None:
    whole = record(
        "höfe/#1 %2F\\ 🐈.jpg",
        owner="visitor",
        name="Höfe",
        sequencer="00A1",
        etag='"e"',
        facts={"width": 10, "exif": {"f": 1.5, "title": "null \0"}, "palette": ["#fff"], "gone": None},
        variants=(VARIANT,),
        applied=(
            AppliedRecipe(id="r1", recipe="cutout", edits={"resize": {"width": 1.5}, "flip": True}, created_at=START),
            AppliedRecipe(id="r2", recipe="", edits={}, created_at=moment(3)),
        ),
        error=ProcessingError(code="TooLarge", message="too large", attempts=2),
        attempts=2,
        expires_at=moment(100),
    )
    put(reopen(), whole)
    found = reopen().get(whole.id)
    assert found == msgspec.structs.replace(whole, revision=1)
    assert (found.created_at, found.variants) == (START, (VARIANT,))
    assert reopen().get("0" * 32) is None


def test_a_write_names_the_revision_that_it_replaces(records: Records) -> None:
    cat = record()
    assert not records.write(cat, replaces=1)
    assert records.get(cat.id) is None
    put(records, cat)
    assert not records.write(record(at=1), replaces=None)
    for revision in (0, 2, 99):
        assert not records.write(record(at=1), replaces=revision)
    assert records.get(cat.id) == msgspec.structs.replace(cat, revision=1)
    assert records.write(record(at=2, status="deleted"), replaces=1)
    assert records.get(cat.id) == record(at=2, status="deleted", revision=2)


def test_a_record_is_removed_in_its_revision_only(records: Records) -> None:
    cat = record()
    assert not records.remove(cat.id, revision=1)
    put(records, cat, record("dog.jpg"))
    assert not records.remove(cat.id, revision=2)
    assert records.get(cat.id)
    assert records.remove(cat.id, revision=1)
    assert records.get(cat.id) is None
    assert records.get(record("dog.jpg").id)


@pytest.mark.parametrize(
    "fields",
    [
        {"key": "a\0b"},
        {"key": "a\udc80"},
        {"key": "ä" * 513},
        {"owner": "\0"},
        {"source": "\0"},
        {"facts": {"text": "x" * 350_000}},
    ],
)
def test_what_no_database_can_store_is_refused(records: Records, fields: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        records.write(record(**fields), replaces=None)
    with pytest.raises(BadRequest):
        records.add_within(record(**fields), owner_limit=9)


def test_the_longest_key_and_a_large_record_are_stored(records: Records) -> None:
    large = record("k" * 1024, owner="o" * 1024, facts={"text": "x" * 340_000})
    put(records, large)
    assert records.get(large.id) == msgspec.structs.replace(large, revision=1)


# --- the outbox


def test_a_notice_is_written_with_its_record_or_not_at_all(records: Records) -> None:
    cat = record()
    put(records, cat)
    assert not records.write(record(at=1), replaces=7, notices=[notice_of(record(at=1))])
    assert list(records.pending(moment(9), 10)) == []
    assert records.write(record(at=1), replaces=1, notices=[notice_of(record(at=1))])
    [pending] = records.pending(moment(9), 10)
    assert pending.notice == notice_of(record(at=1))
    assert (pending.attempts, pending.due_at) == (0, moment(1))


def test_notices_are_due_at_their_time_and_the_oldest_first(records: Records) -> None:
    for at in (3, 1, 2):
        assert records.write(record(f"{at}.jpg", at), replaces=None, notices=[notice_of(record(f"{at}.jpg", at))])
    assert [each.notice.record.key for each in records.pending(moment(9), 10)] == ["1.jpg", "2.jpg", "3.jpg"]
    assert [each.notice.record.key for each in records.pending(moment(9), 2)] == ["1.jpg", "2.jpg"]
    assert [each.notice.record.key for each in records.pending(moment(2), 10)] == ["1.jpg", "2.jpg"]
    records.postpone(notice_of(record("1.jpg")).id, moment(20))
    assert [each.notice.record.key for each in records.pending(moment(9), 10)] == ["2.jpg", "3.jpg"]
    records.postpone(notice_of(record("1.jpg")).id, moment(30))
    postponed = records.pending(moment(30), 10)[-1]
    assert (postponed.attempts, postponed.due_at, postponed.sent_to) == (2, moment(30), ())


def test_a_notice_that_was_sent_is_never_pending_again(records: Records) -> None:
    cat = record()
    notice = notice_of(cat)
    assert records.write(cat, replaces=None, notices=[notice])
    records.settle(notice.id)
    assert list(records.pending(moment(9), 10)) == []
    records.postpone(notice.id, moment(1))
    records.settle(notice.id)
    assert records.write(cat, replaces=1, notices=[notice])
    assert list(records.pending(moment(9), 10)) == []
    assert records.get(cat.id) == msgspec.structs.replace(cat, revision=2)


def test_a_notice_that_is_pending_is_not_written_over(records: Records) -> None:
    cat = record()
    other = record("dog.jpg", at=1)
    assert records.write(cat, replaces=None, notices=[notice_of(cat)])
    records.postpone(notice_of(cat).id, moment(5))
    assert records.write(cat, replaces=1, notices=[notice_of(cat), notice_of(other)])
    found = {each.notice.id: each.attempts for each in records.pending(moment(9), 10)}
    assert found == {notice_of(cat).id: 1, notice_of(other).id: 0}


def test_a_postponed_notice_remembers_who_has_accepted_it(records: Records) -> None:
    cat = record("cat.jpg")
    assert records.write(cat, replaces=None, notices=[notice_of(cat)])
    for names in (("sns",), ("sns", "webhook")):
        records.postpone(notice_of(cat).id, moment(5), sent_to=names)
        (postponed,) = records.pending(moment(5), 10)
        assert postponed.sent_to == names


def test_a_notice_is_found_by_its_id_until_it_was_sent(records: Records) -> None:
    cat = record("cat.jpg")
    notice = notice_of(cat)
    assert records.find_pending(notice.id) is None
    assert records.write(cat, replaces=None, notices=[notice])
    found = records.find_pending(notice.id)
    assert found == records.pending(moment(9), 1)[0]
    records.postpone(notice.id, moment(500), sent_to=("sns",))
    postponed = records.find_pending(notice.id)
    assert postponed
    assert (postponed.notice, postponed.due_at, postponed.sent_to) == (notice, moment(500), ("sns",))
    records.settle(notice.id)
    assert records.find_pending(notice.id) is None


def test_notices_nobody_knows_can_be_postponed_and_settled(records: Records) -> None:
    records.postpone("0" * 32, START)
    records.settle("0" * 32)
    assert list(records.pending(moment(9), 10)) == []


def test_a_notice_outlives_its_record(records: Records) -> None:
    cat = record()
    assert records.write(cat, replaces=None, notices=[notice_of(cat)])
    assert records.remove(cat.id, revision=1)
    assert [each.notice for each in records.pending(moment(9), 10)] == [notice_of(cat)]


# --- records of one owner


def test_an_owner_has_at_most_so_many_records(records: Records) -> None:
    mine = [record(f"{n}.jpg", owner="me", status="uploading") for n in range(4)]
    assert [records.add_within(each, owner_limit=2) for each in mine[:3]] == ["added", "added", "full"]
    assert records.get(mine[2].id) is None
    assert records.add_within(mine[0], owner_limit=9) == "exists"
    assert records.add_within(mine[0], owner_limit=1) == "exists"
    assert records.get(mine[0].id) == msgspec.structs.replace(mine[0], revision=1)
    assert records.add_within(record("else.jpg", owner="you"), owner_limit=1) == "added"
    assert records.add_within(mine[2], owner_limit=3) == "added"


def test_deleted_removed_and_expired_records_do_not_count(records: Records) -> None:
    deleted, removed = record("deleted.jpg", owner="me"), record("removed.jpg", owner="me")
    expiring = record("expiring.jpg", owner="me", expires_at=moment(10))
    fresh = record("new.jpg", owner="me", at=9)
    for each in (deleted, removed, expiring):
        assert records.add_within(each, owner_limit=3) == "added"
    assert records.add_within(fresh, owner_limit=3) == "full"
    assert records.write(msgspec.structs.replace(deleted, status="deleted"), replaces=1)
    assert records.add_within(fresh, owner_limit=3) == "added"
    assert records.remove(removed.id, revision=1)
    assert records.add_within(record("newer.jpg", owner="me", at=9), owner_limit=3) == "added"
    assert records.add_within(record("later.jpg", owner="me", at=9), owner_limit=3) == "full"
    assert records.add_within(record("later.jpg", owner="me", at=11), owner_limit=3) == "added"


# --- what is old


def test_expired_records_are_deleted_where_the_database_does_not(address: str, records: Records) -> None:
    put(records, record("a", expires_at=moment(1)), record("b", expires_at=moment(2)), record("c"))
    put(records, record("d", expires_at=moment(50)))
    assert [records.get(record(key).id) is not None for key in "abcd"] == [True] * 4, "visible until it is deleted"
    if address.startswith("dynamodb"):
        assert records.purge_expired(moment(9), 10) == 0
        return
    assert records.purge_expired(moment(9), 1) == 1
    assert records.purge_expired(moment(9), 10) == 1
    assert records.purge_expired(moment(9), 10) == 0
    assert [key for key in "abcd" if records.get(record(key).id)] == ["c", "d"]


def test_the_ids_of_notices_are_remembered_for_a_year(address: str, records: Records) -> None:
    cat = record()
    assert records.write(cat, replaces=None, notices=[notice_of(cat)])
    records.settle(notice_of(cat).id)
    if address.startswith("dynamodb"):
        return
    now = datetime.now(UTC)
    assert records.purge_expired(now + timedelta(days=364), 10) == 0
    assert records.purge_expired(now + timedelta(days=366), 10) == 1
    assert records.write(cat, replaces=1, notices=[notice_of(cat)])
    assert len(records.pending(moment(9), 10)) == 1

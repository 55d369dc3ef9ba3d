"""Any sequence of calls has the same results as a model of the Protocol, made of plain dictionaries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import text
from tests.handler.records.samples import moment, record
from tests.stand_ins.moto import Moto
from tests.stand_ins.postgres import Postgres

from handler.aws import AwsAccess
from handler.records import open_records
from handler.records.record import ImageRecord, PendingNotice, Status, notice_of
from handler.records.sql.engine import open_engine
from handler.records.store import RecordFilter, Records

KEYS = st.sampled_from(["a", "a/1", "a/2", "b", "ä"])
OWNERS = st.sampled_from(["", "me", "you"])
TIMES = st.integers(0, 9)
STATUSES = st.sampled_from(get_args(Status))
RECORDS = st.builds(
    record,
    key=KEYS,
    at=TIMES,
    status=STATUSES,
    owner=OWNERS,
    source=st.sampled_from(["pictures", "other"]),
    sequencer=st.sampled_from(["1", "2"]),
    expires_at=st.none() | TIMES.map(moment),
    bytes=st.sampled_from([0, 0, 3, 50]),
)
FILTERS = st.builds(
    RecordFilter,
    source=st.just("pictures"),
    prefix=st.sampled_from(["", "", "a", "a/"]),
    status=st.none() | STATUSES,
    owner=OWNERS,
    updated_before=st.none() | TIMES.map(moment),
) | st.builds(RecordFilter, status=st.none() | STATUSES, owner=OWNERS)
LIMITS = st.integers(1, 4)


class Model:
    """What the Protocol says, without a database."""

    def __init__(self) -> None:
        self.records: dict[str, ImageRecord] = {}
        self.outbox: dict[str, PendingNotice | None] = {}
        """None: the notice was sent."""

    def write(self, new: ImageRecord, replaces: int | None, has_notice: bool) -> bool:
        old = self.records.get(new.id)
        if (old.revision if old else None) != replaces:
            return False
        self.records[new.id] = msgspec.structs.replace(new, revision=(replaces or 0) + 1)
        if has_notice:
            notice = notice_of(new)
            self.outbox.setdefault(notice.id, PendingNotice(notice=notice, attempts=0, due_at=notice.time))
        return True

    def add_within(self, new: ImageRecord, owner_limit: int) -> str:
        if new.id in self.records:
            return "exists"
        counted = [
            each
            for each in self.records.values()
            if each.owner == new.owner
            and each.status != "deleted"
            and (each.expires_at is None or each.expires_at > new.updated_at)
        ]
        if len(counted) >= owner_limit:
            return "full"
        self.write(new, None, False)
        return "added"

    def matching(self, which: RecordFilter) -> list[ImageRecord]:
        found = [
            each
            for each in self.records.values()
            if which.source in ("", each.source)
            and each.key.startswith(which.prefix)
            and which.status in (None, each.status)
            and which.owner in ("", each.owner)
            and (which.updated_before is None or each.updated_at < which.updated_before)
        ]
        if which.prefix:
            return sorted(found, key=lambda each: each.key.encode())
        return sorted(found, key=lambda each: (each.updated_at, each.id), reverse=True)

    def pending(self, now: datetime) -> list[PendingNotice]:
        due = [each for each in self.outbox.values() if each and each.due_at <= now]
        return sorted(due, key=lambda each: (each.due_at, each.notice.id))


class Comparison(RuleBasedStateMachine):
    """Calls the database and the model side by side."""

    open_empty: Callable[[], Records]

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.now = dict[str, datetime]()
        """The latest moment at which a record of each owner was added."""
        self.opened = type(self).open_empty()

    def teardown(self) -> None:
        self.opened.close()

    @rule(new=RECORDS, replaces=st.none() | st.integers(0, 3), has_notice=st.booleans())
    def write_any_revision(self, new: ImageRecord, replaces: int | None, has_notice: bool) -> None:
        notices = [notice_of(new)] * has_notice
        written = self.opened.write(new, replaces=replaces, notices=notices)
        assert written == self.model.write(new, replaces, has_notice)

    @rule(new=RECORDS, has_notice=st.booleans())
    def write_the_next_revision(self, new: ImageRecord, has_notice: bool) -> None:
        old = self.model.records.get(new.id)
        self.write_any_revision(new, old.revision if old else None, has_notice)

    @rule(new=RECORDS, owner=st.sampled_from(["me", "you"]), owner_limit=st.integers(0, 3))
    def add_within(self, new: ImageRecord, owner: str, owner_limit: int) -> None:
        # Time does not go back: a database may have forgotten records of this owner that had expired at that moment.
        self.now[owner] = max(new.updated_at, self.now.get(owner, new.updated_at))
        new = msgspec.structs.replace(new, owner=owner, updated_at=self.now[owner])
        assert self.opened.add_within(new, owner_limit=owner_limit) == self.model.add_within(new, owner_limit)

    @rule(source=st.sampled_from(["pictures", "other"]))
    def count_bytes(self, source: str) -> None:
        """Before any record expires: how long after that it counts depends on the database."""
        counted = [
            each for each in self.model.records.values() if (each.source, each.status != "deleted") == (source, True)
        ]
        assert self.opened.stored_bytes(source, moment(-1)) == sum(each.bytes for each in counted)

    @rule(which=RECORDS, off=st.sampled_from([0, 0, 1]))
    def remove(self, which: ImageRecord, off: int) -> None:
        old = self.model.records.get(which.id)
        revision = (old.revision if old else 0) + off
        assert self.opened.remove(which.id, revision=revision) == (old is not None and off == 0)
        if old and not off:
            del self.model.records[which.id]

    @rule(which=RECORDS, until=TIMES, sent_to=st.lists(st.sampled_from(["sns", "webhook"]), unique=True))
    def postpone(self, which: ImageRecord, until: int, sent_to: list[str]) -> None:
        notice_id = notice_of(which).id
        self.opened.postpone(notice_id, moment(until), sent_to=sent_to)
        if old := self.model.outbox.get(notice_id):
            self.model.outbox[notice_id] = msgspec.structs.replace(
                old, attempts=old.attempts + 1, due_at=moment(until), sent_to=tuple(sent_to)
            )

    @rule(which=RECORDS)
    def settle(self, which: ImageRecord) -> None:
        notice_id = notice_of(which).id
        self.opened.settle(notice_id)
        if notice_id in self.model.outbox:
            self.model.outbox[notice_id] = None

    @rule(which=FILTERS, limit=LIMITS)
    def read_pages(self, which: RecordFilter, limit: int) -> None:
        found, cursor = list[ImageRecord](), ""
        for _ in range(100):
            page = self.opened.page(which, cursor, limit)
            assert len(page.records) <= limit
            found += page.records
            if page.cursor is None:
                assert found == self.model.matching(which)
                return
            cursor = page.cursor
        raise AssertionError("the pages have no end")

    @rule(now=TIMES, limit=LIMITS)
    def read_pending(self, now: int, limit: int) -> None:
        assert list(self.opened.pending(moment(now), limit)) == self.model.pending(moment(now))[:limit]

    @invariant()
    def records_are_equal(self) -> None:
        for each in self.model.records.values():
            assert self.opened.get(each.id) == each


def _open_sqlite(request: pytest.FixtureRequest) -> Callable[[], Records]:
    folder: Path = request.getfixturevalue("tmp_path")
    names = count()
    return lambda: open_records(f"sqlite:///{folder}/{next(names)}.db", AwsAccess())


def _open_postgresql(request: pytest.FixtureRequest) -> Callable[[], Records]:
    postgres: Postgres = request.getfixturevalue("postgres")
    address = postgres.create_database()
    engine = open_engine(address)

    def open_empty() -> Records:
        records = open_records(address, AwsAccess())
        records.get("0" * 32)  # makes the tables
        with engine.begin() as connection:
            connection.execute(text("TRUNCATE image_records, image_notices"))
        return records

    request.addfinalizer(engine.dispose)
    return open_empty


def _open_dynamodb(request: pytest.FixtureRequest) -> Callable[[], Records]:
    moto: Moto = request.getfixturevalue("moto")
    return lambda: open_records(f"dynamodb://{moto.table()}", moto.access)


@pytest.mark.parametrize(
    ("opener", "runs"),
    [(_open_sqlite, 40), (_open_postgresql, 25), (_open_dynamodb, 8)],
    ids=["sqlite", "postgresql", "dynamodb"],
)
@pytest.mark.parametrize("factor", [1, pytest.param(5, marks=pytest.mark.slow)])
def test_a_database_does_what_the_model_does(
    request: pytest.FixtureRequest,
    opener: Callable[[pytest.FixtureRequest], Callable[[], Records]],
    runs: int,
    factor: int,
) -> None:
    machine = type("Comparison", (Comparison,), {"open_empty": staticmethod(opener(request))})
    checks = settings(
        max_examples=runs * factor,
        stateful_step_count=30,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    run_state_machine_as_test(machine, settings=checks)

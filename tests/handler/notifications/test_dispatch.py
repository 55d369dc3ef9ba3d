"""The outbox is emptied: each receiver gets each notice, whatever happens to the others."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.handler.notifications.notices import NOW, record

from handler.aws import AwsAccess
from handler.notifications.dispatch import Dispatched, Notifier, dispatch, pause_after
from handler.notifications.payload import Message
from handler.notifications.sender import SendError
from handler.records import open_records
from handler.records.record import notice_of
from handler.records.store import Records
from imaging import Deadline


@dataclass
class Receiver:
    """A sender whose receiver accepts what it is told to accept."""

    name: str
    accepts: bool = True
    received: list[str] = field(default_factory=list)
    calls: int = 0

    def send(self, message: Message, seconds: float) -> None:
        assert seconds > 0
        self.calls += 1
        if not self.accepts:
            raise SendError(f"{self.name} is down")
        self.received.append(message.notice.record.key)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    opened = open_records(f"sqlite:///{tmp_path}/records.db", AwsAccess())
    yield opened
    opened.close()


def announce(records: Records, *keys: str, at: datetime = NOW) -> None:
    for number, key in enumerate(keys):
        ready = record(key, at=at + timedelta(milliseconds=number))
        assert records.write(ready, replaces=None, notices=[notice_of(ready)])


def run(records: Records, *receivers: Receiver, at: datetime = NOW, limit: int = 100) -> Dispatched:
    now = at + timedelta(seconds=1)
    return dispatch(records, records.pending(now, limit), receivers, now, Deadline())


def test_each_receiver_gets_each_notice_once(records: Records) -> None:
    announce(records, "a", "b", "c")
    first, second = Receiver("first"), Receiver("second")
    assert run(records, first, second) == Dispatched(sent=3)
    assert run(records, first, second) == Dispatched()
    assert first.received == second.received == ["a", "b", "c"]


def test_a_receiver_that_fails_neither_stops_the_others_nor_repeats_to_them(records: Records) -> None:
    announce(records, "a", "b")
    works, fails = Receiver("works"), Receiver("fails", accepts=False)
    assert run(records, fails, works) == Dispatched(postponed=2)
    assert works.received == ["a", "b"]
    fails.accepts = True
    assert run(records, fails, works) == Dispatched()  # not due yet
    assert run(records, fails, works, at=NOW + timedelta(minutes=1)) == Dispatched(sent=2)
    assert works.received == sorted(fails.received) == ["a", "b"]


def test_what_was_accepted_is_remembered_over_several_failures(records: Records) -> None:
    announce(records, "a")
    first, second, third = Receiver("first", accepts=False), Receiver("second"), Receiver("third", accepts=False)
    run(records, first, second, third)
    third.accepts = True
    run(records, first, second, third, at=NOW + timedelta(hours=2))
    first.accepts = True
    assert run(records, first, second, third, at=NOW + timedelta(hours=4)) == Dispatched(sent=1)
    assert first.received == second.received == third.received == ["a"]


def test_a_notice_is_given_up_after_days_and_logged(records: Records, caplog: pytest.LogCaptureFixture) -> None:
    announce(records, "a")
    fails = Receiver("fails", accepts=False)
    for hours in range(0, 71, 2):
        assert run(records, fails, at=NOW + timedelta(hours=hours)) == Dispatched(postponed=1)
    report = run(records, fails, at=NOW + timedelta(hours=73))
    assert (report.given_up, report.postponed) == (1, 0)
    assert run(records, fails, at=NOW + timedelta(hours=99)) == Dispatched()
    (line,) = [line for line in caplog.records if line.message == "a notice was given up"]
    assert (line.levelname, line.__dict__["receivers"]) == ("ERROR", ["fails"])


def test_a_receiver_that_is_down_is_called_a_few_times_in_a_run(records: Records) -> None:
    announce(records, *"abcdefgh")
    works, fails = Receiver("works"), Receiver("fails", accepts=False)
    assert run(records, works, fails) == Dispatched(postponed=8)
    assert (works.calls, fails.calls) == (8, 3)


def test_a_run_stops_at_its_limit_and_at_its_deadline(records: Records) -> None:
    announce(records, "a", "b", "c")
    receiver = Receiver("receiver")
    assert run(records, receiver, limit=2) == Dispatched(sent=2)
    later = NOW + timedelta(seconds=9)
    assert dispatch(records, records.pending(later, 9), [receiver], later, Deadline.after(0.1)) == Dispatched()
    assert receiver.received == ["a", "b"]


def test_without_receivers_the_outbox_does_not_grow(records: Records) -> None:
    announce(records, "a")
    assert run(records) == Dispatched(sent=1)
    assert run(records, Receiver("late")) == Dispatched()


def test_a_process_sends_what_it_has_written_and_a_sweep_what_is_left(records: Records) -> None:
    announce(records, "a", "b", "c")
    receiver = Receiver("receiver")
    notifier = Notifier(records, [receiver])
    notifier.add(notice_of(record("b", at=NOW + timedelta(milliseconds=1))).id)
    assert notifier.send_written(NOW, Deadline()) == Dispatched(sent=1)
    assert notifier.send_written(NOW, Deadline()) == Dispatched()
    # The processes that have written the others send them: a sweep leaves them a minute.
    assert notifier.send_due(NOW + timedelta(seconds=50), 10, Deadline()) == Dispatched()
    assert notifier.send_due(NOW + timedelta(seconds=70), 10, Deadline()) == Dispatched(sent=2)
    assert receiver.received == ["b", "a", "c"]
    assert notifier.totals() == {"sent": 3, "postponed": 0, "given_up": 0}


def test_a_state_that_was_announced_before_is_not_announced_again(records: Records) -> None:
    announce(records, "a")
    receiver = Receiver("receiver")
    notifier = Notifier(records, [receiver])
    for _ in range(3):
        notifier.add(notice_of(record("a")).id)
        notifier.send_written(NOW, Deadline())
    notifier.add("0" * 32)
    notifier.send_written(NOW, Deadline())
    assert receiver.received == ["a"]


def test_processes_at_the_same_time_send_each_notice_once(records: Records) -> None:
    receiver = Receiver("receiver")

    def work(name: str) -> None:
        notifier = Notifier(records, [receiver])
        for number in range(10):
            key = f"{name}{number}"
            ready = record(key)
            assert records.write(ready, replaces=None, notices=[notice_of(ready)])
            notifier.add(notice_of(ready).id)
            notifier.send_written(NOW, Deadline())
            notifier.send_due(NOW, 100, Deadline())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, "abcd"))
    assert sorted(receiver.received) == sorted(f"{name}{number}" for name in "abcd" for number in range(10))


def test_the_pause_grows_to_an_hour() -> None:
    for attempts, seconds in enumerate([5, 20, 80, 320, 1280, 3600, 3600, 3600]):
        pause = pause_after(attempts).total_seconds()
        assert seconds * 0.75 <= pause <= seconds
    assert pause_after(10**6) <= timedelta(hours=1)

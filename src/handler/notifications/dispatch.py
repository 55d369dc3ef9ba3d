"""Sends the notices of the outbox."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from handler.notifications.payload import Message, message_of
from handler.notifications.sender import SECONDS, Sender, SendError
from handler.observability.logs import add_log_fields, logger
from handler.records.record import PendingNotice
from handler.records.store import Records
from imaging import Deadline

_FIRST_PAUSE, _MAX_PAUSE = timedelta(seconds=5), timedelta(hours=1)
_FACTOR = 4
_GRACE = timedelta(minutes=1)
"""Time in which the process that has written a notice sends it."""
_MAX_FAILURES = 3
"""After so many failures in a row a sender is not called again in the same run, so that it does not delay others."""
_MIN_SECONDS = 0.5
"""With less time than this nothing more is sent."""


class Dispatched(msgspec.Struct):
    """What became of the notices of one run."""

    sent: int = 0
    postponed: int = 0
    given_up: int = 0


class Notifier:
    """Sends the notices of a database to the receivers of the settings.

    A process sends the notices that it has written itself, at once (`send_written`). What is left of them, after a
    failure or because the process was killed, a sweep sends later (`send_due`). So processes that work at the same time
    do not send each other's notices.
    """

    def __init__(self, records: Records, senders: Sequence[Sender], retry_days: int = 3) -> None:
        self.senders = tuple(senders)
        self.retry_days = retry_days
        self._totals = dict.fromkeys(Dispatched.__struct_fields__, 0)
        self._records = records
        self._written: deque[str] = deque()

    def add(self, notice_id: str) -> None:
        """Have a notice sent that this process has put into the outbox."""
        self._written.append(notice_id)

    def send_written(self, now: datetime, deadline: Deadline) -> Dispatched:
        """Send the notices of `add`. Raise UpstreamError if the database does not answer."""
        return self._send(self._take_written(), now, deadline)

    def send_due(self, now: datetime, limit: int, deadline: Deadline) -> Dispatched:
        """Send up to `limit` notices that should have been sent a minute ago. Raise UpstreamError as above."""
        if not self.senders:
            return Dispatched()
        return self._send(self._records.pending(now - _GRACE, limit), now, deadline)

    def _take_written(self) -> Iterator[PendingNotice]:
        while self._written:
            try:
                notice_id = self._written.popleft()
            except IndexError:  # another thread has taken it
                return
            # It is not there if the same state was announced before.
            if (pending := self._records.find_pending(notice_id)) is not None:
                yield pending

    def _send(self, notices: Iterable[PendingNotice], now: datetime, deadline: Deadline) -> Dispatched:
        report = dispatch(self._records, notices, self.senders, now, deadline, retry_days=self.retry_days)
        counts = {name: count for name, count in msgspec.structs.asdict(report).items() if count}
        for name, count in counts.items():
            self._totals[name] += count
        add_log_fields(**{f"notices_{name}": count for name, count in counts.items()})
        return report

    def totals(self) -> Mapping[str, int]:
        """Return the numbers of notices since the start of the process: `sent`, `postponed` and `given_up`."""
        return self._totals


def dispatch(
    records: Records,
    notices: Iterable[PendingNotice],
    senders: Sequence[Sender],
    now: datetime,
    deadline: Deadline,
    *,
    retry_days: int = 3,
) -> Dispatched:
    """Send notices of the outbox, each to every receiver that has not accepted it yet.

    A notice that a receiver does not accept is postponed, each time longer, and given up `retry_days` after it was
    written. Raise UpstreamError if the database does not answer: what was sent but not settled is sent again later,
    with the same ID.
    """
    report = Dispatched()
    failures = dict.fromkeys((sender.name for sender in senders), 0)
    for pending in notices:
        if deadline.left() < _MIN_SECONDS:
            break
        refused = _send_to_each(pending, senders, failures, deadline)
        notice = pending.notice
        if not refused:
            report.sent += 1
            records.settle(notice.id)
        elif now - notice.time >= timedelta(days=retry_days):
            report.given_up += 1
            logger().error(
                "a notice was given up",
                extra={"notice": notice.id, "type": notice.type, "record": notice.record.id, "receivers": refused},
            )
            records.settle(notice.id)
        else:
            report.postponed += 1
            accepted = [sender.name for sender in senders if sender.name not in refused]
            records.postpone(notice.id, now + pause_after(pending.attempts), sent_to=accepted)
    return report


def _send_to_each(
    pending: PendingNotice, senders: Sequence[Sender], failures: dict[str, int], deadline: Deadline
) -> list[str]:
    """Send a notice to those that have not accepted it. Return the names of those that still have not."""
    message: Message | None = None
    refused = []
    for sender in senders:
        if sender.name in pending.sent_to:
            continue
        seconds = min(SECONDS, deadline.left())
        if seconds < _MIN_SECONDS or failures[sender.name] >= _MAX_FAILURES:
            refused.append(sender.name)
            continue
        message = message or message_of(pending.notice)
        try:
            sender.send(message, seconds)
            failures[sender.name] = 0
        except SendError as error:
            failures[sender.name] += 1
            refused.append(sender.name)
            logger().warning(
                "a notice was not accepted",
                extra={"notice": pending.notice.id, "receiver": sender.name, "detail": str(error)},
            )
    return refused


def pause_after(attempts: int) -> timedelta:
    """Return the time until the next attempt: 5 s, then four times as long each time, up to an hour.

    A quarter of it is random, so that notices that failed together are not sent again together.
    """
    pause = min(_MAX_PAUSE, _FIRST_PAUSE * float(_FACTOR ** min(attempts, 8)))
    return pause * random.uniform(0.75, 1)  # noqa: S311 - it protects nothing

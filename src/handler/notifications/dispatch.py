"""Sends the notices of the outbox."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from handler.notifications.payload import Message, message_of
from handler.notifications.sender import SECONDS, Sender, SendError
from handler.observability import add_log_fields, logger
from handler.records.record import PendingNotice
from handler.records.store import Records
from imaging import Deadline

_FIRST_PAUSE, _MAX_PAUSE = timedelta(seconds=5), timedelta(hours=1)
_FACTOR = 4
_MAX_FAILURES = 3
"""After so many failures in a row a sender is not called again in the same run, so that it does not delay others."""
_MIN_SECONDS = 0.5
"""With less time than this nothing more is sent."""


class Dispatched(msgspec.Struct):
    """What became of the notices of one run."""

    sent: int = 0
    postponed: int = 0
    given_up: int = 0


class Notifier(msgspec.Struct, frozen=True):
    """Sends the notices of a database to the receivers of the settings."""

    records: Records
    senders: Sequence[Sender]
    retry_days: int = 3

    def send_due(self, now: datetime, limit: int, deadline: Deadline) -> Dispatched:
        """Send up to `limit` notices that are due, as `dispatch` does, and log how many were sent.

        Call it after a record was written, and from time to time for those that were not accepted.
        """
        report = dispatch(self.records, self.senders, now, limit, deadline, retry_days=self.retry_days)
        counts = {f"notices_{name}": count for name, count in msgspec.structs.asdict(report).items() if count}
        if counts:
            add_log_fields(**counts)
        return report


def dispatch(
    records: Records,
    senders: Sequence[Sender],
    now: datetime,
    limit: int,
    deadline: Deadline,
    *,
    retry_days: int = 3,
) -> Dispatched:
    """Send up to `limit` notices that are due, each to every receiver that has not accepted it yet.

    A notice that a receiver does not accept is postponed, each time longer, and given up `retry_days` after it was
    written. Raise UpstreamError if the database does not answer: what was sent but not settled is sent again later,
    with the same ID.
    """
    report = Dispatched()
    failures = dict.fromkeys((sender.name for sender in senders), 0)
    for pending in records.pending(now, limit):
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

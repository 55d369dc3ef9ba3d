"""Moves the messages of a dead-letter queue back to the queue that they came from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import msgspec

from handler.aws.sqs import MAX_BATCH, Queue
from handler.core.errors import BadRequest

_VISIBILITY = 60
_POLL_SECONDS = 2.0
_EMPTY_ANSWERS = 3
"""After so many answers without a message a queue counts as empty: SQS may leave out some of its servers in one."""


class Redriven(msgspec.Struct, frozen=True):
    """The progress of a redrive."""

    moved: int
    total: int
    """About how many messages there were."""


def move_by_task(
    dead_letters: Queue, per_second: int | None, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Redriven]:
    """Let SQS move all messages, and yield the progress until it ends. Raise SdkError or BadRequest."""
    dead_letters.start_move(per_second)
    while True:
        task = dead_letters.move_task()
        if task is not None:
            yield Redriven(task.moved, task.to_move)
            if task.status == "COMPLETED":
                return
            if task.status != "RUNNING":
                raise BadRequest(f"SQS has ended the move as {task.status}", detail=task.failure)
        sleep(_POLL_SECONDS)


def move_by_hand(
    dead_letters: Queue,
    target: Queue,
    *,
    limit: int | None,
    per_second: int | None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Redriven]:
    """Receive, send and delete each message, and yield the progress. Raise SdkError.

    No more messages are moved than there were at the start, so that those that fail once more are not moved again. A
    message is deleted after it was sent: an interruption can duplicate one, and never lose one.
    """
    total = dead_letters.count()[0]
    total = min(total, limit) if limit else total
    moved = empty = 0
    while moved < total and empty < _EMPTY_ANSWERS:
        messages = dead_letters.receive(min(MAX_BATCH, total - moved), _VISIBILITY)
        empty = 0 if messages else empty + 1
        for message in messages:
            target.send(message)
            dead_letters.delete(message)
            moved += 1
            if per_second:
                sleep(1 / per_second)
        if messages:
            yield Redriven(moved, total)
    if not moved:
        yield Redriven(0, total)

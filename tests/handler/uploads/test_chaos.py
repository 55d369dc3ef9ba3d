"""Many events with duplicates, reordering, overwrites and deletions, on workers that fail and are killed at random."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.handler.uploads.studio import Studio, shade_of

from handler.errors import HandlerError, UpstreamError
from handler.records.record import record_id
from handler.uploads.recovery import Sweep
from imaging import Deadline, ObjectRef

pytestmark = pytest.mark.slow

MAX_ATTEMPTS = 12
EVENTS, KEYS, FAULTS = 150, 8, 0.03


class Killed(BaseException):
    """Ends an attempt at once: no handler of exceptions runs."""


@dataclass
class Message:
    ref: ObjectRef
    sequencer: str
    kind: str
    attempt: int = 0


@dataclass
class Queue:
    """Delivers messages in any order, some of them twice, and failed ones again."""

    random: random.Random
    messages: list[Message] = field(default_factory=list)
    dead: list[Message] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_complete: bool = False
    """Whether no more changes come."""

    def take(self) -> Message | None:
        with self.lock:
            if not self.messages:
                return None
            message = self.messages.pop(self.random.randrange(len(self.messages)))
            message.attempt += 1
            return message

    def give_back(self, message: Message) -> None:
        with self.lock:
            (self.dead if message.attempt >= MAX_ATTEMPTS else self.messages).append(message)


class Faulty:
    """Fails at random before or after a call has its effect; a kill ends the whole attempt."""

    def __init__(self, target: Any, names: tuple[str, ...], rate: float, chance: random.Random) -> None:
        self._target = target
        self._names = names
        self._rate = rate
        self._chance = chance

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)
        return self._guard(method) if name in self._names else method

    def _guard(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            before, after = (self._chance.random() < self._rate / 2 for _ in range(2))
            error: BaseException = Killed() if self._chance.random() < 0.5 else UpstreamError("at random")
            if before:
                raise error
            result = method(*args, **kwargs)
            if after:
                raise error
            return result

        return call


def change_all(studio: Studio, keys: list[ObjectRef], queue: Queue) -> Counter[ObjectRef]:
    """Change originals, and put a message for each change into the queue, every fourth one twice."""
    versions: Counter[ObjectRef] = Counter()
    chance = random.Random(queue.random.random())
    for _ in range(EVENTS):
        ref = chance.choice(keys)
        with queue.lock:
            versions[ref] += 1
            draw = chance.random()
            kind = "created"
            if draw < 0.25:
                studio.originals.bodies.pop(ref, None)
                kind = "deleted"
            elif draw < 0.3:
                studio.originals.bodies[ref] = b"this is no image"
            else:
                studio.put(chance.choice([40, 90, 140]), ref)
            for _ in range(2 if chance.random() < 0.25 else 1):
                queue.messages.append(Message(ref, f"{versions[ref]:X}", kind))
        time.sleep(0.001 * chance.random())
    queue.is_complete = True
    return versions


def work(studio: Studio, queue: Queue, chance: random.Random) -> None:
    """Process messages until there will be no more, as a process that is started again after each kill."""
    while True:
        is_last = queue.is_complete
        message = queue.take()
        if message is None:
            if is_last:
                return
            time.sleep(0.001)
            continue
        output: Any = Faulty(studio.output, ("head", "put", "delete"), FAULTS, chance)
        records = Faulty(studio.records, ("get", "write"), FAULTS, chance)
        faulty = Studio(records, studio.originals, output, max_attempts=MAX_ATTEMPTS)
        try:
            faulty.process(message.sequencer, message.kind, message.ref, attempt=message.attempt)
        except (Killed, HandlerError):
            queue.give_back(message)


@pytest.mark.parametrize("seed", range(3))
def test_at_the_end_every_original_has_its_newest_version(seed: int, studio: Studio) -> None:
    queue = Queue(random.Random(seed))
    studio.max_attempts = MAX_ATTEMPTS
    keys = [ObjectRef("photos", f"{number}.png") for number in range(KEYS)]
    with ThreadPoolExecutor(5) as pool:
        changes = pool.submit(change_all, studio, keys, queue)
        for running in [pool.submit(work, studio, queue, random.Random(seed * 10 + n)) for n in range(4)]:
            running.result()
    studio.now += timedelta(hours=1)
    # A process that was killed while it processed the newest variant that it had found has no message any more.
    Sweep(studio.pipeline, timedelta(minutes=30)).run(Deadline.after(60))
    assert queue.dead == []
    check_all(studio, keys, changes.result())


def check_all(studio: Studio, keys: list[ObjectRef], versions: Counter[ObjectRef]) -> None:
    expected: dict[str, int] = {}
    for ref in keys:
        if not versions[ref]:
            continue
        record = studio.record(ref)
        assert record.sequencer == f"{versions[ref]:X}"
        body = studio.originals.bodies.get(ref)
        if body is None:
            assert record.status == "deleted"
        elif body == b"this is no image":
            assert record.status == "rejected"
        else:
            assert record.status == "ready"
            assert record.etag == studio.originals.head(ref).etag
            expected |= {variant.key: shade_of(body) for variant in record.variants}
            assert len(record.variants) == 2
    assert studio.output.shades() == expected
    pending = studio.records.pending(datetime(2100, 1, 1, tzinfo=UTC), 1000)
    announced = Counter((each.notice.record.id, each.notice.record.sequencer, each.notice.type) for each in pending)
    assert set(announced.values()) == {1}
    for ref in keys:
        if versions[ref]:
            final = studio.record(ref)
            assert announced[record_id(*ref), final.sequencer, f"image.{final.status}"] == 1

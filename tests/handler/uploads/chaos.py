"""Originals that change, a queue that delivers events more than once and in any order, and workers that are killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.handler.uploads.studio import picture

ROOT = Path(__file__).parents[3]
DELETED, JUNK = -1, -2
"""Stand for the shade of an original that was deleted, and of one that is no image."""
MAX_RECEIVES = 5
BATCH = 10


@dataclass
class Message:
    """An event in the queue, and how often it was delivered."""

    event: dict[str, Any]
    receives: int = 0


@dataclass
class Queue:
    """Messages that are visible, being processed, or in the dead-letter queue."""

    chance: random.Random
    visible: list[Message] = field(default_factory=list)
    dead: list[Message] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> list[Message]:
        """Return any messages, which are invisible until `end`."""
        with self.lock:
            self.chance.shuffle(self.visible)
            taken, self.visible = self.visible[:BATCH], self.visible[BATCH:]
        for message in taken:
            message.receives += 1
        return taken

    def end(self, failed: list[Message]) -> None:
        """Make the messages that failed visible again; after the last attempt they are dead."""
        with self.lock:
            self.dead += [message for message in failed if message.receives >= MAX_RECEIVES]
            self.visible += [message for message in failed if message.receives < MAX_RECEIVES]

    def redrive(self) -> None:
        """Deliver the dead messages anew."""
        self.visible += [Message(message.event) for message in self.dead]
        self.dead.clear()


@dataclass
class Originals:
    """A folder of originals, and the newest version of each."""

    folder: Path
    queue: Queue
    chance: random.Random
    keys: int
    newest: dict[str, tuple[int, int]] = field(default_factory=dict)
    """key → sequencer and shade."""
    events: int = 0
    sequencer: int = 0

    def change(self) -> None:
        """Change an original, then send its event two to four times."""
        key = f"{self.chance.randrange(self.keys)}.png"
        shade = self.chance.choices([self.chance.randrange(250), DELETED, JUNK], [7, 2, 1])[0]
        if shade == DELETED:
            (self.folder / key).unlink(missing_ok=True)
        else:
            written = self.folder.parent / "written"
            written.write_bytes(b"no image" if shade == JUNK else picture(shade))
            written.replace(self.folder / key)
        self.sequencer += 1
        self.newest[key] = self.sequencer, shade
        sequencer = f"{self.sequencer:0{self.chance.choice([4, 8])}X}"  # S3's have different lengths, too
        name = "ObjectRemoved:Delete" if shade == DELETED else "ObjectCreated:Put"
        s3 = {"bucket": {"name": "photos"}, "object": {"key": key, "sequencer": sequencer}}
        event = {"Records": [{"eventSource": "aws:s3", "eventName": name, "s3": s3}]}
        copies = self.chance.choice([2, 3, 3, 4])
        self.events += copies
        with self.queue.lock:
            self.queue.visible += [Message(event) for _ in range(copies)]


class Worker:
    """A process that answers one event after the other, and is replaced by another one when it is killed."""

    def __init__(self, environment: dict[str, str], seed: int, log: Path) -> None:
        self.kills = 0
        self.pid = 0
        self._tasks = 0
        self._log = log.open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.handler.uploads.chaos_worker", json.dumps([environment, seed])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "MALLOC_ARENA_MAX": "2"},
        )

    def handle(self, event: dict[str, Any], seconds: float = 60, *, faults: bool) -> dict[str, Any] | None:
        """Return the answer to an event, None if the process was killed before it has answered."""
        self._tasks += 1
        task = {"id": self._tasks, "event": event, "seconds": seconds, "faults": faults}
        assert self._process.stdin
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        while True:
            said = self._read()
            if "killed" in said:
                return None
            # The next process answers a task, too, that the one before it was killed with before it had read it.
            if said.get("id") == self._tasks:
                answer: dict[str, Any] = said["answer"]
                return answer

    def kill(self) -> None:
        """Kill the process at whatever it does."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let the process end by itself."""
        with self._process:
            assert self._process.stdin
            self._process.stdin.close()
        self._log.close()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise AssertionError("the worker has ended:\n" + self._log.read()[-5000:])
        said: dict[str, Any] = json.loads(line)
        if "killed" in said:
            self.kills += 1
            self.pid = 0
        self.pid = said.get("pid", self.pid)
        return said


@contextmanager
def workers(environment: dict[str, str], count: int, folder: Path) -> Iterator[list[Worker]]:
    """Start workers, and end them."""
    running = [Worker(environment, number, folder / f"worker-{number}.log") for number in range(count)]
    try:
        yield running
    finally:
        for each in running:
            each.close()


def deliver(worker: Worker, queue: Queue, chance: random.Random, *, faults: bool) -> bool:
    """Give a worker a batch of messages. Return False if none is visible."""
    taken = queue.take()
    if not taken:
        return False
    records = [
        {
            "messageId": str(number),
            "eventSource": "aws:sqs",
            "attributes": {"ApproximateReceiveCount": str(message.receives)},
            "body": json.dumps(message.event),
        }
        for number, message in enumerate(taken)
    ]
    seconds = chance.uniform(0, 0.1) if faults and chance.random() < 0.03 else 60
    answer = worker.handle({"Records": records}, seconds, faults=faults)
    failed = taken
    if answer is not None:
        assert "batchItemFailures" in answer, answer
        failed = [taken[int(item["itemIdentifier"])] for item in answer["batchItemFailures"]]
    queue.end(failed)
    return True

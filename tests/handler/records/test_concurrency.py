"""Many threads and processes write to the same database at the same time."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from tests.handler.records.samples import moment, record

from handler.aws import AwsAccess
from handler.records.record import record_id
from handler.records.store import Records

ROOT = Path(__file__).parents[3]
PROGRAM = """
import json, sys
import msgspec
from tests.handler.records.samples import moment, record
from handler.aws import AwsAccess, Credentials
from handler.records import open_records
from handler.records.record import notice_of
address, access, count = json.loads(sys.argv[1])
credentials = msgspec.convert(access.pop("credentials"), Credentials | None)
records = open_records(address, AwsAccess(**access, credentials=credentials))
for _ in range(count):
    while True:
        old = records.get(record().id)
        revision = old.revision if old else 0
        new = record(at=revision, sequencer=f"{revision + 1:06}")
        if records.write(new, replaces=revision or None, notices=[notice_of(new)]):
            print(revision + 1, flush=True)
            break
"""
"""Replaces the record `count` times, and each time says which revision it has written."""


def start(address: str, access: AwsAccess, count: int) -> subprocess.Popen[str]:
    # The child gets the default of `trace_header`: a function is not JSON.
    fields = {name: value for name, value in msgspec.structs.asdict(access).items() if name != "trace_header"}
    argument = json.dumps([address, msgspec.to_builtins(fields), count])
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, argument], stdout=subprocess.PIPE, text=True, env=environment
    )


def notices(records: Records) -> list[str]:
    """Return the sequencers of all notices in the outbox."""
    return sorted(each.notice.record.sequencer for each in records.pending(moment(10**6), 1000))


def test_threads_replace_a_record_one_after_the_other(records: Records) -> None:
    """Each adds one to a number as often as the others; none of the additions is lost."""
    threads, additions = 6, 5
    assert records.write(record(facts={"n": 0}), replaces=None)

    def add(_: int) -> None:
        while True:
            old = records.get(record().id)
            assert old
            if records.write(msgspec.structs.replace(old, facts={"n": old.facts["n"] + 1}), replaces=old.revision):
                return

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(add, range(threads * additions)))
    last = records.get(record().id)
    assert last
    assert (last.facts["n"], last.revision) == (threads * additions, threads * additions + 1)


def test_one_of_many_makes_a_new_record(records: Records) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: records.write(record(name=str(n)), replaces=None), range(8)))
    assert made.count(True) == 1
    found = records.get(record().id)
    assert found
    assert found.name == str(made.index(True))


def test_an_owner_does_not_exceed_the_limit_by_adding_at_the_same_time(reopen: Callable[[], Records]) -> None:
    databases = [reopen() for _ in range(4)]
    mine = [record(f"{n}.jpg", owner="me") for n in range(16)]
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda n: databases[n % 4].add_within(mine[n], owner_limit=5), range(16)))
    assert (added.count("added"), added.count("full")) == (5, 11)
    assert [databases[0].get(each.id) is not None for each in mine] == [each == "added" for each in added]


def test_processes_that_start_at_the_same_time_make_the_tables_once(
    address: str, access: AwsAccess, records: Records
) -> None:
    """And each of their writes has a revision of its own, and a notice."""
    count = 5
    running = [start(address, access, count) for _ in range(4)]
    written = [int(line) for each in running for line in _output(each)]
    assert sorted(written) == list(range(1, 4 * count + 1))
    assert notices(records) == [f"{n:06}" for n in range(1, 4 * count + 1)]


def _output(process: subprocess.Popen[str]) -> Sequence[str]:
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return out.splitlines()


@pytest.mark.slow
def test_a_process_that_is_killed_leaves_whole_writes(address: str, access: AwsAccess, records: Records) -> None:
    """A record and its notice are written together, at whatever moment the process ends."""
    chance = random.Random(7)
    told = 0
    for killed in range(1, 7):
        process = start(address, access, 10**6)
        assert process.stdout
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        # Not `communicate`: it loses the lines that `readline` has read beyond the first.
        told += 1 + len(process.stdout.read().split())
        process.wait(60)
        process.stdout.close()
        # What a killed process has sent may still be written meanwhile, so the notices are read first.
        noticed = notices(records)
        after = records.get(record_id("pictures", "cat.jpg"))
        assert after
        # Each of them may have written one more than it told.
        assert 0 <= after.revision - told <= killed
        assert noticed == [f"{n:06}" for n in range(1, len(noticed) + 1)]
        assert after.revision - len(noticed) in (0, 1)
        if after.revision > 800:
            return

"""Thousands of events while everything fails: at the end each original has exactly what its newest version asks for.

Changes of a few originals follow one another while workers process events of earlier ones: duplicates, in any order,
some with next to no time. Calls of the database, the source and the store fail before or after they have an effect,
the receiver of notices refuses some, and workers are killed, between two of their calls and at any other moment.
PostgreSQL is killed as well, and starts again.
"""

from __future__ import annotations

import base64
import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.handler.uploads.chaos import DELETED, JUNK, Originals, Queue, Worker, deliver, workers
from tests.handler.uploads.studio import PRESETS, shade_of
from tests.stand_ins.moto import REGION, Moto
from tests.stand_ins.postgres import Postgres
from tests.stand_ins.scripted_http import ParsedRequest, Reply, ScriptedServer, scripted_server

from handler.aws import AwsAccess
from handler.records import open_records
from handler.records.record import FINAL, ImageRecord, notice_of
from handler.records.store import RecordFilter, Records
from handler.storage.results import open_results

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

WORKERS, BACKLOG = 2, 60
FAR = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def receiver() -> Iterator[ScriptedServer]:
    """A receiver of notices, which refuses one in ten while it `is_failing`."""
    chance = random.Random(1)

    def script(request: ParsedRequest) -> Reply:
        return Reply(500 if chance.random() < 0.1 else 204)

    with scripted_server(script) as running:
        yield running


@pytest.mark.parametrize(("kind", "events"), [("sqlite", 5000), ("postgresql", 2500), ("dynamodb", 1000)], ids=str)
def test_everything_fails_and_the_newest_versions_stand(
    kind: str, events: int, tmp_path: Path, receiver: ScriptedServer, request: pytest.FixtureRequest
) -> None:
    """DynamoDB's stand-in takes ten times as long as a database for each call, so it gets fewer events."""
    environment, aws = _prepare(kind, tmp_path, receiver, request)
    records = open_records(environment["RECORDS"], aws)
    restart = request.getfixturevalue("postgres").restart if kind == "postgresql" else _do_nothing
    chance = random.Random(events)
    queue = Queue(random.Random(1))
    originals = Originals(tmp_path / "photos", queue, random.Random(2), keys=max(8, events // 250))
    with workers(environment, WORKERS, tmp_path) as running:
        _run(running, originals, events, chance, restart)
        kills = sum(each.kills for each in running)
        _sweep(running[0], records)
        dead = _newest_dead(queue)
        for key, (sequencer, _) in originals.newest.items():
            record = _all(records)[key]
            assert int(record.sequencer, 16) <= sequencer
            if record.status == "failed" or int(record.sequencer, 16) < sequencer:
                assert dead[key] == sequencer, f"{key} has failed, and its message is lost"
        queue.redrive()
        while deliver(running[0], queue, chance, faults=False):
            pass
        assert not queue.dead
        _sweep(running[0], records)
    assert kills > events / 200
    _check_objects(originals, records, tmp_path)
    _check_notices(receiver, records)
    records.close()


def _do_nothing() -> None:
    """Stands for the restart of a database that has no server, or that is a stand-in without a disk."""


def _prepare(
    kind: str, folder: Path, receiver: ScriptedServer, request: pytest.FixtureRequest
) -> tuple[dict[str, str], AwsAccess]:
    for name in ("photos", "out"):
        (folder / name).mkdir()
    (folder / "secret").write_text("whsec_" + base64.b64encode(bytes(32)).decode())
    environment = {
        "SOURCE_BUCKETS": f"photos={(folder / 'photos').as_uri()}",
        "OUTPUT_BUCKET": f"out={(folder / 'out').as_uri()}",
        "PRESETS": json.dumps(PRESETS),
        "UPLOAD_PRESETS": ",".join(PRESETS),
        "WEBHOOK_URL": receiver.url.replace("localhost", "127.0.0.1"),
        "WEBHOOK_ALLOW_PRIVATE": "Yes",
        "WEBHOOK_SECRET_FILE": str(folder / "secret"),
        "LOG_LEVEL": "ERROR",
    }
    if kind == "dynamodb":
        moto: Moto = request.getfixturevalue("moto")
        keys = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
        place = {"AWS_REGION": REGION, "AWS_ENDPOINT_URL": moto.url, "RECORDS": f"dynamodb://{moto.table()}"}
        return {**environment, **keys, **place}, moto.access
    if kind == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        return {**environment, "RECORDS": postgres.create_database()}, AwsAccess()
    return {**environment, "RECORDS": f"sqlite:///{folder}/records.db"}, AwsAccess()


def _run(
    running: list[Worker], originals: Originals, events: int, chance: random.Random, restart: Callable[[], None]
) -> None:
    """Change originals and deliver the events, until all were delivered; kill workers and the database meanwhile."""
    is_over = threading.Event()
    restarts = [events // 4, events // 2, events * 3 // 4]
    with ThreadPoolExecutor(len(running)) as pool:
        served = [pool.submit(_serve, *each, originals.queue, is_over) for each in enumerate(running)]
        while originals.events < events and not any(each.done() for each in served):
            if len(originals.queue.visible) < BACKLOG:
                originals.change()
            else:
                time.sleep(0.002)
                if chance.random() < 0.002:
                    chance.choice(running).kill()
            if restarts and originals.events >= restarts[0]:
                restarts.pop(0)
                restart()
        is_over.set()
        for each in served:
            each.result()


def _serve(seed: int, worker: Worker, queue: Queue, is_over: threading.Event) -> None:
    """Give a worker events, and sweeps now and then, until all were delivered."""
    chance = random.Random(seed)
    while True:
        if chance.random() < 0.01:
            worker.handle({"task": "sweep"}, chance.uniform(0, 2), faults=True)
        if not deliver(worker, queue, chance, faults=True):
            if is_over.is_set():
                return
            time.sleep(0.002)


def _sweep(worker: Worker, records: Records) -> None:
    """Sweep without faults until nothing is left behind and every notice is sent."""
    end = time.monotonic() + 120
    while True:
        answer = worker.handle({"task": "sweep"}, faults=False)
        # A notice is due again only some time after it was written or refused: it is made due now.
        pending = records.pending(FAR, 1000)
        for each in pending:
            records.postpone(each.notice.id, each.notice.time - timedelta(hours=1), sent_to=each.sent_to)
        left = records.page(RecordFilter(status="processing"), "", 10).records
        if not pending and not left:
            return
        assert time.monotonic() < end, f"after a sweep ({answer}) there are {len(pending)} notices and {left}"


def _all(records: Records) -> dict[str, ImageRecord]:
    found, cursor = dict[str, ImageRecord](), ""
    while True:
        page = records.page(RecordFilter(), cursor, 100)
        found |= {record.key: record for record in page.records}
        if page.cursor is None:
            return found
        cursor = page.cursor


def _newest_dead(queue: Queue) -> dict[str, int]:
    """Return the newest sequencer of each key in the dead-letter queue."""
    newest: dict[str, int] = defaultdict(int)
    for message in queue.dead:
        found = message.event["Records"][0]["s3"]["object"]
        newest[found["key"]] = max(newest[found["key"]], int(found["sequencer"], 16))
    return newest


def _check_objects(originals: Originals, records: Records, folder: Path) -> None:
    """Check that each original has exactly the record and the variants of its newest version."""
    output = open_results(f"out={(folder / 'out').as_uri()}")
    stored = {info.ref.key: info.metadata["sequencer"] for info in output.list("")}
    expected: dict[str, str] = {}
    found = _all(records)
    assert set(found) == set(originals.newest)
    for key, (sequencer, shade) in originals.newest.items():
        record = found[key]
        status = {DELETED: "deleted", JUNK: "rejected"}.get(shade, "ready")
        assert (record.status, int(record.sequencer, 16)) == (status, sequencer)
        keys = [f"{preset}/photos/{key}" for preset in PRESETS] if status == "ready" else []
        assert sorted(variant.key for variant in record.variants) == sorted(keys)
        for each in keys:
            body = output.read(each)
            assert body is not None
            assert shade_of(body) == shade
            expected[each] = record.sequencer
    assert stored == expected


def _check_notices(receiver: ScriptedServer, records: Records) -> None:
    """Check that each final state of a version was announced under one ID, and each record's own state was."""
    assert list(records.pending(FAR, 10)) == []
    received: dict[str, Any] = {}
    for request in receiver.asked:
        content = json.loads(request.body)
        assert request.headers["webhook-id"] == content["id"]
        earlier = received.setdefault(content["id"], content)
        assert earlier == content, "an ID stands for one notice"
    states = Counter((each["data"]["id"], each["data"]["sequencer"], each["type"]) for each in received.values())
    assert max(states.values()) == 1, "a state of a version was announced twice"
    for record in _all(records).values():
        assert record.status in FINAL
        own = [each["data"] for each in received.values() if each["data"]["id"] == record.id]
        last = max(own, key=lambda data: datetime.fromisoformat(data["updatedAt"]))
        # A deleted original is not announced again when an event of a newer deletion comes.
        if (record.status, last["status"]) != ("deleted", "deleted"):
            assert received[notice_of(record).id]["data"]["status"] == record.status

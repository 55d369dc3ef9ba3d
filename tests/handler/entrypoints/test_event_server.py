"""Events of a store through the real server: what it has accepted, it processes, also after a kill."""

from __future__ import annotations

import json
import signal
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from tests import pictures
from tests.local_server import Server, running
from tests.stand_ins.moto import Moto
from tests.tools import require_tool

pytestmark = pytest.mark.slow

KEYS = [f"cats/{number}.png" for number in range(20)]


@pytest.fixture
def bucket(moto: Moto) -> str:
    return moto.bucket(**dict.fromkeys(KEYS, pictures.png()))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / "output").mkdir()
    return tmp_path / "output"


def _serving(moto: Moto, bucket: str, folder: Path) -> AbstractContextManager[Server]:
    environment = {
        "SOURCE_BUCKETS": bucket,
        "OUTPUT_BUCKET": f"output={(folder / 'output').as_uri()}",
        "RECORDS": f"sqlite:///{folder}/records.db",
        "PRESETS": '{"thumb": "width=20&format=png"}',
        "UPLOAD_PRESETS": "thumb",
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": moto.url,
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    return running(require_tool("image-handler", "make setup"), "serve", "--port", "0", environment=environment)


def _event(bucket: str, name: str, sequencer: str) -> bytes:
    found = [{"bucket": {"name": bucket}, "object": {"key": key, "sequencer": sequencer}} for key in KEYS]
    records = [{"eventSource": "minio:s3", "eventName": f"s3:{name}", "s3": details} for details in found]
    return json.dumps({"EventName": f"s3:{name}", "Key": f"{bucket}/{KEYS[0]}", "Records": records}).encode()


def _wait_for(server: Server, status: str) -> list[dict[str, Any]]:
    until = time.monotonic() + 120
    while True:
        records: list[dict[str, Any]] = json.loads(server.ask("/_api/records").body)["records"]
        if len(records) == len(KEYS) and {record["status"] for record in records} == {status}:
            return records
        assert time.monotonic() < until, records
        time.sleep(0.1)


def test_accepted_events_survive_a_kill(moto: Moto, bucket: str, output: Path, tmp_path: Path) -> None:
    with _serving(moto, bucket, tmp_path) as server:
        answer = server.ask("/_api/events", "POST", _event(bucket, "ObjectCreated:Put", "10"))
        assert (answer.status, len(json.loads(answer.body)["accepted"])) == (200, len(KEYS))
        server.stop(signal.SIGKILL)
    with _serving(moto, bucket, tmp_path) as server:
        records = _wait_for(server, "ready")
        assert {record["key"] for record in records} == set(KEYS)
        assert len(list((output / "thumb").rglob("*.png"))) == len(KEYS)
        for key in KEYS:
            moto.s3.delete_object(Bucket=bucket, Key=key)
        assert server.ask("/_api/events", "POST", _event(bucket, "ObjectRemoved:Delete", "11")).status == 200
        server.stop(signal.SIGKILL)
    with _serving(moto, bucket, tmp_path) as server:
        _wait_for(server, "deleted")
        # An event that comes late brings nothing back.
        assert server.ask("/_api/events", "POST", _event(bucket, "ObjectCreated:Put", "10")).status == 200
        _wait_for(server, "deleted")
    assert list((output / "thumb").rglob("*.png")) == []

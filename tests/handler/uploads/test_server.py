"""Uploads through the real server: it processes them itself, also those that a kill has left behind."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook
from tests import pictures
from tests.local_server import Server, running
from tests.stand_ins.scripted_http import Reply, scripted_server
from tests.tools import require_tool

from handler.aws import AwsAccess
from handler.records import open_records
from handler.records.record import ImageRecord, record_id
from handler.records.store import Records

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("originals", "output"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def records(folder: Path) -> Iterator[Records]:
    records = open_records(f"sqlite:///{folder}/records.db", AwsAccess())
    yield records
    records.close()


def serving(folder: Path, **more: str) -> Any:
    environment = {
        **more,
        "SOURCE_BUCKETS": f"originals={(folder / 'originals').as_uri()}",
        "UPLOAD_SOURCE": "originals",
        "OUTPUT_BUCKET": f"output={(folder / 'output').as_uri()}",
        "RECORDS": f"sqlite:///{folder}/records.db",
        "PRESETS": '{"thumb": "width=20&format=webp"}',
        "UPLOAD_PRESETS": "thumb",
    }
    return running(require_tool("image-handler", "make setup"), "serve", "--port", "0", environment=environment)


def upload(server: Server, key: str, body: bytes, query: str = "") -> None:
    answer = server.ask(f"/_api/uploads/{key}{query}", "PUT", body)
    assert answer.status in (200, 201), answer.body


def wait_for(records: Records, key: str, condition: Callable[[ImageRecord], bool]) -> ImageRecord:
    until = time.monotonic() + 120
    while True:
        record = records.get(record_id("originals", key))
        if record is not None and condition(record):
            return record
        assert time.monotonic() < until, record
        time.sleep(0.05)


def variants(folder: Path) -> list[str]:
    output = folder / "output"
    return sorted(path.relative_to(output).as_posix() for path in output.glob("thumb/**/*") if path.is_file())


def test_an_upload_is_processed(folder: Path, records: Records) -> None:
    with serving(folder) as server:
        upload(server, "cat.jpg", pictures.jpeg())
        upload(server, "text.jpg", b"this is no image")
        ready = wait_for(records, "cat.jpg", lambda record: record.status == "ready")
        rejected = wait_for(records, "text.jpg", lambda record: record.status == "rejected")
        assert [variant.key for variant in ready.variants] == ["thumb/originals/cat.jpg"]
        assert ready.facts["width"] == pictures.WIDTH
        assert {"dominantColor", "thumbHash", "sha256", "perceptualHash", "origin"} <= ready.facts.keys()
        assert rejected.error is not None
        assert rejected.error.code == "UnsupportedMediaType"
        assert variants(folder) == ["thumb/originals/cat.jpg"]
        upload(server, "cat.jpg", pictures.png(), "?overwrite=true")
        newer = wait_for(records, "cat.jpg", lambda record: record.status == "ready" and record.etag != ready.etag)
        assert newer.facts["format"] == "png"


def test_the_webhook_gets_signed_notices(folder: Path) -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    (folder / "secret").write_text(secret)
    with scripted_server(lambda _: Reply(204)) as receiver:
        settings = {
            "WEBHOOK_URL": receiver.url,
            "WEBHOOK_SECRET_FILE": f"{folder}/secret",
            "WEBHOOK_ALLOW_PRIVATE": "Yes",
        }
        with serving(folder, **settings) as server:
            assert server.metric("image_handler_notices") == 0
            upload(server, "cat.jpg", pictures.jpeg())
            upload(server, "text.jpg", b"this is no image")
            until = time.monotonic() + 120
            while server.metric("image_handler_notices") < 2:
                assert time.monotonic() < until
                time.sleep(0.05)
    notices = [Webhook(secret).verify(asked.body, dict(asked.headers)) for asked in receiver.asked]
    assert sorted((notice["type"], notice["data"]["key"]) for notice in notices) == [
        ("image.ready", "cat.jpg"),
        ("image.rejected", "text.jpg"),
    ]


def test_uploads_that_a_kill_has_left_behind(folder: Path, records: Records) -> None:
    keys = [f"{number}.jpg" for number in range(12)]
    with serving(folder) as server:
        for key in keys:
            upload(server, key, pictures.jpeg(pictures.scene(1600, 1200)))
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(30)
    left = [key for key in keys if (record := records.get(record_id("originals", key))) and record.status != "ready"]
    assert left, "the server was killed while originals were waiting"
    with serving(folder):
        for key in keys:
            wait_for(records, key, lambda record: record.status == "ready")
    assert variants(folder) == sorted(f"thumb/originals/{key}" for key in keys)

"""`/_ready`: drawing, a source and the database, each with failures of its own. `/_health` depends on none of them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.client import Client
from tests.local_server import SAMPLES, running, serving
from tests.stand_ins.moto import Moto, moto_server
from tests.stand_ins.scripted_http import ParsedRequest, Reply, scripted_server
from tests.tools import require_tool

from handler.entrypoints import health
from handler.entrypoints.readiness import VALID_SECONDS, Readiness

KEYS = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
XML = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{}</Code><Message>no</Message></Error>'


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    with moto_server() as server:
        yield server


def ready(client: Client) -> tuple[int, object]:
    answer = client.get("/_ready")
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status, answer.json()


def failing(*parts: str) -> tuple[int, object]:
    return 503, {"status": "failing", "failing": list(parts)}


READY = (200, {"status": "ready"})


def test_a_service_with_a_bucket_and_a_table_is_ready(moto: Moto) -> None:
    settings = {"SOURCE_BUCKETS": moto.bucket(), "RECORDS": f"dynamodb://{moto.table()}", "AWS_ENDPOINT_URL": moto.url}
    assert ready(Client({**KEYS, **settings})) == READY
    missing = {**settings, "RECORDS": "dynamodb://no-such-table"}
    assert ready(Client({**KEYS, **missing})) == failing("database")
    missing = {**settings, "SOURCE_BUCKETS": "no-such-bucket"}
    assert ready(Client({**KEYS, **missing})) == failing("source")


def test_a_service_with_a_folder_and_a_file_is_ready(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    settings = {"SOURCE_BUCKETS": f"p=file://{folder}", "RECORDS": f"sqlite:///{tmp_path}/records.sqlite"}
    assert ready(Client(settings)) == READY
    client = Client({**settings, "RECORDS": "postgresql+psycopg://nobody@127.0.0.1:1/images"})
    assert ready(client) == failing("database")
    client = Client(settings)
    folder.rmdir()
    assert ready(client) == failing("source")


def test_only_web_servers_as_sources_leave_drawing_to_check() -> None:
    assert ready(Client({"SOURCE_BUCKETS": "shop=https://shop.example/media"})) == READY


def test_a_process_that_cannot_draw_is_not_ready(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails() -> None:
        raise RuntimeError("the buffer holds other bytes")

    monkeypatch.setattr(health, "check_drawing", fails)
    assert ready(Client({"SOURCE_BUCKETS": f"p=file://{tmp_path}"})) == failing("drawing")


@pytest.mark.parametrize(
    ("status", "code", "is_ready"),
    [
        (404, "NoSuchKey", True),
        (404, "NoSuchBucket", False),
        (403, "AccessDenied", True),  # the answer to a missing key without the permission to list
        (403, "InvalidAccessKeyId", False),
        (403, "SignatureDoesNotMatch", False),
        (403, "ExpiredToken", False),
        (500, "InternalError", False),
    ],
)
def test_what_a_store_says_of_a_missing_key(status: int, code: str, is_ready: bool) -> None:
    reply = Reply(status, XML.format(code).encode(), {"Content-Type": "application/xml"})
    with scripted_server(lambda _: reply) as store:
        client = Client({**KEYS, "SOURCE_BUCKETS": "photos", "AWS_ENDPOINT_URL": store.url})
        assert ready(client) == (READY if is_ready else failing("source"))
        assert "/photos/image-handler-ready" in {asked.path for asked in store.asked}


def test_a_round_of_checks_serves_all_requests_of_two_seconds() -> None:
    now = 0.0
    checked: list[float] = []
    readiness = Readiness({"database": lambda: checked.append(now)}, clock=lambda: now)
    assert [readiness.page().status for _ in range(20)] == [200] * 20
    now = VALID_SECONDS - 0.01
    assert readiness.page().status == 200
    assert checked == [0.0]
    now = VALID_SECONDS
    assert [readiness.page().status for _ in range(20)] == [200] * 20
    assert checked == [0.0, VALID_SECONDS]


def test_a_check_that_never_ends_fails_and_is_not_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handler.entrypoints.readiness.PATIENCE_SECONDS", 0.05)
    now = 0.0
    answers = threading.Event()
    begun: list[float] = []

    def waits() -> None:
        begun.append(now)
        answers.wait(60)

    readiness = Readiness({"drawing": lambda: None, "database": waits}, clock=lambda: now)
    for later in (0.0, 10.0, 100.0):
        now = later
        answer = readiness.page()
        assert (answer.status, json.loads(answer.body)["failing"]) == (503, ["database"])
    assert begun == [0.0]
    answers.set()
    ends = time.monotonic() + 60
    while len(begun) == 1 and time.monotonic() < ends:  # the thread of the first round needs a moment to end
        now += VALID_SECONDS
        readiness.page()
    assert len(begun) == 2
    assert readiness.page().status == 200


def test_a_store_that_hangs_makes_a_server_unready_and_leaves_it_healthy() -> None:
    answers = threading.Event()

    def hangs(_: ParsedRequest) -> Reply:
        answers.wait(60)
        return Reply(404, XML.format("NoSuchKey").encode())

    with scripted_server(hangs) as store:
        settings = {**KEYS, "SOURCE_BUCKETS": "photos", "AWS_ENDPOINT_URL": store.url}
        program = require_tool("image-handler", "make setup")
        with running(program, "serve", "--port", "0", environment=settings) as server:
            asking = [threading.Thread(target=server.ask, args=("/_ready",)) for _ in range(20)]
            for thread in asking:
                thread.start()
            # While all of them wait for the store:
            assert [server.ask("/_health").status for _ in range(5)] == [200] * 5
            for thread in asking:
                thread.join()
            answer = server.ask("/_ready")
            assert (answer.status, json.loads(answer.body)["failing"]) == (503, ["source"])
            assert len(store.asked) == 1
            answers.set()


def test_a_server_is_ready_and_does_not_count_its_probes() -> None:
    with serving(SAMPLES) as server:
        answer = server.ask("/_ready")
        assert (answer.status, json.loads(answer.body)) == (200, {"status": "ready"})
        assert server.metric("image_handler_requests_total") == 0

"""A process that cannot draw says so and is replaced; no file makes one of it."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests import pictures, poison
from tests.client import Client

from handler.composition import wiring
from handler.entrypoints import health
from handler.entrypoints.health import Health

GOOD = (
    "/cat.jpg?width=40",
    "/logo.png?width=30&format=webp",
    "/cat.jpg",
    "/cat.jpg?blur=2&rotate=90",
    "/cat.jpg?info=true",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cat.jpg").write_bytes(pictures.jpeg())
    (tmp_path / "logo.png").write_bytes(pictures.png(pictures.scene_with_alpha()))
    for number, file in enumerate(poison.FILES.values()):
        (tmp_path / f"bad{number}.{file.kind}").write_bytes(file.body)
    return tmp_path


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Drawing fails; the list counts how often the process was to be replaced."""
    replaced: list[str] = []

    def fails() -> None:
        raise RuntimeError("the buffer holds other bytes")

    monkeypatch.setattr(health, "check_drawing", fails)
    monkeypatch.setattr(wiring, "exit_process", lambda: replaced.append("exited"))
    return replaced


def test_no_file_harms_the_next_request(folder: Path) -> None:
    client = Client({"SOURCE_BUCKETS": f"p=file://{folder}"})
    for number, file in enumerate(poison.FILES.values()):
        for query in ("?width=32&format=webp", "?width=32&v=1", "", "?info=true", "?metadata=keep&format=jpeg"):
            assert client.get(f"/bad{number}.{file.kind}{query}").status == 422
        assert client.get(f"/cat.jpg?watermark.key=bad{number}.{file.kind}").status == 400
        for address in GOOD:
            assert client.get(address).status == 200, address
        assert client.get("/_health").status == 200
        client.application.health.check()
        assert client.application.health.works


def test_the_page_draws_now_and_then(monkeypatch: pytest.MonkeyPatch, broken: list[str]) -> None:
    monkeypatch.setattr(health, "_VALID_SECONDS", 0.0)
    state = Health(lambda: broken.append("told"))
    answer = state.page()
    assert (answer.status, json.loads(answer.body)) == (503, {"status": "failing"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert broken == ["told"]
    monkeypatch.setattr(health, "check_drawing", lambda: None)
    assert json.loads(state.page().body) == {"status": "ok"}


def test_the_page_repeats_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    monkeypatch.setattr(health, "check_drawing", lambda: drawn.append(1))
    state = Health()
    assert [state.page().status for _ in range(3)] == [200] * 3
    assert len(drawn) == 1


def test_an_attempt_that_fails_once_replaces_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = iter([OSError("too many open files"), None])

    def once() -> None:
        if (error := next(tries)) is not None:
            raise error

    monkeypatch.setattr(health, "check_drawing", once)
    state = Health(lambda: pytest.fail("replaced"))
    state.check()
    assert state.works


@pytest.mark.parametrize(("function", "ends"), [("pictures", ["exited"]), ("", [])])
def test_on_lambda_an_unexpected_exception_ends_a_process_that_cannot_draw(
    folder: Path, broken: list[str], monkeypatch: pytest.MonkeyPatch, function: str, ends: list[str]
) -> None:
    client = Client({"SOURCE_BUCKETS": f"p=file://{folder}", "AWS_LAMBDA_FUNCTION_NAME": function})

    def stumbles(*_: object, **__: object) -> None:
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    assert client.get("/cat.jpg?width=9").status == 200
    assert broken == []
    monkeypatch.setattr("handler.entrypoints.http.render", stumbles)
    assert client.get("/cat.jpg?width=9").status == 500
    assert broken == ends
    assert client.get("/_health").status == 503


def test_the_process_ends_with_its_log_written() -> None:
    program = "from handler.entrypoints.health import exit_process; print('the last line', end=''); exit_process()"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout) == (1, "the last line")


def test_a_server_that_cannot_draw_ends_to_be_replaced() -> None:
    program = """
from handler.entrypoints import health
from handler.cli import serve

def fails():
    raise RuntimeError("the buffer holds other bytes")

health.check_drawing = fails
serve.serve(["--images", "samples", "--port", "0"])
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = re.search(r"http://([^:]+):(\d+)/", process.stdout.readline())
        assert told is not None
        connection = http.client.HTTPConnection(told[1], int(told[2]), timeout=30)
        connection.request("GET", "/_health")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (503, b'{"status": "failing"}')
        connection.close()
        assert process.wait(timeout=40) == 1

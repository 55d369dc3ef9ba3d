"""`image-handler serve --processes`: processes that share a socket, their signals, and their metrics together."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric
from tests.local_server import SAMPLES, Server, serving

from handler.entrypoints.server.processes import MetricsBoard

PICTURE = "/photos/cat.jpg?width=20"


def children(server: Server) -> list[int]:
    pid = server.process.pid
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    options = ("--processes", "2", "--workers", "1", "--uploads", str(tmp_path), "--gallery")
    with serving(SAMPLES, *options) as started:
        wait_until(lambda: len(children(started)) == 2)
        yield started


def processes_of(server: Server, name: str) -> dict[str, float]:
    text = server.ask("/_metrics").body.decode()
    found = re.findall(rf'^{name}\{{(?:.*,)?process="(\d)".*\}} (\S+)$', text, re.MULTILINE)
    return {number: float(value) for number, value in found}


def test_metrics_are_those_of_all_processes_by_their_number(server: Server) -> None:
    wait_until(lambda: set(processes_of(server, "process_resident_memory_bytes")) == {"0", "1"})
    for _ in range(10):
        assert server.ask(PICTURE).status == 200
    # A process publishes its metrics once a second.
    wait_until(lambda: server.metric('image_handler_requests_total{process="0",status="200"}')
               + server.metric('image_handler_requests_total{process="1",status="200"}') == 10)  # fmt: skip


def test_a_process_that_dies_is_replaced_and_the_other_serves_meanwhile(server: Server) -> None:
    first, second = children(server)
    os.kill(first, signal.SIGKILL)
    assert server.ask(PICTURE).status == 200
    wait_until(lambda: len(children(server)) == 2 and first not in children(server))
    assert second in children(server)
    assert server.ask("/_health").status == 200
    assert any("process 0 has ended with status -9 and is replaced" in line for line in server.log)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_all_processes_after_their_requests(server: Server, number: signal.Signals) -> None:
    members = children(server)
    assert server.ask(PICTURE).status == 200
    assert server.stop(number) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in members)


def test_processes_end_when_their_parent_is_killed(server: Server) -> None:
    members = children(server)
    server.process.kill()
    server.process.wait(timeout=40)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in members))


def test_a_form_that_one_process_signs_is_taken_by_the_other(server: Server) -> None:
    """Without an operator token, the secret of forms belongs to the server, not to one of its processes."""
    picture = (SAMPLES / "photos" / "cat.jpg").read_bytes()
    wanted = json.dumps({"name": "cat.jpg", "bytes": len(picture)}).encode()
    for _ in range(8):
        permit = json.loads(server.ask("/_api/uploads", "POST", wanted, Content_Type="application/json").body)
        parts = [
            ("Content-Disposition: form-data; name=" + f'"{name}"', value) for name, value in permit["fields"].items()
        ]
        parts.append(('Content-Disposition: form-data; name="file"; filename="cat.jpg"', picture))
        body = b"".join(
            f"--b\r\n{head}\r\n\r\n".encode() + (value if isinstance(value, bytes) else value.encode()) + b"\r\n"
            for head, value in parts
        )
        sent = server.ask("/_upload", "POST", body + b"--b--\r\n", Content_Type="multipart/form-data; boundary=b")
        assert sent.status in (200, 201, 204), sent.body


def test_a_fault_of_the_settings_is_reported_once_and_ends_the_server() -> None:
    with pytest.raises(pytest.fail.Exception) as failed, serving(SAMPLES, "--processes", "3", PRESETS="{"):
        pass
    assert str(failed.value).count("PRESETS") == 1


ENDS_WHILE_ANOTHER_STARTS = """
import os, signal, sys, time
from handler.entrypoints.server.processes import fork_members

member = fork_members(2)
if member.is_replacement:
    print("replaced", flush=True)
    member.report_ready()
    os.kill(os.getppid(), signal.SIGTERM)
    time.sleep(60)
member.connections.publish(member.number, 5 + member.number)
if member.number == 0:
    member.report_ready()
    os._exit(3)
end = time.monotonic() + 30
while (fewest := member.connections.smallest()) == 5 and time.monotonic() < end:
    time.sleep(0.02)
print(fewest, flush=True)
member.report_ready()
time.sleep(60)
"""


def test_a_process_that_ends_while_another_one_starts_leaves_the_board() -> None:
    """It is replaced after the other one is ready."""
    command = [sys.executable, "-c", ENDS_WHILE_ANOTHER_STARTS]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert (ran.stdout.split(), ran.returncode) == (["6", "replaced"], 0), ran.stderr


def test_a_reader_of_the_board_never_sees_half_of_what_is_published() -> None:
    board = MetricsBoard(2)
    for value in range(50):
        family = Metric("a", "A value", "gauge")
        family.add_sample("a", {"label": "x" * value}, value)
        board.publish(1, [family])
        [collected] = board.collect()
        [sample] = collected.samples
        assert (sample.value, sample.labels) == (value, {"label": "x" * value, "process": "1"})
    board.clear(1)
    assert board.collect() == []

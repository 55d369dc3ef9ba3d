"""Uploads through the real server: streamed to the store, and never half-written."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import pictures
from tests.forms import BOUNDARY, form_around
from tests.local_server import Server, running
from tests.tools import require_tool

pytestmark = pytest.mark.slow

FORM = f"multipart/form-data; boundary={BOUNDARY}"
MEGABYTE = os.urandom(1_000_000)
SIZE = 100_000_000
MAX_GROWTH = 20_000_000
"""Bytes by which the memory of the server may grow during an upload of 100 MB."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "originals").mkdir()
    return tmp_path / "originals"


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    with _serving(folder) as started:
        yield started


def _serving(folder: Path) -> Any:
    environment = {
        "SOURCE_BUCKETS": f"originals={folder.as_uri()}",
        "UPLOAD_SOURCE": "originals",
        "MALLOC_ARENA_MAX": "2",  # as `make run` and the container image set it
    }
    program = require_tool("image-handler", "make setup")
    return running(program, "serve", "--port", "0", "--stall-timeout", "3", environment=environment)


def _memory(server: Server, name: str) -> int:
    """Return the resident memory of the server in bytes: `VmRSS` now, `VmHWM` the most that it ever was."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def _grant(server: Server, **fields: object) -> dict[str, Any]:
    answer = server.ask("/_api/uploads", "POST", json.dumps(fields).encode())
    assert answer.status == 201, answer.body
    granted: dict[str, Any] = json.loads(answer.body)
    return granted


def _begin_form(server: Server, granted: dict[str, Any], size: int) -> tuple[http.client.HTTPConnection, bytes]:
    """Send everything before the file, and return the connection and what comes after the file."""
    head, tail = form_around(granted["fields"])
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.putrequest("POST", granted["url"])
    connection.putheader("Content-Type", FORM)
    connection.putheader("Content-Length", str(len(head) + size + len(tail)))
    connection.endheaders(head)
    return connection, tail


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _wait_until_begun(folder: Path) -> None:
    until = time.monotonic() + 30
    while not any(path.stat().st_size for path in _files(folder)):
        assert time.monotonic() < until, "the upload has not begun"
        time.sleep(0.02)


def test_100_megabytes_take_little_memory(server: Server, folder: Path) -> None:
    server.ask("/_api/uploads/small.png", "PUT", pictures.png())  # what the first upload imports
    granted = _grant(server, key="large.png", bytes=SIZE)
    idle = _memory(server, "VmRSS")
    before = max(idle, _memory(server, "VmHWM"))
    connection, tail = _begin_form(server, granted, SIZE)
    for _ in range(SIZE // len(MEGABYTE)):
        connection.send(MEGABYTE)
    connection.send(tail)
    assert connection.getresponse().status == 201
    connection.close()
    assert (folder / "large.png").stat().st_size == SIZE
    assert _memory(server, "VmHWM") - idle <= max(MAX_GROWTH, before - idle)
    assert _memory(server, "VmHWM") - idle <= MAX_GROWTH
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    blocks = (MEGABYTE for _ in range(SIZE // len(MEGABYTE)))
    connection.request(
        "PUT", "/_api/uploads/chunked.png", blocks, encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
    )
    assert connection.getresponse().status == 201
    connection.close()
    assert _memory(server, "VmHWM") - idle <= MAX_GROWTH


def test_a_client_that_disconnects_leaves_nothing(server: Server, folder: Path) -> None:
    connection, _ = _begin_form(server, _grant(server, key="a.png"), 50_000_000)
    connection.send(MEGABYTE)
    _wait_until_begun(folder)
    connection.close()
    until = time.monotonic() + 30
    while _files(folder) and time.monotonic() < until:
        time.sleep(0.05)
    assert _files(folder) == []


def test_a_client_that_stalls_is_refused(server: Server, folder: Path) -> None:
    connection, _ = _begin_form(server, _grant(server, key="a.png"), 50_000_000)
    connection.send(MEGABYTE)
    refused = connection.getresponse()
    assert refused.status == 408
    assert json.loads(refused.read())["code"] == "RequestTimeout"
    connection.close()
    assert _files(folder) == []


def test_a_server_that_is_killed_leaves_nothing_after_its_next_start(server: Server, folder: Path) -> None:
    connection, _ = _begin_form(server, _grant(server, key="a.png"), 50_000_000)
    connection.send(MEGABYTE)
    _wait_until_begun(folder)
    server.stop(signal.SIGKILL)
    connection.close()
    assert not (folder / "a.png").exists()
    with _serving(folder) as again:
        assert again.ask("/_api/uploads/b.png", "PUT", pictures.png()).status == 201
    assert _files(folder) == [folder / "b.png"]


def test_a_server_stops_while_an_upload_stalls(server: Server, folder: Path) -> None:
    connection, _ = _begin_form(server, _grant(server, key="a.png"), 50_000_000)
    connection.send(MEGABYTE)
    _wait_until_begun(folder)
    assert server.stop() == 0
    connection.close()
    assert _files(folder) == []


def test_images_are_served_while_all_uploads_are_taken(server: Server, folder: Path) -> None:
    (folder / "cat.png").write_bytes(pictures.png())
    connections = [_begin_form(server, _grant(server, key=f"{number}.png"), 10_000)[0] for number in range(16)]
    assert server.ask("/cat.png?width=10").status == 200
    assert server.ask("/_health").status == 200
    for connection in connections:
        connection.close()


def test_a_refused_upload_is_answered(server: Server, folder: Path) -> None:
    (folder / "a.png").write_bytes(b"first")
    for address in ("/_api/uploads/a.png", "/_api/uploads/../a.png", "/_upload", "/_upload/part?key=a", "/_upload/x"):
        answer = server.ask(address, "PUT", b"x" * 300_000)
        assert 400 <= answer.status < 500, address
        assert answer.headers["connection"] == "close"
    assert server.ask("/_api/uploads/b.png", "PUT", b"x" * 300_000, Origin="https://elsewhere.example").status == 403
    with socket.create_connection(("127.0.0.1", server.port), 10) as raw:
        raw.sendall(b"PUT /_api/uploads/c.png HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 413 ")
    assert _files(folder) == [folder / "a.png"]

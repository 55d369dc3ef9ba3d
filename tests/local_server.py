"""The HTTP server in its own process, for tests."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.tools import require_tool

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "samples"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """A server's process, its port and its log, which is complete after the process has ended."""

    process: subprocess.Popen[str]
    port: int
    log: list[str]

    def ask(self, address: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(
                method, address, body, {name.replace("_", "-"): value for name, value in headers.items()}
            )
            response = connection.getresponse()
            return Answer(
                response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
            )
        finally:
            connection.close()

    def metric(self, name: str) -> float:
        lines = self.ask("/_metrics").body.decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=40)


@contextmanager
def running(*command: str, environment: dict[str, str] | None = None) -> Iterator[Server]:
    """Start a server by a command, wait for the line with its URL, and stop it at the end of the block."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src"), **(environment or {})},
    )  # fmt: skip
    assert process.stdout is not None
    log: list[str] = []
    reader = threading.Thread(target=log.extend, args=(process.stdout,))
    try:
        for line in process.stdout:
            log.append(line)
            if match := re.search(r" at http://127\.0\.0\.1:(\d+)/", line):
                break
        else:
            pytest.fail("".join(log))
        reader.start()
        yield Server(process, int(match[1]), log)
    finally:
        process.terminate()
        process.wait(timeout=40)
        if reader.ident is not None:
            reader.join()
        process.stdout.close()


@contextmanager
def serving(folder: Path, *options: str, **environment: str) -> Iterator[Server]:
    program = require_tool("image-handler", "make setup")
    with running(program, "serve", "--images", str(folder), "--port", "0", *options, environment=environment) as server:
        yield server

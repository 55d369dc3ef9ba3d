"""A stand-in of Lambda's Runtime API: what awslambdaric asks for its next event and hands the answer to.

One stand-in serves one runtime process. `tests` and `bench` start the real runtime client against it.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from typing import Any

_PREFIX = "/2018-06-01/runtime/"
_ARN = "arn:aws:lambda:eu-central-1:123456789012:function:image-handler"


@dataclass(frozen=True)
class Returned:
    """What the function returned for one event, and when."""

    body: bytes
    failed: bool
    at: float
    """`time.monotonic()` after the last byte."""

    def json(self) -> Any:
        return json.loads(self.body)


class RuntimeApi(ThreadingHTTPServer):
    """Sends events one by one and stores what the function returns."""

    daemon_threads = True

    def __init__(self, seconds: float = 30) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seconds = seconds
        self.events: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.returned: queue.Queue[Returned] = queue.Queue()
        self.initialised = threading.Event()
        """Set when a runtime with SnapStart is ready for its snapshot."""
        self.restored = threading.Event()
        """To be set by the test: the runtime goes on as after a restore."""
        self._count = 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore the open connection of a killed runtime; report any other error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def send(self, event: Mapping[str, Any]) -> None:
        """Send an event at the next call of the runtime."""
        self._count += 1
        self.events.put((f"{self._count:08d}-0000-4000-8000-000000000000", json.dumps(event).encode()))

    def receive(self, timeout: float = 60) -> Returned:
        """Wait for what the function returns. Raise TimeoutError after so many seconds."""
        try:
            return self.returned.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError(f"the function must answer within {timeout} s, got nothing") from None

    def invoke(self, event: Mapping[str, Any], timeout: float = 60) -> Returned:
        self.send(event)
        return self.receive(timeout)


class _Handler(BaseHTTPRequestHandler):
    server: RuntimeApi
    protocol_version = "HTTP/1.1"
    # Nagle's algorithm and unbuffered writes would add 88 ms to each call.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        if self.path == f"{_PREFIX}restore/next":
            self._answer_restore()
            return
        request_id, event = self.server.events.get()
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + self.server.seconds) * 1000)))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", _ARN)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(event)))
        self.end_headers()
        self.wfile.write(event)

    def _answer_restore(self) -> None:
        self.server.initialised.set()
        self.server.restored.wait(self.server.seconds)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        body = self._body()
        at = time.monotonic()
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.wfile.flush()
        failed = not self.path.endswith("/response")
        if self.path.startswith(_PREFIX):
            self.server.returned.put(Returned(body, failed, at))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return b"".join(_chunks(self.rfile))

    def log_message(self, *args: object) -> None:
        """Log nothing on standard error."""


def _chunks(stream: BufferedIOBase) -> Iterator[bytes]:
    while size := int(stream.readline().split(b";")[0], 16):
        yield stream.read(size)
        stream.readline()
    while stream.readline().strip():
        pass


@contextmanager
def runtime_api(seconds: float = 30) -> Iterator[RuntimeApi]:
    """A stand-in on loopback; each event has so many seconds until its deadline."""
    with RuntimeApi(seconds) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@contextmanager
def lambda_process(
    api: RuntimeApi, environment: Mapping[str, str], handler: str = "handler.app.lambda_handler", **popen: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """The real runtime client with the handler, ended on leaving. `environment` is all of it but PATH and HOME.

    It starts in LAMBDA_TASK_ROOT, as in Lambda; where that is not given, in src/.
    """
    source = Path(__file__).resolve().parent.parent.parent / "src"
    basic = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    lambdas = {
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "LAMBDA_TASK_ROOT": str(source),
        "AWS_REGION": "eu-central-1",
        "AWS_LAMBDA_FUNCTION_NAME": "image-handler",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    }
    command = [sys.executable, "-m", "awslambdaric", handler]
    env = {**basic, **lambdas, **environment}
    with subprocess.Popen(command, cwd=env["LAMBDA_TASK_ROOT"], env=env, **popen) as process:
        try:
            yield process
        finally:
            process.kill()

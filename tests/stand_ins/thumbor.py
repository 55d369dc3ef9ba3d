"""Thumbor's own server over a folder of images."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

from tests.tools import require_tool

_CONFIGURATION = """
ALLOW_UNSAFE_URL = True
LOADER = "thumbor.loaders.file_loader"
FILE_LOADER_ROOT_PATH = {folder!r}
STORAGE = "thumbor.storages.no_storage"
RESULT_STORAGE = None
RESPECT_ORIENTATION = True
from thumbor.filters import BUILTIN_FILTERS
FILTERS = [*BUILTIN_FILTERS, "thumbor.filters.autojpg"]
"""
_SECONDS = 30


class Answer(NamedTuple):
    """An answer."""

    status: int
    media_type: str
    body: bytes


@contextmanager
def thumbor_server(folder: Path, place: Path) -> Iterator[Callable[[str], Answer]]:
    """Start a server over the folder, and yield a function that requests a path; `place` takes its configuration."""
    program = require_tool("thumbor", "make setup")
    (place / "thumbor.conf").write_text(_CONFIGURATION.format(folder=str(folder)))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, "--port", str(port), "--ip", "127.0.0.1", "--conf", str(place / "thumbor.conf")]
    with (place / "thumbor.log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _wait(process, port)
            connection = HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
            yield lambda path: _request(connection, path)
            connection.close()
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("Thumbor did not start: thumbor.log says why")


def _request(connection: HTTPConnection, path: str) -> Answer:
    connection.request("GET", path)
    answer = connection.getresponse()
    return Answer(answer.status, answer.headers.get("Content-Type", ""), answer.read())

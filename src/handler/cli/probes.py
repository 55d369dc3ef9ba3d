"""A small HTTP server for the probes of Kubernetes, and for Prometheus, in a process that serves nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import click

from handler.response import Answer

_SECONDS = 5.0
_NOT_FOUND = Answer(HTTPStatus.NOT_FOUND, {"Content-Type": "text/plain"}, b"not found\n")


@contextmanager
def probe_server(address: tuple[str, int], pages: Mapping[str, Callable[[], Answer]]) -> Iterator[int]:
    """Answer each page by its path until the block ends; yield the port.

    Raise ClickException if the address is in use.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = _SECONDS

        def do_GET(self) -> None:
            answer = pages[self.path]() if self.path in pages else _NOT_FOUND
            self.send_response(answer.status)
            for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing: probes come every few seconds."""

    try:
        server = ThreadingHTTPServer(address, Handler)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {address[0]}:{address[1]}: {error.strerror or error}") from None
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True, name="probes")
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_SECONDS)

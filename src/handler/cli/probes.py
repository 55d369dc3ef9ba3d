"""A small HTTP server for the probes of Kubernetes, and for Prometheus, in a process that serves nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import click

_SECONDS = 5.0
_PREFIX = "image_handler_worker_"


@contextmanager
def probe_server(
    address: tuple[str, int], is_ready: Callable[[], bool], measures: Callable[[], Mapping[str, float]]
) -> Iterator[int]:
    """Answer `/_health` (200 or 503) and `/_metrics` until the block ends; yield the port.

    Raise ClickException if the address is in use.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = _SECONDS

        def do_GET(self) -> None:
            if self.path == "/_health":
                ready = is_ready()
                status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
                self._answer(status, "application/json", f'{{"status":"{"ok" if ready else "failing"}"}}')
            elif self.path == "/_metrics":
                lines = "".join(f"{_PREFIX}{name} {value}\n" for name, value in measures().items())
                self._answer(HTTPStatus.OK, "text/plain; version=0.0.4", lines)
            else:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", "not found\n")

        def _answer(self, status: HTTPStatus, media_type: str, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

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

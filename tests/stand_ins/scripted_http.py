"""An HTTP or HTTPS server that answers as a test specifies: with any status, slowly, or with half a body."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class ParsedRequest:
    """A received request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """An answer; `sent` cuts the body off after so many bytes, the delays are in seconds."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: int | None = None
    before: float = 0.0
    between: float = 0.0
    """Delay between two bytes of the status line and the headers."""
    has_length: bool = True
    after: float = 0.0
    """Delay at the end of the body, before the connection is closed."""


@dataclass
class ScriptedServer:
    """The server, its script, and the received requests."""

    url: str
    script: Callable[[ParsedRequest], Reply]
    asked: list[ParsedRequest] = field(default_factory=list)
    connections: int = 0

    @property
    def host(self) -> str:
        return self.url.partition("//")[2]


@contextmanager
def scripted_server(
    script: Callable[[ParsedRequest], Reply] = lambda _: Reply(), tls: ssl.SSLContext | None = None
) -> Iterator[ScriptedServer]:
    """Listen on loopback until the block ends."""
    scripted = ScriptedServer("", script)
    server = _Server(("127.0.0.1", 0), _handler(scripted, tls))
    scripted.url = f"{'https' if tls else 'http'}://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield scripted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that disconnects, as tests do."""


def _handler(scripted: ScriptedServer, tls: ssl.SSLContext | None) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            scripted.connections += 1
            if tls is not None:
                self.request = tls.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self) -> None:
            try:
                super().finish()
            finally:
                self.request.close()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = ParsedRequest(
                self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body
            )
            scripted.asked.append(asked)
            reply = scripted.script(asked)
            time.sleep(reply.before)
            for byte in _head(reply) if reply.between else ():
                self.wfile.write(bytes([byte]))
                time.sleep(reply.between)
            if not reply.between:
                self.wfile.write(_head(reply))
            if self.command != "HEAD":
                self.wfile.write(reply.body[: reply.sent])
            time.sleep(reply.after)
            if reply.sent is not None or not reply.has_length:
                self.close_connection = True

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - the standard library's names

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def _head(reply: Reply) -> bytes:
    headers = {"Content-Length": str(len(reply.body))} if reply.has_length else {"Connection": "close"}
    lines = [
        f"HTTP/1.1 {reply.status} As Told",
        *(f"{name}: {value}" for name, value in {**headers, **reply.headers}.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()

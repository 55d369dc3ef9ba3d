"""Several requests on one connection of the HTTP server, and what the server does for a request without a body."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

import pytest
from tests.local_server import SAMPLES, Server, serving

from handler.entrypoints.http_call import HttpRequest
from handler.entrypoints.server import server as server_module
from handler.entrypoints.server.server import PictureServer
from handler.entrypoints.server.workers import Bounds, Remaining
from handler.response import Answer

BODY = b"x" * 100


@pytest.fixture(scope="module")
def samples() -> Iterator[Server]:
    with serving(SAMPLES) as server:
        yield server


def test_pipelined_requests_are_answered_in_their_order(samples: Server) -> None:
    """A HEAD, a 304 and a refused body lie between them: an answer of a wrong length would shift all that follow."""
    etag = samples.ask("/photos/cat.jpg?width=20").headers["etag"]
    requests = [
        ("GET", "/photos/cat.jpg?width=40&format=png", "", b""),
        ("HEAD", "/photos/cat.jpg?width=20", "", b""),
        ("GET", "/_health", "", b""),
        ("POST", "/photos/cat.jpg", f"Content-Length: {len(BODY)}\r\n", BODY),
        ("GET", "/photos/cat.jpg?width=20", f"If-None-Match: {etag}\r\n", b""),
        ("GET", "/none.jpg", "", b""),
        ("GET", "/photos/cat.jpg?width=20", "", b""),
    ]
    with socket.create_connection(("127.0.0.1", samples.port), timeout=60) as connection:
        connection.sendall(
            b"".join(
                f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode() + body
                for method, path, headers, body in requests
            )
        )
        with connection.makefile("rb") as stream:
            answers = [read_answer(stream, method) for method, *_ in requests]
    assert [status for status, _ in answers] == [200, 200, 200, 405, 304, 404, 200]
    assert answers[0][1].startswith(b"\x89PNG")
    assert answers[-1][1].startswith(b"\xff\xd8")


def read_answer(stream: BinaryIO, method: str) -> tuple[int, bytes]:
    """Return the status and the body of the next answer on a connection."""
    version, status, *_ = stream.readline().split()
    assert version == b"HTTP/1.1"
    lines = (line.decode().partition(":") for line in iter(stream.readline, b"\r\n"))
    headers = {name.lower(): value.strip() for name, _, value in lines}
    has_body = method != "HEAD" and status != b"304"
    return int(status), stream.read(int(headers["content-length"])) if has_body else b""


class Client:
    """The two functions that an ASGI server passes, and what the application does with them."""

    def __init__(self, *messages: Mapping[str, Any]) -> None:
        self.received = 0
        self.sent: list[MutableMapping[str, Any]] = []
        self._messages = list(messages)

    async def receive(self) -> MutableMapping[str, Any]:
        self.received += 1
        if not self._messages:
            await asyncio.Event().wait()  # a client that sends nothing more and stays
        return dict(self._messages.pop(0))

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)


def scope(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {
        "type": "http", "http_version": "1.1", "method": "GET", "path": "/a.jpg", "raw_path": b"/a.jpg",
        "root_path": "", "query_string": b"", "headers": [(b"host", b"localhost"), *headers], "scheme": "http",
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
    }  # fmt: skip


def answer(server: PictureServer, scope: dict[str, Any], client: Client) -> None:
    """Let the server answer a request in a thread: a loop may run in this one, such as that of a browser's driver."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(server(scope, client.receive, client.send))).result()


def test_a_quick_answer_to_a_request_without_a_body_reads_nothing_from_the_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_module, "_QUICK_SECONDS", 60)  # quick on a busy machine too
    server = PictureServer(lambda call, _: Answer(200, {}, call.path.encode()), Bounds(workers=1))
    client = Client()
    answer(server, scope(), client)
    assert server.close()
    assert client.received == 0
    assert [message.get("body") for message in client.sent] == [None, b"/a.jpg"]


def test_the_body_of_a_get_request_reaches_the_handler() -> None:
    server = PictureServer(lambda call, _: Answer(200, {}, call.body), Bounds(workers=1))
    client = Client({"type": "http.request", "body": BODY, "more_body": False})
    answer(server, scope((b"content-length", b"100")), client)
    assert server.close()
    assert client.sent[-1]["body"] == BODY


def test_a_client_that_leaves_during_slow_work_gets_no_answer() -> None:
    ended = threading.Event()

    def handle(_: HttpRequest, __: Remaining) -> Answer:
        assert ended.wait(60)
        return Answer(200)

    server = PictureServer(handle, Bounds(workers=1))
    client = Client({"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"})
    answer(server, scope(), client)
    ended.set()
    assert server.close()
    assert (client.received, client.sent) == (2, [])

"""Pipelined requests, and heads that proxies read in two ways, with either parser of HTTP."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.local_server import ROOT, Server, running

# A handler that answers with the path and waits for a hundredth of the number in it, on two workers.
ECHO = """
import re, time
from handler.cli import serve
from handler.cli.server_log import log_to_standard_output
from handler.entrypoints.server.connections import ConnectionLimits
from handler.entrypoints.health import Health
from handler.entrypoints.server.server import PictureServer
from handler.entrypoints.server.workers import Bounds
from handler.response import Answer

def handle(call, context):
    time.sleep(float(re.search(r"wait=(\\d+)", call.query)[1]) / 100 if call.query else 0)
    return Answer(200, {}, f"{call.path};{call.headers.get('x-sent', '')};{len(call.body)}|".encode())

log_to_standard_output()
listener = serve._listen("127.0.0.1", 0)
print("Serving at", serve._address(listener), flush=True)
server = PictureServer(handle, Bounds(workers=2, queue=64, seconds=20))
serve._run(server, listener, Health(), ConnectionLimits())
"""
MAX_HEAD = 65_536


@pytest.fixture(scope="module", params=["httptools", "h11"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path = str(ROOT / "src")
    if request.param == "h11":
        # What a platform sees for which there are no wheels.
        without: Path = tmp_path_factory.mktemp("without")
        for name in ("httptools", "uvloop"):
            (without / f"{name}.py").write_text("raise ImportError\n")
        path = f"{without}:{path}"
    with running(sys.executable, "-c", ECHO, environment={"PYTHONPATH": path}) as started:
        yield started


def exchange(server: Server, *parts: bytes) -> bytes:
    """Send the parts and return all that the server answers until it closes the connection."""
    received = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        # A server that refuses the first bytes closes before the last ones are sent.
        with suppress(ConnectionError):
            for part in parts:
                client.sendall(part)
        with suppress(ConnectionError):
            while part := client.recv(65_536):
                received += part
    return received


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def bodies(answer: bytes) -> list[bytes]:
    return [part.rpartition(b"\r\n")[2] for part in answer.split(b"|")[:-1]]


LAST = get("/last", "Connection: close")


def test_pipelined_requests_are_answered_in_their_order(server: Server) -> None:
    """The first one is the slowest, and the parts that arrive end inside of heads."""
    sent = b"".join(get(f"/{number}?wait={20 if number == 0 else number % 3}") for number in range(20)) + LAST
    answer = exchange(server, sent[:100], sent[100:333], sent[333:])
    assert bodies(answer) == [f"/{number};;0".encode() for number in range(20)] + [b"/last;;0"]


def test_thousands_of_requests_that_arrive_together_are_answered_in_their_order(server: Server) -> None:
    sent = b"".join(get(f"/{number}") for number in range(2_000)) + LAST
    answer = bodies(exchange(server, sent))
    assert answer == [f"/{number};;0".encode() for number in range(2_000)] + [b"/last;;0"]


def test_a_slow_request_of_one_connection_holds_up_no_other(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as slow:
        slow.sendall(get("/slow?wait=300") + get("/after") + LAST)
        assert bodies(exchange(server, get("/a") + LAST)) == [b"/a;;0", b"/last;;0"]
        slow.setblocking(False)
        with pytest.raises(BlockingIOError):
            slow.recv(1)


def test_a_body_ends_where_its_length_says(server: Server) -> None:
    posted = b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nGET /"
    chunked = b"POST /b HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nGET\r\n0\r\n\r\n"
    assert bodies(exchange(server, posted + chunked + LAST)) == [b"/a;;5", b"/b;;3", b"/last;;0"]


def test_trailers_of_a_body_change_no_header(server: Server) -> None:
    head = b"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = exchange(server, head, b"3\r\nabc\r\n0\r\nX-Sent: later\r\n\r\n" + LAST)
    assert bodies(answer) == [b"/a;;3", b"/last;;0"]


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Content-Length: 4\r\nContent-Length: 40",
        "Content-Length: +4",
        "Content-Length: -1",
        "Content-Length: 4, 40",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding : chunked",
        "X-Sent: a\0b",
        "Content-Length: 0x4",
    ],
)
def test_a_head_that_two_programs_may_read_differently_ends_the_connection(server: Server, head: str) -> None:
    """The rest is a request for one of them and a body for the other; nothing of it is answered."""
    sent = f"POST /first HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n0\r\n\r\n".encode()
    answer = exchange(server, sent + get("/smuggled") + LAST)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 "))
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"/smuggled" not in answer


def test_what_is_no_request_is_refused_after_the_requests_before_it(server: Server) -> None:
    answer = exchange(server, get("/a?wait=20") + get("/b") + b"no request at all\r\n\r\n" + LAST)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"200", b"400"]
    assert bodies(answer) == [b"/a;;0", b"/b;;0"]


@pytest.mark.parametrize(
    "part", ["X-Sent: " + "x" * 400_000, "\r\n".join(f"X-{number}: {'x' * 90}" for number in range(2_000))]
)
def test_a_head_without_end_is_refused(server: Server, part: str) -> None:
    answer = exchange(server, get("/a", part))
    assert b"HTTP/1.1 400 " in answer
    assert b"/a;" not in answer


def test_trailers_without_end_are_refused(server: Server) -> None:
    head = b"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sent: "
    answer = exchange(server, head + b"x" * 4 * MAX_HEAD)
    assert b"HTTP/1.1 400 " in answer
    assert b"/a;" not in answer


def test_a_request_for_another_protocol_is_answered_in_http(server: Server) -> None:
    answer = exchange(server, get("/a", "Connection: Upgrade", "Upgrade: h2c") + LAST)
    assert bodies(answer)[0] == b"/a;;0"


def test_a_client_that_leaves_while_a_request_waits_for_the_one_before_it_is_no_fault() -> None:
    with running(sys.executable, "-c", ECHO) as started:
        with socket.create_connection(("127.0.0.1", started.port)) as client:
            client.sendall(get("/a?wait=30") + get("/b"))
        # The first request is still being answered when the server has read this one.
        assert bodies(exchange(started, LAST)) == [b"/last;;0"]
    assert "Exception" not in "".join(started.log)

"""Limits on slow, many and hostile clients of the server, which is a real process, over sockets."""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest
from tests import pictures
from tests.local_server import ROOT, SAMPLES, Server, running, serving
from tests.tools import require_tool

from handler.entrypoints.server.connections import owner_of

pytestmark = pytest.mark.slow

# A handler that takes as long as the query says, on two workers, with two seconds for each request.
SLOW = """
import resource, time
from handler.cli import serve
from handler.cli.server_log import log_to_standard_output
from handler.entrypoints.server.connections import ConnectionLimits
from handler.entrypoints.server.server import PictureServer
from handler.entrypoints.server.workers import Bounds
from handler.entrypoints.health import Health
from handler.response import Answer

def handle(call, context):
    seconds, _, size = call.query.partition(",")
    time.sleep(float(seconds or 0))
    return Answer(200, {}, b"x" * int(size or 2))

log_to_standard_output()
listener = serve._listen("127.0.0.1", 0)
print("Serving at", serve._address(listener), flush=True)
server = PictureServer(handle, Bounds(workers=2, queue=8, seconds=2, stall_seconds=1))
serve._run(server, listener, Health(), ConnectionLimits(LIMITS))
"""
DEADLINE = 2.0
POST = b"POST /_api/transform?width=10&format=png HTTP/1.1\r\nHost: localhost\r\n"


@contextmanager
def slow_server(limits: str = "") -> Iterator[Server]:
    with running(sys.executable, "-c", SLOW.replace("LIMITS", limits)) as server:
        yield server


def connect(server: Server, data: bytes = b"") -> socket.socket:
    client = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    client.sendall(data)
    return client


def answer_of(client: socket.socket) -> bytes:
    """Everything until the server closes."""
    answer = b""
    with contextlib.suppress(ConnectionError):
        while part := client.recv(65_536):
            answer += part
    return answer


def cpu_ticks(server: Server) -> int:
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_a_head_that_does_not_arrive_is_not_waited_for(sent: bytes) -> None:
    with slow_server("head_seconds=0.5") as server, connect(server, sent) as client:
        started = time.monotonic()
        answer = answer_of(client)
        assert 0.4 < time.monotonic() - started < 10
        assert answer.startswith(b"HTTP/1.1 408 ") if sent else not answer


def test_a_head_that_drips_is_not_waited_for() -> None:
    """On a kept connection too, and each byte changes nothing."""
    with slow_server("head_seconds=1") as server:
        with connect(server, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") as client:
            assert client.recv(65_536).startswith(b"HTTP/1.1 200 ")
            client.sendall(b"GET / HTTP/1.1\r\n")
            started = time.monotonic()
            with contextlib.suppress(ConnectionError):
                while time.monotonic() - started < 20:
                    client.sendall(b"X")
                    time.sleep(0.1)
            assert time.monotonic() - started < 15
        assert server.metric('image_handler_connections_closed_total{limit="head"}') == 1


def test_descriptors_do_not_run_out() -> None:
    """400 half requests where 256 descriptors are: health and pictures are answered meanwhile, the log stays short."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    try:
        serving_few = serving(SAMPLES, "--workers", "2", "--connections-per-address", "0", "--header-timeout", "60")
        server = serving_few.__enter__()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    with contextlib.ExitStack() as stack:
        stack.push(serving_few)
        for _ in range(400):
            half = stack.enter_context(connect(server))
            with contextlib.suppress(ConnectionError):
                half.sendall(b"GET /photos/cat.jpg HTTP/1.1\r\nHost: localhost\r\nX: ")
        assert server.ask("/_health").status == 200
        assert server.ask("/photos/cat.jpg?width=20").status == 200
        assert server.metric("process_open_fds") < 250
        assert server.metric("image_handler_connections ") > 100
        ticks = cpu_ticks(server)
        time.sleep(2)
        assert cpu_ticks(server) - ticks < 60, "the server is busy though nothing is asked"
        assert len(server.log) < 20


def test_connections_that_wait_give_way_to_new_ones_of_their_address() -> None:
    with slow_server("per_address=5, head_seconds=60") as server, contextlib.ExitStack() as stack:
        halves = [stack.enter_context(connect(server, b"GET / HT")) for _ in range(5)]
        assert server.ask("/").status == 200
        assert answer_of(halves[0]).startswith(b"HTTP/1.1 408 ")
        halves[4].sendall(b"TP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert answer_of(halves[4]).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("limits", ["per_address=3", "total=3"])
def test_connections_at_work_do_not_give_way(limits: str) -> None:
    with slow_server(limits) as server, contextlib.ExitStack() as stack:
        request = b"GET /?1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        busy = [stack.enter_context(connect(server, request)) for _ in range(3)]
        time.sleep(0.3)
        refused = answer_of(stack.enter_context(connect(server, request)))
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: " in refused
        assert [answer_of(client)[:12] for client in busy] == [b"HTTP/1.1 200"] * 3
        assert server.ask("/").status == 200


def test_a_trusted_proxy_has_no_limit_of_its_own() -> None:
    limits = "per_address=2, trusted_proxies=[__import__('ipaddress').ip_network('127.0.0.0/8')]"
    with slow_server(limits) as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(server, b"GET /?1 HTTP/1.1\r\n")) for _ in range(6)]
        for client in clients:
            client.sendall(b"Host: localhost\r\nConnection: close\r\n\r\n")
        statuses = [answer_of(client)[9:12] for client in clients]
        # Two at a time: the last ones do not get a worker before their deadline.
        assert statuses[:2] == [b"200"] * 2
        assert set(statuses) <= {b"200", b"503", b"504"}
        assert server.metric("image_handler_connections_closed_total") == 0


def test_a_proxy_on_this_machine_has_no_limit_of_its_own() -> None:
    half, rest = b"GET /photos/cat.jpg?width=9 HTTP/1.1\r\n", b"Host: a.example\r\nConnection: close\r\n\r\n"
    for options, expected in (((), [b"408"] * 3 + [b"403"]), (("--behind-proxy",), [b"200"] * 4)):
        with serving(SAMPLES, "--connections-per-address", "1", *options) as server, contextlib.ExitStack() as stack:
            clients = [stack.enter_context(connect(server, half)) for _ in range(4)]
            # Without the option a foreign host is refused, on the one connection that has not given way.
            statuses = [answer_of(client)[9:12] for client in (() if options else clients[:3])]
            for client in clients[len(statuses) :]:
                client.sendall(rest)
                statuses.append(answer_of(client)[9:12])
        assert statuses == expected


def test_more_connections_than_descriptors_are_refused_at_the_start() -> None:
    program = require_tool("image-handler", "make setup")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    run = subprocess.run(
        [program, "serve", "--images", SAMPLES, "--port", "0", "--workers", "1", "--connections", "5000"],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src")},
        capture_output=True, text=True, check=False, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, 1000), limit)),
    )  # fmt: skip
    assert run.returncode == 2
    told = " ".join(run.stderr.split())
    assert "5000 connections and 1 workers need 5080 file descriptors" in told
    assert "may open 1000" in told


def test_connections_count_for_their_network() -> None:
    trusted = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")]
    assert owner_of("203.0.113.7", trusted) == ("203.0.113.7", False)
    assert owner_of("::ffff:10.1.2.3", trusted) == ("10.1.2.3", True)
    assert owner_of("2001:db8:1:2:3::4", trusted) == ("2001:db8:1:2::/64", True)
    assert owner_of("2a00:1:2:3::1", ()) == owner_of("2a00:1:2:3:ffff::1", ()) != owner_of("2a00:1:2:4::1", ())
    assert owner_of("fe80::1%eth0", ()) == ("fe80::/64", False)


def test_an_answer_that_is_not_read_is_given_up() -> None:
    with slow_server("stall_seconds=1") as server:
        request = b"GET /?0,60000000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with connect(server, request), contextlib.closing(socket.socket()):
            deadline = time.monotonic() + 20
            while server.metric('image_handler_connections_closed_total{limit="unread"}') < 1:
                assert time.monotonic() < deadline
                time.sleep(0.2)
        assert server.ask("/").status == 200


def test_an_answer_that_is_read_slowly_arrives() -> None:
    with slow_server("stall_seconds=1") as server:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        with client:
            client.settimeout(30)
            client.connect(("127.0.0.1", server.port))
            client.sendall(b"GET /?0,6000000 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            read = 0
            while part := client.recv(100_000):
                read += len(part)
                time.sleep(0.03)
        assert read > 6_000_000


def test_unread_answers_are_bounded_together() -> None:
    with slow_server("unsent_bytes=70_000_000, stall_seconds=60") as server, contextlib.ExitStack() as stack:
        request = b"GET /?0,50000000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for _ in range(4):
            stack.enter_context(connect(server, request))
        deadline = time.monotonic() + 20
        while server.metric('image_handler_connections_closed_total{limit="unread"}') < 3:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert server.ask("/").status == 200


def test_a_body_that_stalls_is_not_waited_for() -> None:
    with slow_server() as server:
        for length in (100, 1_000_000):
            with connect(server, POST + b"Content-Length: %d\r\n\r\nbeginning" % length) as client:
                started = time.monotonic()
                answer = answer_of(client)
                assert 0.5 < time.monotonic() - started < 10
                assert answer.startswith(b"HTTP/1.1 408 ")
                assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "RequestTimeout"


@pytest.mark.slow
def test_slow_bodies_do_not_keep_others_out() -> None:
    """Twelve bodies that never end, and each of two places is wanted: all that is slow gives way in turn."""
    with serving(SAMPLES, "--workers", "2") as server, contextlib.ExitStack() as stack:
        for _ in range(12):
            client = stack.enter_context(connect(server, POST + b"Content-Length: 130000000\r\n\r\n"))
            client.settimeout(0.2)
            with contextlib.suppress(OSError):
                client.sendall(b"x" * 3_000_000)
        started = time.monotonic()
        assert server.ask("/_health").status == server.ask("/photos/cat.jpg?width=30").status == 200
        # A small body needs no place.
        answer = server.ask("/_api/sign", "POST", b'{"url": "/cat.jpg"}', Content_Type="application/json")
        assert answer.status == 200
        assert time.monotonic() - started < 25
        picture = pictures.jpeg() + b"\0" * 70_000
        assert server.ask("/_api/transform?width=10&format=png", "POST", picture).status == 200
        assert time.monotonic() - started < 25


def test_a_token_is_looked_at_before_the_body(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("right")
    with serving(SAMPLES, "--workers", "1", OPERATOR_TOKEN_FILE=str(tmp_path / "token")) as server:
        large = b"Content-Length: 30000000\r\n\r\n"
        with connect(server, POST + b"Authorization: Bearer right\r\n" + large + b"x" * 100_000):
            for header, status in ((b"", b"401"), (b"Authorization: Bearer wrong\r\n", b"401")):
                with connect(server, POST + header + large) as client:
                    started = time.monotonic()
                    assert answer_of(client)[9:12] == status
                    assert time.monotonic() - started < 25
            with connect(server, POST.replace(b"transform", b"nothing") + large) as client:
                assert answer_of(client)[9:12] == b"404"


@pytest.mark.parametrize("second", ["", "GET /_health HTTP/1.1\r\nHost: localhost\r\n\r\n"])
def test_two_lengths_end_the_connection(second: str) -> None:
    """RFC 9112, 6.1: whoever stands in between may have taken the rest for another request."""
    with slow_server() as server:
        lengths = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        with connect(server, POST + lengths + second.encode()) as client:
            answer = answer_of(client)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1 ") == 1


def test_what_waits_for_a_worker_is_told_at_its_deadline() -> None:
    with slow_server() as server, contextlib.ExitStack() as stack:
        request = b"GET /?5 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        started = time.monotonic()
        clients = [stack.enter_context(connect(server, request)) for _ in range(3)]
        answers = [answer_of(client) for client in clients]
        assert DEADLINE - 0.1 < time.monotonic() - started < DEADLINE + 10
        assert sorted(answer[9:12] for answer in answers) == [b"503", b"504", b"504"]
        assert all(b"\r\nretry-after: " in answer for answer in answers)


@pytest.mark.parametrize("leave", [False, True])
def test_two_that_do_not_end_hold_two_workers_for_no_longer_than_the_deadline(*, leave: bool) -> None:
    """Whether their clients wait or not: others take their places. Where those hang too, health says so."""
    with slow_server() as server, contextlib.ExitStack() as stack:

        def occupy() -> None:
            hostile = [
                stack.enter_context(connect(server, b"GET /?15 HTTP/1.1\r\nHost: localhost\r\n\r\n")) for _ in "12"
            ]
            time.sleep(0.3)
            for client in hostile if leave else ():
                client.close()

        occupy()
        asked = time.monotonic()
        statuses = [server.ask("/").status]
        while statuses[-1] != 200:
            assert time.monotonic() - asked < DEADLINE + 8
            statuses.append(server.ask("/").status)
        assert time.monotonic() - asked < DEADLINE + 8
        assert server.ask("/_health").status == 200
        occupy()
        while server.metric("image_handler_overdue") < 4:
            assert time.monotonic() - asked < 12
            time.sleep(0.1)
        assert server.ask("/_health").status == 503
        assert server.stop() == 1


def test_health_is_answered_while_every_worker_is_busy() -> None:
    with slow_server() as server:
        busy = [threading.Thread(target=server.ask, args=("/?1.5",)) for _ in range(10)]
        for thread in busy:
            thread.start()
        time.sleep(0.3)
        started = time.monotonic()
        assert [server.ask("/_health").status for _ in range(20)] == [200] * 20
        assert time.monotonic() - started < 1.5
        for thread in busy:
            thread.join()


def test_the_log_stays_short() -> None:
    with slow_server() as server:
        for _ in range(100):
            with connect(server, b"no HTTP\r\n\r\n") as client:
                assert answer_of(client).startswith(b"HTTP/1.1 400 ")
        server.ask("/" + "a" * 50_000)
        server.stop()
    assert len(server.log) < 40
    assert max(map(len, server.log)) < 3_000


def drawing(inside: str) -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100">{inside}</svg>'.encode()


BODIES = POST + b"Content-Length: 130000000\r\n\r\n" + b"x" * 100_000
HOSTILE = {
    "a drawing of many filters": b"GET /filters.svg?width=2000 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a drawing of a long text": b"GET /text.svg?width=2000 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "many steps": b"GET /unsafe/filters:"
    + b"blur(150,31):" * 31
    + b"blur(9)/cat.jpg HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "bodies that stall": BODIES,
    "half a head": b"GET /cat.jpg HTTP/1.1\r\nHost: loc",
}
"""Requests that take as long as they can, whatever refuses or ends them."""


@pytest.mark.slow
@pytest.mark.parametrize("request_", HOSTILE.values(), ids=HOSTILE)
def test_two_hostile_requests_hold_the_server_for_no_longer_than_the_deadline(tmp_path: Path, request_: bytes) -> None:
    seconds = 4
    (tmp_path / "cat.jpg").write_bytes(pictures.jpeg())
    (tmp_path / "filters.svg").write_bytes(drawing(f'<rect width="90" height="90" filter="{"blur(40)" * 100}"/>'))
    (tmp_path / "text.svg").write_bytes(drawing(f"<text>{'a' * 96_000}</text>"))
    with serving(tmp_path, "--workers", "2", MAX_SECONDS=str(seconds)) as server, contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(connect(server, request_))
        time.sleep(0.5)
        started = time.monotonic()
        upload = POST + b"Content-Length: 70000\r\nConnection: close\r\n\r\n" + pictures.jpeg().ljust(70_000, b"\0")
        while server.ask("/cat.jpg?width=20").status != 200:
            assert time.monotonic() - started < seconds + 20
        while not answer_of(stack.enter_context(connect(server, upload))).startswith(b"HTTP/1.1 200 "):
            assert time.monotonic() - started < seconds + 20
        assert time.monotonic() - started < seconds + 30
        assert server.ask("/_health").status == 200

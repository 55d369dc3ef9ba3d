"""The HTTP server, as a real process, over HTTP."""

from __future__ import annotations

import base64
import contextlib
import gzip
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from tests import pictures
from tests.local_server import SAMPLES, Answer, Server, running, serving
from tests.tools import require_tool

from features import CATALOGUE

NAMES = [
    "a b.jpg",
    "a%20b.jpg",
    "100%.jpg",
    "a+b.jpg",
    "a%2Fb",
    "what?.jpg",
    "#1.jpg",
    '"`\\',
    "🐱.jpg",
    "é.jpg",
    "e\u0301.jpg",
]

# A handler that takes as long as the query says, to see what the server does meanwhile.
SLOW = """
import time
from handler.cli import serve
from handler.cli.server_log import log_to_standard_output
from handler.entrypoints.server.server import PictureServer
from handler.entrypoints.server.workers import Bounds
from handler.entrypoints.health import Health
from handler.response import Answer

def handle(call, context):
    seconds = float(call.query or 0)
    time.sleep(seconds)
    left = context.get_remaining_time_in_millis()
    return Answer(200, {"Content-Type": "text/plain"}, str(left).encode())

log_to_standard_output()
listener = serve._listen("127.0.0.1", 0)
print("Serving at", serve._address(listener), flush=True)
serve._run(PictureServer(handle, Bounds(workers=1, queue=1, body_bytes=1000, seconds=10)), listener, Health())
"""


@contextmanager
def slow_server() -> Iterator[Server]:
    with running(sys.executable, "-c", SLOW) as server:
        yield server


@pytest.fixture(scope="module")
def samples() -> Iterator[Server]:
    with serving(SAMPLES) as server:
        yield server


def test_a_picture(samples: Server) -> None:
    answer = samples.ask("/photos/cat.jpg?width=100&format=webp")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
    assert answer.body[8:12] == b"WEBP"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_head_returns_the_size_without_a_body(samples: Server) -> None:
    whole = samples.ask("/photos/cat.jpg?width=100")
    head = samples.ask("/photos/cat.jpg?width=100", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) == len(whole.body)


def test_what_the_client_has_is_not_sent_again(samples: Server) -> None:
    etag = samples.ask("/photos/cat.jpg?width=100").headers["etag"]
    again = samples.ask("/photos/cat.jpg?width=100", If_None_Match=etag)
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/photos/none.jpg", 404, "NoSuchKey"),
        ("/photos/cat.jpg?width=many", 400, "BadRequest"),
        ("/photos/cat.jpg?width=%FF", 400, "QueryParameterParsingError"),
        ("/%FF.jpg", 400, "BadRequest"),
        ("/photos/cat.jpg?bucket=other", 403, "ImageBucket::CannotAccessBucket"),
        ("/_nothing", 404, "NotFound"),
    ],
)
def test_refusals_are_json(samples: Server, address: str, status: int, code: str) -> None:
    answer = samples.ask(address)
    assert (answer.status, json.loads(answer.body)["code"]) == (status, code)


def test_keys_as_odd_as_they_come(tmp_path: Path) -> None:
    picture = pictures.jpeg()
    for name in NAMES:
        (tmp_path / name).write_bytes(picture)
    with serving(tmp_path) as server:
        assert [server.ask(f"/{quote(name, safe='')}?width=8").status for name in NAMES] == [200] * len(NAMES)


def test_a_posted_picture(samples: Server) -> None:
    answer = samples.ask("/_api/transform?width=20&format=png", "POST", pictures.jpeg(), Content_Type="image/jpeg")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")


def test_a_page_of_another_name_is_refused(samples: Server) -> None:
    """Whoever has a name of their own resolved to this address could read through a visitor's browser."""
    assert samples.ask("/photos/cat.jpg", Host="evil.example").status == 403
    assert samples.ask("/_health", Host="evil.example:80").status == 403
    assert samples.ask("/_health", Host="[::1]:80").status == 200
    assert samples.ask("/_health", Host="localhost").status == 200


def test_the_demo_page_is_at_home(samples: Server) -> None:
    moved = samples.ask("/")
    assert (moved.status, moved.headers["location"]) == (302, "/_demo/")
    page = samples.ask("/_demo/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_texts_go_out_compressed_to_who_takes_that(samples: Server) -> None:
    plain = samples.ask("/_demo/demo.css")
    packed = samples.ask("/_demo/demo.css", Accept_Encoding="br, gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert "content-encoding" not in plain.headers | samples.ask("/_demo/demo.css", Accept_Encoding="gzip;q=0").headers


def test_the_reference_names_every_feature(samples: Server) -> None:
    document = samples.ask("/_api/openapi.json")
    assert json.loads(document.body)["openapi"].startswith("3.")
    page = samples.ask("/_api/docs")
    assert page.headers["content-type"].startswith("text/html")
    text = page.body.decode()
    assert not re.search(r'<script(?! type="module" src="/)|(?:src|href)="https?://', text)
    assert [feature.name for feature in CATALOGUE if feature.name not in text] == []


def test_health_and_metrics(samples: Server) -> None:
    assert json.loads(samples.ask("/_health").body) == {"status": "ok"}
    before = samples.metric('image_handler_requests_total{status="200"}')
    samples.ask("/photos/cat.jpg?width=10")
    assert samples.metric('image_handler_requests_total{status="200"}') == before + 1
    assert samples.metric("image_handler_request_seconds_count") > before
    assert samples.metric("image_handler_in_flight") == samples.metric("image_handler_queued") == 0
    assert samples.metric("process_resident_memory_bytes") > 1e6


def test_the_log_has_a_line_for_each_request_and_no_signature() -> None:
    with serving(SAMPLES) as server:
        server.ask("/photos/cat.jpg?width=10&signature=5ec2e7&%73ignature=5ec2e7")
        server.ask("/photos/cat.jpg?width=10")
        assert server.stop() == 0
    lines = [line for line in server.log if "GET" in line]
    assert len(lines) == 2
    assert re.fullmatch(r"\S+Z 127\.0\.0\.1 GET /photos/cat\.jpg\?width=10 200 \d+ [\d.]+ms\n", lines[1])
    assert "5ec2e7" not in "".join(server.log)


def test_the_log_shortens_requests_in_base64() -> None:
    request = {"bucket": "images", "key": "photos/cat.jpg", "edits": {"resize": {"width": 10}, "toFormat": "webp"}}
    word = base64.urlsafe_b64encode(json.dumps(request).encode()).decode().rstrip("=")
    with serving(SAMPLES) as server:
        assert server.ask(f"/{word}").status == 200
        assert server.stop() == 0
    [line] = [line for line in server.log if "GET" in line]
    assert re.fullmatch(rf"\S+Z 127\.0\.0\.1 GET /{word[:32]}… 200 \d+ [\d.]+ms\n", line)


def test_a_body_above_the_limit_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path, MAX_SOURCE_BYTES="1000") as server:
        answer = server.ask("/_api/transform", "POST", b"x" * 2000)
        assert (answer.status, json.loads(answer.body)["code"]) == (413, "TooLargeImageException")


def test_a_body_without_a_length_is_counted(tmp_path: Path) -> None:
    with slow_server() as server:
        chunks = iter([b"x" * 600] * 2)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("POST", "/", chunks, encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
        assert connection.getresponse().status == 413
        connection.close()


def test_a_body_is_taken_only_where_it_is_of_use(samples: Server) -> None:
    assert samples.ask("/photos/cat.jpg", "POST", b"x" * 70_000).status == 413
    assert samples.ask("/photos/cat.jpg", "POST", b"x" * 7_000).status == 405
    assert samples.ask("/_api/transform", "POST", b"x" * 70_000).status == 415
    assert samples.ask("/%5Fapi/transform", "POST", b"x" * 70_000).status == 415


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/_demo/", "/_demo/js/app.js", "/_docs/", "/_api/docs", "/_api", "/_api/openapi.json", "/_api/explain"),
        *("/_health", "/_ready", "/_metrics"),
    ],
)
@pytest.mark.parametrize("size", [0, 70_000])
def test_a_page_of_the_server_can_only_be_read(samples: Server, path: str, size: int) -> None:
    answer = samples.ask(path, "POST", b"x" * size)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert json.loads(answer.body)["code"] == "MethodNotAllowed"


@pytest.mark.slow
def test_as_many_large_bodies_are_held_as_there_are_workers(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "1") as server, contextlib.ExitStack() as stack:
        before = server.metric("process_resident_memory_bytes")
        for _ in range(4):
            sender = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            sender.sendall(b"POST /_api/transform HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40000000\r\n\r\n")
            sender.settimeout(1)
            with contextlib.suppress(TimeoutError):  # whoever waits is not read
                sender.sendall(b"x" * 30_000_000)
        grown = server.metric("process_resident_memory_bytes") - before
        assert grown < 60_000_000, f"{grown / 1e6:.0f} MB for one body of 30 MB"
        assert server.ask("/nosuch.jpg").status == 404


def test_answers_on_a_kept_connection_do_not_wait_for_acknowledgements(samples: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", samples.port, timeout=60)
    seconds = []
    for _ in range(41):
        started = time.perf_counter()
        connection.request("GET", "/_health")
        connection.getresponse().read()
        seconds.append(time.perf_counter() - started)
    connection.close()
    assert sorted(seconds)[20] < 0.03, "Nagle's algorithm is at work: 40 ms each"


class Asking(threading.Thread):
    """A request under way."""

    def __init__(self, server: Server, address: str) -> None:
        super().__init__()
        self._server, self._address = server, address
        self.answer = Answer(0, {}, b"")
        self.start()

    def run(self) -> None:
        self.answer = self._server.ask(self._address)


def wait_for(server: Server, name: str, value: float) -> None:
    deadline = time.monotonic() + 20
    while server.metric(name) != value:
        assert time.monotonic() < deadline, f"{name} never became {value}"
        time.sleep(0.02)


@pytest.mark.slow
def test_a_full_queue_is_refused_at_once() -> None:
    with slow_server() as server:
        first = Asking(server, "/?3")
        wait_for(server, "image_handler_in_flight", 1)
        second = Asking(server, "/")
        wait_for(server, "image_handler_queued", 1)
        third = server.ask("/")
        assert first.is_alive()
        assert (third.status, third.headers["retry-after"]) == (503, "1")
        assert json.loads(third.body)["code"] == "TooManyRequests"
        assert server.ask("/_health").status == 200
        first.join()
        second.join()
        assert (first.answer.status, second.answer.status) == (200, 200)
        # Time spent in the queue counts: the second waited for the first.
        assert int(second.answer.body) < 9000


@pytest.mark.slow
def test_a_client_that_leaves_gives_its_place_back() -> None:
    with slow_server() as server:
        first = Asking(server, "/?2")
        wait_for(server, "image_handler_in_flight", 1)
        with socket.create_connection(("127.0.0.1", server.port)) as leaving:
            leaving.sendall(b"GET /?5 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            wait_for(server, "image_handler_queued", 1)
        wait_for(server, "image_handler_queued", 0)
        first.join()
        assert server.metric("image_handler_in_flight") == 0
        assert server.metric('image_handler_requests_total{status="499"}') == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_finishes_what_is_under_way_before_it_stops(number: signal.Signals) -> None:
    with slow_server() as server:
        first = Asking(server, "/?1.5")
        wait_for(server, "image_handler_in_flight", 1)
        assert server.stop(number) == 0
        first.join()
        assert first.answer.status == 200


def test_two_settings_that_conflict_are_reported(tmp_path: Path) -> None:
    program = require_tool("image-handler", "make setup")
    run = subprocess.run(
        [program, "serve", "--images", tmp_path, "--port", "0"],
        env={"ENABLE_SIGNATURE": "Yes", "MAX_SECONDS": "soon"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert run.returncode == 2
    assert "MAX_SECONDS must be" in run.stderr
    assert "ENABLE_SIGNATURE=Yes needs" in run.stderr
    assert "Traceback" not in run.stderr

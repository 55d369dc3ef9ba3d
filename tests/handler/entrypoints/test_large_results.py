"""Large stored results in a folder are sent while they are read, whole or in part."""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import pyvips
from tests.client import Client
from tests.local_server import Answer, Server, serving

from handler.composition.server import adapt_to_server
from handler.core.ports import ObjectAttributes
from handler.entrypoints.http_call import HttpRequest
from handler.storage.streamed_results import MAX_STREAMED, STREAMED_ABOVE
from imaging import Deadline

NOISE = "/noise.png?median=3&format=png"
"""A large PNG whose result is stored, because `median` takes long."""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    pixels = random.Random(1).randbytes(800 * 700 * 3)
    pyvips.Image.new_from_memory(pixels, 800, 700, 3, "uchar").pngsave(str(folder / "noise.png"))
    return folder


@pytest.fixture(scope="module")
def server(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(images, CORS_ENABLED="Yes", **storing_in(tmp_path_factory.mktemp("results"))) as server:
        yield server


def storing_in(results: Path) -> dict[str, str]:
    return {"STORE_RESULTS": "Yes", "RESULTS_BUCKET": f"results={results.as_uri()}"}


def test_it_is_the_same_by_every_method(server: Server) -> None:
    rendered, stored = server.ask(NOISE), server.ask(NOISE)
    assert len(rendered.body) > STREAMED_ABOVE
    assert (stored.status, stored.body) == (200, rendered.body)
    head = server.ask(NOISE, "HEAD")
    assert (head.status, head.body) == (200, b"")
    for name in ("content-length", "content-type", "etag", "cache-control", "last-modified"):
        assert head.headers[name] == stored.headers[name] == rendered.headers[name]
    assert server.ask(NOISE, If_None_Match=stored.headers["etag"]).status == 304


def test_a_connection_serves_on_after_it(server: Server) -> None:
    expected = server.ask(NOISE).body
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        for method in ("GET", "HEAD", "GET"):
            connection.request(method, NOISE)
            answer = connection.getresponse()
            assert answer.getheader("Content-Length") == str(len(expected))
            assert answer.read() == (b"" if method == "HEAD" else expected)


@pytest.mark.parametrize("becomes", ["replaced", "deleted"])
def test_what_changes_while_it_is_sent_is_sent_as_it_was(images: Path, tmp_path: Path, becomes: str) -> None:
    client = Client({"SOURCE_BUCKETS": f"images={images.as_uri()}", **storing_in(tmp_path)})
    http_ = adapt_to_server(client.application).http
    path, _, query = NOISE.partition("?")
    request = HttpRequest("GET", path, encoded=True, query=query, headers={})
    expected = http_.answer(request, Deadline())
    answer = http_.answer(request, Deadline())
    assert answer.stored is not None
    assert (answer.body, answer.size) == (b"", len(expected.body))
    blocks = answer.stored.blocks()
    received = next(blocks)
    change(http_.result_cache.bucket, becomes)  # type: ignore[union-attr]  # the settings name one
    assert received + b"".join(blocks) == expected.body


def change(bucket: object, becomes: str) -> None:
    [info] = bucket.list("private/")  # type: ignore[attr-defined]  # a store of results
    if becomes == "deleted":
        bucket.delete([info.ref.key])  # type: ignore[attr-defined]  # a store of results
    else:
        attributes = ObjectAttributes(info.content_type, info.cache_control, info.metadata)
        assert bucket.put(info.ref.key, b"x" * info.size, attributes, replaces=info.etag)  # type: ignore[attr-defined]  # a store of results


def test_slow_clients_do_not_take_all_descriptors(images: Path, tmp_path: Path) -> None:
    client = Client({"SOURCE_BUCKETS": f"images={images.as_uri()}", **storing_in(tmp_path)})
    http_ = adapt_to_server(client.application).http
    path, _, query = NOISE.partition("?")
    request = HttpRequest("GET", path, encoded=True, query=query, headers={})
    expected = http_.answer(request, Deadline())
    answers = [http_.answer(request, Deadline()) for _ in range(MAX_STREAMED + 2)]
    assert [answer.stored is not None for answer in answers] == [True] * MAX_STREAMED + [False] * 2
    assert answers[-1].body == expected.body
    assert answers[-1].headers == answers[0].headers
    del answers[:1]
    assert http_.answer(request, Deadline()).stored is not None


def test_its_file_is_closed_whatever_the_client_does(server: Server) -> None:
    answered_whole(server)
    before = server.metric("process_open_fds")
    for _ in range(10):
        server.ask(NOISE, "HEAD")
        server.ask(NOISE, Range="bytes=99999999-")
        with leaving(server) as client:
            client.recv(100)
    with contextlib.ExitStack() as stack:
        for client in [stack.enter_context(leaving(server)) for _ in range(10)]:
            client.recv(100)
    until = time.monotonic() + 20
    while server.metric("process_open_fds") > before and time.monotonic() < until:
        time.sleep(0.1)
    assert server.metric("process_open_fds") <= before


@contextlib.contextmanager
def leaving(server: Server) -> Iterator[socket.socket]:
    """Request the result, and leave before all of it is received."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(60)
        client.connect(("127.0.0.1", server.port))
        client.sendall(f"GET {NOISE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        yield client


def test_lambda_has_it_as_a_whole(images: Path, tmp_path: Path) -> None:
    client = Client({"SOURCE_BUCKETS": f"images={images.as_uri()}", **storing_in(tmp_path)})
    assert client.get(NOISE).body == client.get(NOISE).body
    cache = client.application.http.result_cache
    assert cache is not None
    assert cache.streams is None


RANGES = [
    ("bytes=0-0", 0, 1),
    ("bytes=100-199", 100, 200),
    ("bytes=300000-", 300_000, None),
    ("bytes=-5", -5, None),
    ("Bytes=5-99999999999", 5, None),
    ("bytes=-99999999999", 0, None),
]


@pytest.mark.parametrize(("header", "first", "end"), RANGES)
def test_one_range_of_it(server: Server, header: str, first: int, end: int | None) -> None:
    whole = answered_whole(server)
    part = server.ask(NOISE, Range=header)
    expected = whole.body[first:end]
    assert (part.status, part.body) == (206, expected)
    start = first if first >= 0 else len(whole.body) + first
    assert part.headers["content-range"] == f"bytes {start}-{start + len(expected) - 1}/{len(whole.body)}"
    assert part.headers["content-length"] == str(len(expected))
    assert part.headers["etag"] == whole.headers["etag"]
    assert part.headers["accept-ranges"] == whole.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("header", ["bytes=99999999-", "bytes=-0", "bytes=99999999-999999999"])
def test_a_range_that_is_not_there(server: Server, header: str) -> None:
    size = len(answered_whole(server).body)
    refused = server.ask(NOISE, Range=header)
    assert (refused.status, refused.headers["content-range"]) == (416, f"bytes */{size}")
    assert refused.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "header",
    ["bytes=5-4", "bytes=0-1,5-6", "lines=0-1", "bytes=", "bytes=-", "bytes=a-b", "0-1", "bytes=1-2-3", "bytes=²-"],
)
def test_any_other_range_is_ignored(server: Server, header: str) -> None:
    whole = answered_whole(server)
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request("GET", NOISE, headers={"Range": header.encode("latin-1")})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, whole.body)


def test_a_range_counts_only_of_the_version_that_the_client_has(server: Server) -> None:
    whole = answered_whole(server)
    for known, status in (
        (whole.headers["etag"], 206),
        ('"another"', 200),
        ("W/" + whole.headers["etag"], 200),
        (whole.headers["last-modified"], 200),
    ):
        assert server.ask(NOISE, Range="bytes=0-9", If_Range=known).status == status
    assert server.ask(NOISE, "HEAD", Range="bytes=0-9").status == 200
    assert server.ask(NOISE, Range="bytes=0-9", If_None_Match=whole.headers["etag"]).status == 304


def answered_whole(server: Server) -> Answer:
    server.ask(NOISE)
    return server.ask(NOISE)

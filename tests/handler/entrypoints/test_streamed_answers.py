"""Large stored results are sent while they are read from their store."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from tests.local_server import SAMPLES, serving

from handler.core.ports import ObjectInfo
from handler.entrypoints.server.accepting import ConnectionServer
from handler.entrypoints.server.connections import ConnectionLimits
from handler.entrypoints.server.server import PictureServer
from handler.entrypoints.server.workers import Bounds
from handler.response import Answer
from imaging import ObjectRef

BLOCK, BLOCKS = 65_536, 2_000


class Large:
    """An object of 131 MB, which counts the blocks that are read of it."""

    is_remote = False

    def __init__(self) -> None:
        self.info = ObjectInfo(ObjectRef("results", "a"), BLOCK * BLOCKS, "e", datetime.now(UTC))
        self.read_blocks = 0
        self.closed = threading.Event()

    def blocks(self) -> Generator[bytes]:
        try:
            for _ in range(BLOCKS):
                self.read_blocks += 1
                yield b"x" * BLOCK
        finally:
            self.closed.set()

    def read(self, _: Sequence[bytes] = ()) -> bytes:
        raise AssertionError("the whole object must not be read into memory")


def serve(stored: Large) -> tuple[ConnectionServer, threading.Thread, int]:
    pictures = PictureServer(lambda _, __: Answer(200, {}, stored=stored), Bounds(workers=1))
    config = uvicorn.Config(pictures, lifespan="off", ws="none", log_config=None)
    server = ConnectionServer(config, ConnectionLimits(), pictures.measures)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    return server, thread, listener.getsockname()[1]


def stop(server: ConnectionServer, thread: threading.Thread) -> None:
    server.should_exit = True
    thread.join(60)
    assert not thread.is_alive()


def test_a_client_that_leaves_ends_the_transfer_and_a_slow_one_holds_few_blocks_in_memory() -> None:
    stored = Large()
    server, thread, port = serve(stored)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head = client.recv(1_000)
            assert f"content-length: {BLOCK * BLOCKS}".encode() in head.lower()
            # The client reads no more: what is read of the object is what fits into the buffers of the sockets.
            seen = -1
            while seen != stored.read_blocks:
                seen = stored.read_blocks
                time.sleep(0.3)
            assert seen < BLOCKS / 4
        assert stored.closed.wait(60)
        assert stored.read_blocks < BLOCKS / 4
    finally:
        stop(server, thread)


def test_all_of_a_large_object_arrives() -> None:
    stored = Large()
    server, thread, port = serve(stored)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(b"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            received = 0
            while part := client.recv(1 << 20):
                received += part.count(b"x")
        assert received >= BLOCK * BLOCKS
        assert stored.closed.wait(60)
    finally:
        stop(server, thread)


def test_an_offloaded_result_is_sent_by_get_and_announced_by_head(tmp_path: Path) -> None:
    options = {"RESULTS_BUCKET": f"r={tmp_path.as_uri()}", "MAX_ANSWER_BYTES": "20000"}
    with serving(SAMPLES, **options) as limited, serving(SAMPLES) as plain:
        address = "/photos/coffee.jpg?width=500&format=png"
        moved = limited.ask(address)
        assert moved.status == 302
        expected = plain.ask(address).body
        got, head = (limited.ask(moved.headers["location"], method) for method in ("GET", "HEAD"))
        assert (got.status, got.body) == (200, expected)
        assert head.status == 200
        assert head.body == b""
        assert head.headers["content-length"] == got.headers["content-length"] == str(len(expected))
        assert head.headers["etag"] == got.headers["etag"]

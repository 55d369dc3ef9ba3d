"""Processes that share a listening socket take new connections in turn, so that none has most of them."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest
import uvicorn

from handler.entrypoints.server import accepting
from handler.entrypoints.server.accepting import ConnectionServer
from handler.entrypoints.server.connections import ConnectionLimits
from handler.entrypoints.server.processes import ConnectionBoard, Member, MetricsBoard
from handler.entrypoints.server.server import PictureServer
from handler.entrypoints.server.workers import Bounds
from handler.response import Answer


@contextmanager
def member_serving(
    number: int, board: ConnectionBoard, listener: socket.socket, wait: Callable[[], object] = lambda: None
) -> Iterator[ConnectionServer]:
    """Serve as one of two processes, in a thread of this one. `wait` is called before each answer."""
    reader, writer = os.pipe()

    def answer(*_: object) -> Answer:
        wait()
        return Answer(200, {}, b"%d" % number)

    app = PictureServer(answer, Bounds(workers=1))
    config = uvicorn.Config(app, lifespan="off", ws="none", log_config=None)
    member = Member(number, MetricsBoard(2), board, writer, is_replacement=False)
    server = ConnectionServer(config, ConnectionLimits(), app.measures, member)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        assert os.read(reader, 1) == b"1"
        yield server
    finally:
        os.close(reader)
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


def connect(stack: ExitStack, port: int) -> socket.socket:
    return stack.enter_context(closing(socket.create_connection(("127.0.0.1", port), timeout=60)))


def ask(stack: ExitStack, port: int) -> bytes:
    """Open a connection that stays, and return the number of the process that has it."""
    return answer_of(connect(stack, port))


def answer_of(connection: socket.socket) -> bytes:
    connection.sendall(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = b""
    while not answer.endswith((b"0", b"1")) or b"\r\n\r\n" not in answer:
        answer += connection.recv(1_000)
    return answer[-1:]


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_connections_go_to_the_process_that_has_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    # So long that the other process certainly takes the connection meanwhile, however busy this machine is.
    monkeypatch.setattr(accepting, "_TURN_SECONDS", 10.0)
    board = ConnectionBoard(2)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    with ExitStack() as stack:
        stack.enter_context(member_serving(0, board, listener.dup()))
        assert [ask(stack, port) for _ in range(4)] == [b"0"] * 4
        assert board.smallest() == 4
        stack.enter_context(member_serving(1, board, listener.dup()))
        assert [ask(stack, port) for _ in range(4)] == [b"1"] * 4
        wait_until(lambda: board.smallest() == 4)
    listener.close()


def test_a_process_that_takes_no_connections_leaves_them_to_the_others() -> None:
    board = ConnectionBoard(2)
    board.publish(1, 0)
    listener = socket.create_server(("127.0.0.1", 0))
    with ExitStack() as stack:
        stack.enter_context(member_serving(0, board, listener.dup()))
        assert [ask(stack, listener.getsockname()[1]) for _ in range(4)] == [b"0"] * 4
        board.clear(1)
        assert board.smallest() == 4
    listener.close()


def test_a_process_that_stops_leaves_the_board_before_its_last_answer() -> None:
    board, has_begun, may_end = ConnectionBoard(2), threading.Event(), threading.Event()
    board.publish(1, 9)

    def wait() -> None:
        has_begun.set()
        assert may_end.wait(60)

    listener = socket.create_server(("127.0.0.1", 0))
    with ExitStack() as stack:
        server = stack.enter_context(member_serving(0, board, listener.dup(), wait))
        connection = connect(stack, listener.getsockname()[1])
        connection.sendall(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert has_begun.wait(60)
        assert board.smallest() == 1
        server.should_exit = True
        wait_until(lambda: board.smallest() == 9)
        may_end.set()
        assert connection.recv(1_000).startswith(b"HTTP/1.1 200 ")
    listener.close()


def test_connections_that_wait_together_are_accepted_without_taking_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accepting, "_TURN_SECONDS", float("inf"))
    board = ConnectionBoard(2)
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    with ExitStack() as stack:
        waiting = [connect(stack, listener.getsockname()[1]) for _ in range(19)]
        board.publish(1, 16)
        stack.enter_context(member_serving(0, board, listener.dup()))
        # An eighth more than the other process has, and the one that is accepted before it is too many.
        assert [answer_of(connection) for connection in waiting] == [b"0"] * 19
    listener.close()


def test_a_connection_that_waits_for_room_is_closed_when_the_server_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise its client waits until the last answer is sent."""
    app = PictureServer(lambda _, __: Answer(200, {}, b"0"), Bounds(workers=1))
    config = uvicorn.Config(app, lifespan="off", ws="none", log_config=None)

    async def connect_late(server: ConnectionServer, _: object, accepted: socket.socket, __: object) -> None:
        server.should_exit = True
        await asyncio.wait(server._accepting)
        accepted.close()

    monkeypatch.setattr(ConnectionServer, "_connect", connect_late)
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        _, second = (connect(stack, listener.getsockname()[1]) for _ in range(2))
        server = ConnectionServer(config, ConnectionLimits(total=1), app.measures)
        # In a thread: a browser's event loop may run in this one.
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        assert second.recv(1) == b""
        thread.join(60)
        assert not thread.is_alive()

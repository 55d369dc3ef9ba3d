"""The HTTP server's loop that accepts connections within the limits, and shares them evenly among processes.

asyncio's own servers accept without a limit, and when no file descriptor is left they retry without end.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import time

import uvicorn

from handler.entrypoints.server.connections import Connection, ConnectionLimits, Connections, owner_of
from handler.entrypoints.server.processes import Member
from handler.entrypoints.server.protocols import CONNECTION
from handler.entrypoints.server.workers import Measures

_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_UNUSABLE = {errno.EBADF, errno.EINVAL, errno.ENOTSOCK}
_RETRY_SECONDS = 0.5
"""Pause before the next attempt to accept, after the system had no descriptor left."""
_TURN_SECONDS = 0.002
"""How long a process with clearly more connections than another one leaves new ones to it."""
_ACCEPTED_AT_ONCE = 64
_TOLERATED_SHARE = 8
"""A process may have an eighth more connections than another one: with exact shares, a burst of new connections waits
for both processes to take turns."""
_TICKS = 5
"""The timeouts are checked every so many ticks of uvicorn, each of 0.1 s."""
_PUBLISHED_TICKS = 10
"""Ticks after which a process publishes its metrics for the others."""
_TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nCache-Control: no-store\r\n"
    b"Content-Length: 0\r\n\r\n"
)


class ConnectionServer(uvicorn.Server):
    """uvicorn with an accept loop that enforces limits."""

    def __init__(
        self, config: uvicorn.Config, limits: ConnectionLimits, measures: Measures, member: Member | None = None
    ) -> None:
        super().__init__(config)
        self._measures = measures
        self._member = member
        self._opened = Connections(limits, measures)
        self._accepting: list[asyncio.Task[None]] = []
        self._connecting: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections. uvicorn itself gets no sockets."""
        await super().startup(sockets=[])
        self._accepting = [asyncio.create_task(self._accept(listener)) for listener in sockets or ()]
        if self._member is not None:
            self._publish_connections()
            self._member.report_ready()

    async def on_tick(self, counter: int) -> bool:
        self._publish_connections()
        for task in self._accepting:
            if task.done():
                task.result()  # an error of the loop itself ends the server
        if counter % _TICKS == 0:
            self._opened.sweep(time.monotonic())
        if self._member is not None and counter % _PUBLISHED_TICKS == 0:
            self._measures.publish()
            self.should_exit = self.should_exit or self._member.is_orphan
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for task in self._accepting:
            task.cancel()
        await asyncio.gather(*self._accepting, *self._connecting, return_exceptions=True)
        if self._member is not None:
            # It takes no connections any more, so the others must leave none to it until the last answer is sent.
            self._member.connections.clear(self._member.number)
        await super().shutdown(sockets=sockets)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        listener.setblocking(False)
        while True:
            await _wait_until_readable(loop, listener)
            if self._is_ahead:
                await asyncio.sleep(_TURN_SECONDS)
            try:
                await self._accept_waiting(loop, listener)
            except BlockingIOError:
                continue  # no connection is left, or another process has accepted it
            except OSError as error:
                if error.errno in _UNUSABLE:
                    raise
                # Any other error concerns one connection, which its client has closed.
                self._opened.report(f"a connection cannot be accepted: {error.strerror}")
                await asyncio.sleep(_RETRY_SECONDS if error.errno in _EXHAUSTED else 0)

    async def _accept_waiting(self, loop: asyncio.AbstractEventLoop, listener: socket.socket) -> None:
        """Accept connections until this process has more than another one. BlockingIOError if no more wait.

        All at once, because under load a turn of the event loop takes several milliseconds.
        """
        for _ in range(_ACCEPTED_AT_ONCE):
            accepted, address = listener.accept()
            accepted.setblocking(False)
            await self._open(loop, accepted, str(address[0]))
            self._publish_connections()
            if self._is_ahead:
                break

    @property
    def _is_ahead(self) -> bool:
        """Whether another process has clearly fewer connections."""
        if self._member is None:
            return False
        fewest = self._member.connections.smallest()
        return self._opened.total > fewest + fewest // _TOLERATED_SHARE

    def _publish_connections(self) -> None:
        if self._member is not None:
            self._member.connections.publish(self._member.number, self._opened.total)

    async def _open(self, loop: asyncio.AbstractEventLoop, accepted: socket.socket, address: str) -> None:
        owner, trusted = owner_of(address, self._opened.limits.trusted_proxies)
        if self._connecting and not self._opened.has_room(owner, trusted=trusted):
            try:
                await asyncio.wait(self._connecting)  # one of these may give way, but only once it is connected
            except asyncio.CancelledError:
                accepted.close()  # the server stops
                raise
        if not self._opened.admit(owner, trusted=trusted):
            _refuse(accepted)
            return
        connection = CONNECTION(self._opened, owner, self.config, self)
        self._opened.add(connection)
        task = loop.create_task(self._connect(loop, accepted, connection))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, loop: asyncio.AbstractEventLoop, accepted: socket.socket, connection: Connection) -> None:
        try:
            await loop.connect_accepted_socket(lambda: connection, accepted)
        except BaseException as error:
            self._opened.discard(connection)
            accepted.close()
            if not isinstance(error, OSError):
                raise


async def _wait_until_readable(loop: asyncio.AbstractEventLoop, listener: socket.socket) -> None:
    """Wait until a connection waits to be accepted, by whichever process takes it."""
    readable = asyncio.Event()
    loop.add_reader(listener, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(listener)


def _refuse(accepted: socket.socket) -> None:
    """Send a fixed 503. Received bytes are read first, because the system would reset the connection otherwise."""
    accepted.setblocking(False)
    with accepted:
        try:
            accepted.send(_TOO_MANY)
            accepted.shutdown(socket.SHUT_WR)
            accepted.recv(65_536)
        except OSError:
            return  # the client has closed the connection, or has sent nothing yet

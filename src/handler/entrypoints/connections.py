"""Limits on the HTTP server's connections: their number, and the time to send a request or to read an answer.

asyncio's own servers accept without a limit, and when no file descriptor is left they retry without end. Here one loop
accepts connections within the limits. At a limit, a connection that waits for its client (it is idle, or half of a
request's head has arrived) is closed for a new one. A connection whose request is being answered is never closed.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

import uvicorn

from handler.entrypoints.processes import Member
from handler.entrypoints.protocols import CONNECTION, Connection
from handler.entrypoints.workers import Measures

_log = logging.getLogger(__name__)
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_UNUSABLE = {errno.EBADF, errno.EINVAL, errno.ENOTSOCK}
_RETRY_SECONDS = 0.5
"""Pause before the next attempt to accept, after the system had no descriptor left."""
_MIN_PROGRESS = 10_000
"""Bytes of an answer that a client must read within `stall_seconds`."""
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


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits that apply before there is a request."""

    total: int = 800
    """Open connections."""
    per_address: int = 100
    """Open connections of one IPv4 address or one /64 of IPv6; 0: no limit."""
    head_seconds: float = 10
    """Time for the head of a request, from the start of the connection or from the head's first byte."""
    stall_seconds: float = 10
    """Time in which a client must read 10 kB of an answer, or send the next bytes of a body."""
    unsent_bytes: int = 256_000_000
    """Bytes of answers that clients have not read yet, all connections together."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks of proxies. `per_address` does not apply to them, because many clients share each address."""


class Connections:
    """The open connections, and the choice of those that are closed at a limit."""

    def __init__(self, limits: ConnectionLimits, measures: Measures) -> None:
        self.limits = limits
        self._measures = measures
        self._waiting: dict[Connection, None] = {}
        """Connections that wait for their client, the longest wait first."""
        self._by_owner: dict[str, dict[Connection, None]] = {}
        self.total = 0
        """The open connections."""
        self._log_after = float("-inf")
        self._unlogged = 0
        measures.connections.set_function(lambda: self.total)

    def admit(self, owner: str, *, trusted: bool) -> bool:
        """Whether a connection may be opened; at a limit, one that waits for its client is closed for it."""
        if not trusted and 0 < self.limits.per_address <= len(self._by_owner.get(owner, ())):
            mine = next((each for each in self._by_owner[owner] if each in self._waiting), None)
            if not self._displace(mine, "address"):
                return False
        if self.total >= self.limits.total:
            return self._displace(next(iter(self._waiting), None), "total")
        return True

    def has_room(self, owner: str, *, trusted: bool) -> bool:
        """Whether `admit` closes and refuses nothing."""
        is_full = not trusted and 0 < self.limits.per_address <= len(self._by_owner.get(owner, ()))
        return not is_full and self.total < self.limits.total

    def add(self, connection: Connection) -> None:
        """Register a connection that has been accepted. It waits for its client from its first `touch` on."""
        self._by_owner.setdefault(connection.owner, {})[connection] = None
        self.total += 1

    def discard(self, connection: Connection) -> None:
        """Remove a connection that is or will be closed."""
        self._waiting.pop(connection, None)
        mine = self._by_owner.get(connection.owner, {})
        if connection in mine:
            del mine[connection]
            self.total -= 1
            if not mine:
                del self._by_owner[connection.owner]

    def touch(self, connection: Connection) -> None:
        """Update whether a connection waits, after a request has begun or ended."""
        if connection not in self._by_owner.get(connection.owner, {}):
            return
        if not connection.is_waiting:
            self._waiting.pop(connection, None)
        elif connection not in self._waiting:
            self._waiting[connection] = None

    def sweep(self, now: float) -> None:
        """Close connections that exceed a timeout, and the slowest readers while too many bytes are unsent."""
        unsent = 0
        readers: list[Connection] = []
        for connection in [each for mine in self._by_owner.values() for each in mine if each.is_connected]:
            since = connection.head_since
            if since is not None and now - since > self.limits.head_seconds:
                self._close(connection, "head")
            elif size := connection.transport.get_write_buffer_size():
                if self._has_stalled(connection, size, now):
                    self._close(connection, "unread")
                else:
                    unsent += size
                    readers.append(connection)
            else:
                connection.unread_since = None
        for connection in sorted(readers, key=lambda each: each.unread_since or now):
            if unsent <= self.limits.unsent_bytes:
                break
            unsent -= connection.transport.get_write_buffer_size()
            self._close(connection, "unread")

    def report(self, what: str) -> None:
        """Log a problem with connections at most every ten seconds, with the number of occurrences."""
        self._unlogged += 1
        if (now := time.monotonic()) >= self._log_after:
            _log.warning("%s (%d times since the last such line)", what, self._unlogged)
            self._log_after, self._unlogged = now + 10, 0

    def _has_stalled(self, connection: Connection, size: int, now: float) -> bool:
        if connection.unread_since is None or size <= connection.unread - _MIN_PROGRESS:
            connection.unread, connection.unread_since = size, now
        connection.unread = max(connection.unread, size)
        return now - connection.unread_since > self.limits.stall_seconds

    def _displace(self, connection: Connection | None, reason: str) -> bool:
        """Close a connection for a new one. Return False without one to close."""
        if connection is None:
            self.count_refusal(reason)
            return False
        self._close(connection, reason)
        return True

    def count_refusal(self, reason: str) -> None:
        """Count and log a refused connection."""
        self._measures.closed.labels(reason).inc()
        self.report(f"connections are refused: {reason}")

    def _close(self, connection: Connection, reason: str) -> None:
        self._measures.closed.labels(reason).inc()
        self.discard(connection)
        if reason in ("head", "address"):
            connection.give_up()
        else:
            connection.transport.abort()


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
        await asyncio.gather(*self._accepting, return_exceptions=True)
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
            await asyncio.wait(self._connecting)  # one of these may give way, but only once it is connected
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


def owner_of(address: str, trusted: Sequence[IPv4Network | IPv6Network]) -> tuple[str, bool]:
    """Return the address that a connection is counted for (of IPv6 its /64 network), and whether it is trusted."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    is_trusted = any(ip in network for network in trusted)
    if isinstance(ip, IPv6Address):
        return str(IPv6Network((ip, 64), strict=False)), is_trusted
    return str(ip), is_trusted


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

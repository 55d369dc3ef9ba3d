"""Limits on the HTTP server's connections: their number, and the time to send a request or to read an answer.

At a limit, a connection that waits for its client (it is idle, or half of a request's head has arrived) is closed for a
new one. A connection whose request is being answered is never closed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

import uvicorn

from handler.entrypoints.server.workers import Measures

_log = logging.getLogger(__name__)
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nCache-Control: no-store\r\nContent-Length: 0\r\n\r\n"
_MIN_PROGRESS = 10_000
"""Bytes of an answer that a client must read within `stall_seconds`."""


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


class Connection(asyncio.Protocol):
    """What `Connections` has to know of a connection; a class of uvicorn stands beside it among the bases."""

    transport: asyncio.Transport
    cycle: Any
    """uvicorn's newest request; None until the first one."""

    def __init__(self, opened: Connections, owner: str, config: uvicorn.Config, server: uvicorn.Server) -> None:
        super().__init__(config, server.server_state, server.lifespan.state)  # type: ignore[call-arg]  # uvicorn's class
        self.owner = owner
        """The address, or the network, that this connection counts for."""
        self.head_since: float | None = None
        """The time since which the rest of a request's head is awaited; None if no head is awaited."""
        self.unread = 0
        """Unsent bytes of answers when the client last made progress."""
        self.unread_since: float | None = None
        self.is_connected = False
        """Whether there is a transport."""
        self._opened = opened

    @property
    def is_waiting(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def awaits(self) -> tuple[bool, bool]:
        """Return whether a part of a request's head has arrived, and whether the rest of a body is still to come."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # the type is uvicorn's
        super().connection_made(transport)
        self.is_connected = True
        self.head_since = time.monotonic()
        self._opened.touch(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._opened.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.update_state()

    def on_response_complete(self) -> None:
        super().on_response_complete()  # type: ignore[misc]  # uvicorn's class has it
        self.update_state()

    def update_state(self) -> None:
        """Note whether the client is waited for, after bytes have arrived or an answer is complete."""
        if not self.is_waiting:
            self.head_since = None
        elif self.head_since is None and any(self.awaits()):
            # Half a head, or the rest of a body that is not read. uvicorn itself has a timer for idle connections.
            self.head_since = time.monotonic()
        self._opened.touch(self)

    def give_up(self) -> None:
        """Close the connection at once; answer 408 if half of a request's head has arrived."""
        if self.is_waiting and self.awaits()[0] and not self.transport.is_closing():
            self.transport.write(_TOO_SLOW)
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()


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


def owner_of(address: str, trusted: Sequence[IPv4Network | IPv6Network]) -> tuple[str, bool]:
    """Return the address that a connection is counted for (of IPv6 its /64 network), and whether it is trusted."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    is_trusted = any(ip in network for network in trusted)
    if isinstance(ip, IPv6Address):
        return str(IPv6Network((ip, 64), strict=False)), is_trusted
    return str(ip), is_trusted

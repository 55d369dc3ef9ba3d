"""Connections to public addresses only, of which every step ends before a deadline: the guard against SSRF."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from handler.aws.tls import client_tls

_NAT64 = ip_network("64:ff9b::/96")
"""The well-known prefix (RFC 6052): in networks with IPv6 only, IPv4 hosts have addresses in it."""
_GLOBAL_UNICAST = ip_network("2000::/3")
"""All IPv6 addresses assigned for the internet; mapped, translated, local and reserved ones are outside of it."""
_SPECIAL = tuple(
    map(
        ip_network,
        (
            # IANA's registry of special-purpose IPv4 addresses (RFC 6890), and multicast
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by customers of a provider
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local, with the metadata services of clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # multicast tunnels (AMT)
            "192.88.99.0/24",  # relays of 6to4, deprecated
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and limited broadcast
            # The same registry for IPv6, as far as it is within 2000::/3
            "2001::/23",  # protocol assignments: Teredo, benchmarks, AMT, AS112, ORCHID, DRIP
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)
_CONNECT_SECONDS = 3.0


class PrivateAddressError(Exception):
    """A host name that has an address of a private network."""


class GuardedConnection(http.client.HTTPConnection):
    """Connects to an address that it has checked, by TLS unless `tls` is None.

    The host name is resolved once, every address is checked, and the connection is made to one of these addresses
    instead of the name: a second resolution could give another address (DNS rebinding). The Host header, SNI and the
    verification of the certificate still use the name.
    """

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, *, allow_private: bool) -> None:
        self.default_port = 443 if tls else 80
        super().__init__(host, port)
        self._tls = tls
        self._allow_private = allow_private
        self.deadline = 0.0
        """On the monotonic clock; set it before each request."""
        self.response_class = self._response_with_deadline  # type: ignore[assignment]  # http.client calls it to make a response

    def left(self) -> float:
        """Return the seconds that remain. TimeoutError if the deadline has passed."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left

    def connect(self) -> None:
        plain = self._connect_to_any(checked_addresses(self.host, self.port, allow_private=self._allow_private))
        try:
            plain.settimeout(self.left())
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host) if self._tls else plain
        except BaseException:
            plain.close()
            raise

    def send(self, data: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(self.left())
        super().send(data)

    def _connect_to_any(self, addresses: list[tuple[int, Any]]) -> socket.socket:
        failure: OSError = OSError("the name has no address")
        for family, address in addresses:
            plain = socket.socket(family, socket.SOCK_STREAM)
            plain.settimeout(min(self.left(), _CONNECT_SECONDS))
            try:
                plain.connect(address)
            except OSError as error:
                plain.close()
                failure = error
            else:
                return plain
        raise failure

    def _response_with_deadline(self, sock: socket.socket, *args: Any, **kwargs: Any) -> http.client.HTTPResponse:
        response = http.client.HTTPResponse(sock, *args, **kwargs)
        # A socket's timeout is for one read, so a server that sends a byte now and then could go on without end. The
        # reader in its place sets the timeout to what remains before each read.
        response.fp = io.BufferedReader(_DeadlineReader(response.fp.detach(), sock, self))
        return response


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket with the timeout that remains until the connection's deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, connection: GuardedConnection) -> None:
        self._raw = raw
        self._sock = sock
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._connection.left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    seconds: float,
    allow_private: bool,
    tls: ssl.SSLContext | None = None,
) -> int:
    """Send a POST request and return the status of the response, of which no body is read. Redirects are not followed.

    Raise PrivateAddressError for a host with an address that is not public, TimeoutError if there is no status within
    these seconds, or another OSError. `tls` is for tests.
    """
    address = urlsplit(url)
    context = (tls or client_tls()) if address.scheme == "https" else None
    port = address.port or (443 if context else 80)
    connection = GuardedConnection(address.hostname or "", port, context, allow_private=allow_private)
    connection.deadline = time.monotonic() + seconds
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    try:
        connection.request("POST", target, body, dict(headers))
        return connection.getresponse().status
    except http.client.HTTPException as error:
        raise OSError(f"no answer in HTTP: {error!r}") from error
    finally:
        connection.close()


def checked_addresses(host: str, port: int, *, allow_private: bool) -> list[tuple[int, Any]]:
    """Return the families and addresses of a host. PrivateAddressError if any of them is not public."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, address in found:
        if not allow_private and not is_public(str(address[0])):
            raise PrivateAddressError(f"{host} has the address {address[0]}")
    return [(family, address) for family, *_, address in found]


def is_public(text: str) -> bool:
    """Whether an address belongs to the internet. Python's own `is_global` differs between releases.

    For mapped addresses and NAT64 the IPv4 address in them decides. Addresses of tunnels (6to4, Teredo) are not
    public: the IPv4 address in them is that of a tunnel's end, which anyone can set up.
    """
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(str(address.ipv4_mapped))
        if address in _NAT64:
            return is_public(str(IPv4Address(int(address) & 0xFFFF_FFFF)))
        if address not in _GLOBAL_UNICAST:
            return False
    return not any(address in network for network in _SPECIAL)

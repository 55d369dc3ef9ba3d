"""The address of a client behind trusted proxies, each of which adds its own client to X-Forwarded-For."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network

from handler.entrypoints.server.connections import owner_of

Network = IPv4Network | IPv6Network


def find_client(address: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """Return the last address that is not that of a trusted proxy: a client can send any text before it.

    `address` is that of the connection. It is also returned if a proxy has added no address.
    """
    for each in (address, *reversed(forwarded.split(","))):
        client = each.strip()
        try:
            _, is_trusted = owner_of(client, trusted)
        except ValueError:  # such as `unknown`: what is before it cannot be trusted either
            return address
        if not is_trusted:
            return client
    return address

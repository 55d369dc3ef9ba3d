"""Reads the option that names a running service."""

from __future__ import annotations

from urllib.parse import urlsplit

import click


def parse_service_url(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Return scheme and host of a service, without a slash at the end."""
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        is_host_alone = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and is_host_alone:
            return f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        pass  # an invalid port or an invalid IPv6 address
    raise click.BadParameter(f"must be http:// or https:// and a host, got {value!r}", param=parameter)

"""Credentials outside of Lambda, from botocore's chain."""

from __future__ import annotations

from functools import cache
from typing import Any

from handler.aws import Credentials
from handler.core.errors import UpstreamError


@cache
def _credential_chain() -> Any:
    """Return botocore's credentials from a profile, web identity, container or instance. It renews them."""
    from botocore.session import Session  # noqa: PLC0415 - 150 ms that Lambda, which provides its keys, does not pay

    return Session().get_credentials()


def found_credentials() -> Credentials:
    """Return the credentials that botocore's chain finds. Raise UpstreamError if it finds no credentials."""
    found = _credential_chain()
    if found is None:
        raise UpstreamError("AWS cannot be called: there are no credentials", detail="no AWS credentials were found")
    keys = found.get_frozen_credentials()
    return Credentials(keys.access_key, keys.secret_key, keys.token or "")


def forget_credentials() -> None:
    """Search the chain again at the next call, as after the restore of a snapshot, whose credentials may be old."""
    _credential_chain.cache_clear()

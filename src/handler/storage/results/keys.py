"""Check the keys of results."""

from __future__ import annotations

from handler.core.errors import BadRequest
from handler.storage.sources.keys import is_invalid


def checked(key: str) -> str:
    """Return the key. BadRequest if no store can have it."""
    if is_invalid(key):
        raise BadRequest(f"no store can have the key `{key[:60]}`, which has {len(key)} characters")
    return key

"""Which keys results may have."""

from __future__ import annotations

from handler.errors import BadRequest
from handler.storage.sources.keys import is_impossible


def checked(key: str) -> str:
    """The key itself; BadRequest for one that no store keeps."""
    if is_impossible(key):
        raise BadRequest(f"no store keeps the key `{key[:60]}`, which has {len(key)} characters")
    return key

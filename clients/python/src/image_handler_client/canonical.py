"""The canonical form of an address: the text that is signed (docs/signing.md of the service)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote


def canonical(path: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Return a decoded path with decoded names and values, percent-encoded in one way, and sorted."""
    encoded = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in pairs)
    query = "&".join(f"{name}={value}" for name, value in encoded)
    return quote(path, safe="/") + (f"?{query}" if query else "")

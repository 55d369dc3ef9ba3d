"""ICC profiles (ICC.1:2022, 7.2): whether bytes that call themselves one are one."""

from __future__ import annotations

_HEADER = 128
_SIGNATURE_AT, _SIGNATURE = 36, b"acsp"


def profile_in(content: bytes) -> bytes:
    """The profile at the start of these bytes, without what follows it; empty where there is none."""
    size = int.from_bytes(content[:4], "big")
    is_profile = _HEADER <= size <= len(content) and content.startswith(_SIGNATURE, _SIGNATURE_AT)
    return content[:size] if is_profile else b""

"""Check that bytes are an ICC profile (ICC.1:2022, 7.2)."""

from __future__ import annotations

_HEADER = 128
_SIGNATURE_AT, _SIGNATURE = 36, b"acsp"


def extract_profile(content: bytes) -> bytes:
    """Return the profile at the start of these bytes without what follows it, or no bytes if there is not one."""
    size = int.from_bytes(content[:4], "big")
    is_profile = _HEADER <= size <= len(content) and content.startswith(_SIGNATURE, _SIGNATURE_AT)
    return content[:size] if is_profile else b""

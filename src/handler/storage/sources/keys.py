"""Check keys: whether a store can have them, and whether obstore can read them."""

from __future__ import annotations

from collections.abc import Iterator

MAX_KEY_BYTES = 1024
"""Limit of S3, GCS and Azure."""


def is_invalid(key: str) -> bool:
    """Whether no store has such a key.

    S3 could store keys with the segments `.` and `..`, but folders and proxies would resolve them as paths.
    """
    if not key or any(0xD800 <= ord(character) <= 0xDFFF for character in key):
        return True
    return len(key.encode()) > MAX_KEY_BYTES or any(segment in {".", ".."} for segment in key.split("/"))


def needs_boto(key: str) -> bool:
    """Whether obstore refuses or changes the key: empty segments and control characters."""
    return "" in key.split("/") or any(character < " " or character == "\x7f" for character in key)


def other_forms(key: str) -> Iterator[str]:
    """Yield the key in the other normal forms of Unicode: `é` as one character, and as two."""
    if key.isascii():
        return
    from unicodedata import normalize  # noqa: PLC0415 - a megabyte of tables for few keys

    yield from (form for form in (normalize("NFC", key), normalize("NFD", key)) if form != key)

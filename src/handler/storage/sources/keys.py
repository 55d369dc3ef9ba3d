"""Which keys a store may be asked for, and by whom."""

from __future__ import annotations

from collections.abc import Iterator

LONGEST = 1024
"""Bytes of a key, as S3, GCS and Azure count them."""


def is_impossible(key: str) -> bool:
    """Whether no store here serves such a key.

    `.` and `..` name nothing in S3, but stores that keep files, and whatever lies between, would walk along them.
    """
    if not key or any(0xD800 <= ord(character) <= 0xDFFF for character in key):
        return True
    return len(key.encode()) > LONGEST or any(segment in {".", ".."} for segment in key.split("/"))


def is_odd(key: str) -> bool:
    """Whether obstore refuses the key or takes it for another: slashes at the ends or twice, control characters."""
    return "" in key.split("/") or any(character < " " or character == "\x7f" for character in key)


def other_forms(key: str) -> Iterator[str]:
    """The key in the normal forms of Unicode that it is not in: `é` as one character, and as two."""
    if key.isascii():
        return
    from unicodedata import normalize  # noqa: PLC0415 - a megabyte of tables that few keys need

    yield from (form for form in (normalize("NFC", key), normalize("NFD", key)) if form != key)

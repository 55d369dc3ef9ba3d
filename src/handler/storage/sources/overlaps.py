"""Tell whether an object can be read from two sources, by whatever key."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from handler.storage.sources.locations import StoreLocation


def overlap(one: StoreLocation, other: StoreLocation) -> bool:
    """Return whether the same object may be in both sources: because one of them is within the other, or is the other.

    Where it cannot be known, because only one of two S3 sources names its endpoint, the answer is yes.
    """
    if one.scheme != other.scheme:
        return False
    if one.scheme == "file":
        return _is_within(one.folder, other.folder) or _is_within(other.folder, one.folder)
    if one.scheme == "s3":
        has_two_endpoints = bool(one.endpoint and other.endpoint) and one.endpoint != other.endpoint
        is_same_store = one.bucket == other.bucket and not has_two_endpoints
        return is_same_store and _share_keys(one.prefix, other.prefix)
    first, second = urlsplit(one.url), urlsplit(other.url)
    if (first.hostname, first.port or 443) != (second.hostname, second.port or 443):
        return False
    return _share_keys(*(unquote(url.path).strip("/") for url in (first, second)))


def _share_keys(prefix: str, other: str) -> bool:
    first, second = (f"{each}/" if each else "" for each in (prefix, other))
    return first.startswith(second) or second.startswith(first)


def _is_within(folder: Path, other: Path) -> bool:
    """Return whether a folder is the other one or is in it, also on a file system that ignores case."""
    if folder.is_relative_to(other):
        return True
    return other.exists() and any(each.exists() and each.samefile(other) for each in (folder, *folder.parents))

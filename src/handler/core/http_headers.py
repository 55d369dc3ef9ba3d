"""Cache-Control (RFC 9111, 5.2), which a URL must not loosen, and Content-Disposition (RFC 6266)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from imaging import MEDIA_TYPES, Output, format_by_name

_RESTRICTING = ("no-store", "private", "no-cache")
"""Directives that keep an answer out of shared caches, the strictest first."""


def directives(cache_control: str) -> dict[str, str]:
    """Return the directives and their values, names in lower case."""
    parts = (part.strip().lower().partition("=") for part in cache_control.split(","))
    return {name: value.strip('"') for name, _, value in parts if name}


def freshness(cache_control: str, max_seconds: int) -> int:
    """Return for how many seconds, up to `max_seconds`, any cache may store the answer; 0: not at all."""
    found = directives(cache_control)
    if not found.keys().isdisjoint(_RESTRICTING):
        return 0
    ages = (found[name] for name in ("s-maxage", "max-age") if name in found)
    # An age that cannot be read counts as stale (RFC 9111, 4.2.1).
    return min([max_seconds, *(int(age) if age.isdecimal() else 0 for age in ages)])


def restricting_directives(cache_control: str) -> list[str]:
    """Return those of no-store, private and no-cache in it, also for single fields (`private="Set-Cookie"`)."""
    found = directives(cache_control)
    return [name for name in _RESTRICTING if name in found]


def is_looser(cache_control: str, than: str) -> bool:
    """Whether `cache_control` lets caches store an answer that `than` forbids them to store."""
    without_value = {name for name, value in directives(cache_control).items() if not value}
    return "no-store" not in without_value and not without_value.issuperset(restricting_directives(than))


def strictest(own: str, others: Iterable[str]) -> str:
    """Return the Cache-Control of an original, restricted further by those of the objects in the same result."""
    restricting = {name for each in others for name in restricting_directives(each)}
    if restricting.issubset(restricting_directives(own)):
        return own
    return ", ".join(name for name in _RESTRICTING if name in restricting.union(restricting_directives(own)))


def content_disposition(output: Output, media_type: str) -> str:
    """Return the Content-Disposition that the output options ask for, empty if they name no file."""
    if output.download:
        return _disposition("attachment", output.download)
    if not output.filename:
        return ""
    name = next((name for name, known in MEDIA_TYPES.items() if known == media_type), "")
    extension = format_by_name(name).extensions[0] if name else "json"
    return _disposition("attachment" if output.attachment else "inline", f"{output.filename}.{extension}")


def _disposition(kind: str, name: str) -> str:
    """Return the header by RFC 6266: an ASCII name for old clients, and the exact name."""
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%' else "_" for char in name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"

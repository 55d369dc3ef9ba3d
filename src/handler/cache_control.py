"""Cache-Control (RFC 9111, 5.2): what it says, and that no URL loosens what an object says of itself."""

from __future__ import annotations

from collections.abc import Iterable

_CLOSING = ("no-store", "private", "no-cache")
"""Directives that keep an answer out of shared caches, the strictest first."""


def directives(cache_control: str) -> dict[str, str]:
    """What a Cache-Control says, in small letters."""
    parts = (part.strip().lower().partition("=") for part in cache_control.split(","))
    return {name: value.strip('"') for name, _, value in parts if name}


def freshness(cache_control: str, most: int) -> int:
    """Seconds for which any cache may keep what has that Cache-Control, at most `most`; 0: not at all."""
    said = directives(cache_control)
    if not said.keys().isdisjoint(_CLOSING):
        return 0
    ages = (said[name] for name in ("s-maxage", "max-age") if name in said)
    # What cannot be read counts as stale (RFC 9111, 4.2.1).
    return min([most, *(int(age) if age.isdecimal() else 0 for age in ages)])


def closing(cache_control: str) -> list[str]:
    """Those of no-store, private and no-cache that it names, also for single fields (`private="Set-Cookie"`)."""
    said = directives(cache_control)
    return [name for name in _CLOSING if name in said]


def is_looser(cache_control: str, than: str) -> bool:
    """Whether an answer with that Cache-Control may be kept where `than` says that it must not be."""
    said = {name for name, value in directives(cache_control).items() if not value}
    return "no-store" not in said and not said.issuperset(closing(than))


def strictest(own: str, others: Iterable[str]) -> str:
    """The Cache-Control of an original, closed further where those of the objects in the same answer are."""
    closed = {name for each in others for name in closing(each)}
    if closed.issubset(closing(own)):
        return own
    return ", ".join(name for name in _CLOSING if name in closed.union(closing(own)))

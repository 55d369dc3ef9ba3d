"""Helpers that dialects share when they write a request as a URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from imaging import Step

_BARE = "/:(),;|'[]@!*~"
"""Characters that need no percent-encoding in a path, where they are easier to read."""


def address(path: str, pairs: Mapping[str, str]) -> str:
    """Return a decoded path and decoded parameters, percent-encoded, as a URL."""
    query = "&".join(f"{quote(name, safe='.')}={quote(value, safe='/:,')}" for name, value in pairs.items())
    return quote(path, safe=_BARE) + ("?" + query if query else "")


def folded(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps with the two halves of a resize joined.

    Where sharp turns an image between scaling it and cropping it, JSON edits have one resize, and the steps have two.
    """
    at = [location for location, step in enumerate(steps) if step.feature.name == "resize"]
    if len(at) != 2 or not steps[at[0] + 1 : at[1]] or not all(map(_is_turn, steps[at[0] + 1 : at[1]])):
        return steps
    scaled: Any
    framed: Any
    scaled, framed = (steps[location].params for location in at)
    limits = {name: getattr(scaled, name) for name in ("without_enlargement", "without_reduction")}
    whole = msgspec.structs.replace(framed, **limits)
    if {"cover": "outside", "contain": "inside"}.get(framed.fit) != scaled.fit:
        return steps
    if msgspec.structs.replace(scaled, fit=framed.fit) != whole:
        return steps
    return (*steps[: at[0]], steps[at[0]]._replace(params=whole), *steps[at[0] + 1 : at[1]], *steps[at[1] + 1 :])


def _is_turn(step: Step) -> bool:
    return step.feature.name in ("flip", "flop", "rotate")


def first_of_each(steps: tuple[Step, ...]) -> list[Step]:
    """Return the first step of each feature, for dialects in which a feature occurs once."""
    first: dict[str, Step] = {}
    for step in folded(steps):
        first.setdefault(step.feature.name, step)
    return list(first.values())

"""Helpers that dialects share when they write a request as a URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from imaging import Step

_BARE = "/:(),;|'[]@!*~"
"""Characters that need no percent-encoding in a path, where they are easier to read."""


def build_url(path: str, pairs: Mapping[str, str]) -> str:
    """Return a decoded path and decoded parameters, percent-encoded, as a URL."""
    query = "&".join(f"{quote(name, safe='.')}={quote(value, safe='/:,')}" for name, value in pairs.items())
    return quote(path, safe=_BARE) + ("?" + query if query else "")


def join_resize(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps with the two halves of a resize joined, or unchanged if they are not such halves.

    sharp flips and rotates between scaling an image and cropping it. The steps of JSON edits then have two resizes (see
    `aws_rules.order_steps`), where the edits and all other dialects have one.
    """
    at = [index for index, step in enumerate(steps) if step.feature.name == "resize"]
    between = steps[at[0] + 1 : at[1]] if len(at) == 2 else ()
    if not between or not all(step.feature.name in ("flip", "flop", "rotate") for step in between):
        return steps
    scaled: Any
    framed: Any
    scaled, framed = (steps[index].params for index in at)
    # The second half never scales, so the limits of the resize are those of the first one. All else must be equal,
    # apart from the fit with which the first half scales.
    limits = {name: getattr(scaled, name) for name in ("without_enlargement", "without_reduction")}
    joined = msgspec.structs.replace(framed, **limits)
    if {"cover": "outside", "contain": "inside"}.get(framed.fit) != scaled.fit:
        return steps
    if msgspec.structs.replace(scaled, fit=framed.fit) != joined:
        return steps
    return (*steps[: at[0]], steps[at[0]]._replace(params=joined), *between, *steps[at[1] + 1 :])


def take_first_of_each(steps: tuple[Step, ...]) -> list[Step]:
    """Return the first step of each feature, for dialects in which a feature occurs once."""
    first: dict[str, Step] = {}
    for step in join_resize(steps):
        first.setdefault(step.feature.name, step)
    return list(first.values())

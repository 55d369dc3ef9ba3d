"""Helpers that dialects share when they write a request as a URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from features import in_order
from handler.requests.parsed_request import Insert, Recipe
from imaging import Step, describe

SEARCHED = (("format", "best"), ("quality", "auto"))
"""Output options, with their values, for which most dialects have no word."""
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


def has_own_order(recipe: Recipe) -> bool:
    """Return whether only `steps` can express a recipe: it names presets, repeats a feature or has an own order."""
    steps = join_resize(recipe.steps)
    names = [step.feature.name for step in steps]
    return bool(recipe.inserts) or len(set(names)) < len(names) or in_order(steps) != steps


def write_chain(recipe: Recipe) -> list[dict[str, Any]]:
    """Return the value of `steps` for the steps of a recipe and the presets between them."""
    return [{"preset": item.preset} if isinstance(item, Insert) else dict([write_edit(item)]) for item in recipe.items]


def write_edit(step: Step) -> tuple[str, Any]:
    """Return the name and the value of an edit; AWS's `smartCrop` has a place of its own in the order."""
    params = describe(step.params)
    if step.feature.name == "smartCropping" and {"faceIndex"} <= params.keys() <= {"faceIndex", "padding"}:
        return "smartCrop", params
    # `rotate` without a number only applies the orientation that the file states.
    return step.feature.name, params or (0 if step.feature.name == "rotate" else True)


def take_first_of_each(steps: tuple[Step, ...]) -> list[Step]:
    """Return the first step of each feature, for dialects in which a feature occurs once."""
    first: dict[str, Step] = {}
    for step in join_resize(steps):
        first.setdefault(step.feature.name, step)
    return list(first.values())

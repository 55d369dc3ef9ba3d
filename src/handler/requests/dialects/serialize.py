"""Requests written down again, in query parameters and in JSON; what a language cannot say is left out."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from imaging import ObjectRef, Output, Step, describe, main_field, spellings

_BARE = "/:(),;|'[]@!*~"
"""What may stand in a path as it is, and is easier to read so."""
_SIZES = ("width", "height")


class Request(msgspec.Struct, frozen=True):
    """What is to be written."""

    ref: ObjectRef
    steps: tuple[Step, ...] = ()
    output: Output = msgspec.field(default_factory=Output)
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    controls: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Query parameters that go with a path in any language."""


def address(path: str, pairs: Mapping[str, str]) -> str:
    """A decoded path and decoded parameters as a URL has them."""
    query = "&".join(f"{quote(name, safe='.')}={quote(value, safe='/:,')}" for name, value in pairs.items())
    return quote(path, safe=_BARE) + ("?" + query if query else "")


def in_query(request: Request, prefix: str) -> str:
    """Query parameters; `prefix` is `/`, or what keeps a key from being read as something else."""
    pairs = {"bucket": request.ref.bucket} if request.ref.bucket else {}
    for step in _once(request.steps):
        pairs |= _pairs(step)
    taken = {name for step in request.steps for name in spellings(step.feature.params)}
    for name, value in describe(request.output).items():
        pairs[f"output.{name}" if name in taken else name] = _text(value)
    return address(prefix + request.ref.key, {**pairs, **request.controls})


def folded(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps as JSON says them: one resize where sharp turns the picture between scaling it and cutting it off."""
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


def _once(steps: tuple[Step, ...]) -> list[Step]:
    """The first step of each feature: neither language says one twice."""
    first: dict[str, Step] = {}
    for step in folded(steps):
        first.setdefault(step.feature.name, step)
    return list(first.values())


def _pairs(step: Step) -> dict[str, str]:
    params = describe(step.params)
    main = main_field(step.feature.params)
    name = step.feature.name
    if not params:
        return {name: "true"}
    if main is not None and list(params) == [main.name] and type(params[main.name]) is not bool:
        return {name: _text(params[main.name])}
    is_resize = name == "resize"
    return {
        field if is_resize and field in _SIZES else f"{name}.{field}": _text(value) for field, value in params.items()
    }


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def _edit(step: Step) -> tuple[str, Any]:
    """Name and value; AWS's `smartCrop` has a place of its own among the others."""
    params = describe(step.params)
    if step.feature.name == "smartCropping" and {"faceIndex"} <= params.keys() <= {"faceIndex", "padding"}:
        return "smartCrop", params
    # `rotate` without a number only sets the picture upright.
    return step.feature.name, params or (0 if step.feature.name == "rotate" else True)


def in_json(request: Request) -> str:
    """Base64 JSON, as AWS's image handler has it."""
    edits: dict[str, Any] = dict(map(_edit, _once(request.steps)))
    output = describe(request.output)
    if "format" in output:
        edits["toFormat"] = output.pop("format")
    params: dict[str, Any] = {"bucket": request.ref.bucket} if request.ref.bucket else {}
    params |= {"key": request.ref.key}
    if edits or output:
        params["edits"] = {**edits, **output}
    if request.headers:
        params["headers"] = dict(request.headers)
    text = json.dumps(params, ensure_ascii=False, separators=(",", ":"))
    return address("/" + base64.urlsafe_b64encode(text.encode()).decode(), request.controls)

"""Requests written as query parameters; what the dialect cannot express is left out."""

from __future__ import annotations

import json
from typing import Any

from handler.requests.dialects.json_edits.edits import CHAIN
from handler.requests.dialects.serialize import build_url, has_own_order, take_first_of_each, write_chain
from handler.requests.parsed_request import ParsedRequest
from imaging import Step, describe, main_field, spellings

_SIZES = ("width", "height")


def to_query(request: ParsedRequest, prefix: str) -> str:
    """Return the URL; `prefix` is what stands before the key, `/` or `/_key/`."""
    pairs = {"bucket": request.ref.bucket} if request.ref.bucket else {}
    if has_own_order(request.recipe):
        pairs[CHAIN] = json.dumps(write_chain(request.recipe), ensure_ascii=False, separators=(",", ":"))
    else:
        for step in take_first_of_each(request.recipe.steps):
            pairs |= _write_step(step)
    # An output option that a feature has as well is dotted, as an undotted one would belong to that feature.
    taken = {name for step in request.recipe.steps for name in spellings(step.feature.params)}
    for name, value in describe(request.recipe.output).items():
        pairs[f"output.{name}" if name in taken else name] = _write_value(value)
    return build_url(prefix + request.ref.key, {**pairs, **request.controls})


def _write_step(step: Step) -> dict[str, str]:
    """Return the shortest parameters for a step: `blur=true`, `blur=3`, or one for each field."""
    params = describe(step.params)
    main = main_field(step.feature.params)
    name = step.feature.name
    if not params:
        return {name: "true"}
    if main is not None and list(params) == [main.name] and type(params[main.name]) is not bool:
        return {name: _write_value(params[main.name])}
    is_resize = name == "resize"
    return {
        field if is_resize and field in _SIZES else f"{name}.{field}": _write_value(value)
        for field, value in params.items()
    }


def _write_value(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)

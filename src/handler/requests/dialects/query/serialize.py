"""Requests written as query parameters; what the dialect cannot express is left out."""

from __future__ import annotations

from typing import Any

from handler.requests.dialects.serialize import address, first_of_each
from handler.requests.parsed_request import ParsedRequest
from imaging import Step, describe, main_field, spellings

_SIZES = ("width", "height")


def to_query(request: ParsedRequest, prefix: str) -> str:
    """Return the URL; `prefix` is what stands before the key, `/` or `/_key/`."""
    pairs = {"bucket": request.ref.bucket} if request.ref.bucket else {}
    for step in first_of_each(request.recipe.steps):
        pairs |= _pairs(step)
    taken = {name for step in request.recipe.steps for name in spellings(step.feature.params)}
    for name, value in describe(request.recipe.output).items():
        pairs[f"output.{name}" if name in taken else name] = _text(value)
    return address(prefix + request.ref.key, {**pairs, **request.controls})


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

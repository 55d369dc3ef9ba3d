"""Steps and outputs as plain data: what names an answer, and what `explain` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from imaging.params.model import Params
from imaging.pipeline.feature import Step


def describe(params: Params) -> dict[str, Any]:
    """The parameters that differ from their defaults, by public name; colours and lengths spelled canonically."""
    # Not msgspec.structs.fields: it reads every annotation again, which takes a millisecond of each request.
    model = type(params)
    names, defaults = model.__struct_fields__, model.__struct_defaults__
    every = (msgspec.NODEFAULT,) * (len(names) - len(defaults)) + defaults
    plain: dict[str, Any] = {}
    for name, public, default in zip(names, model.__struct_encode_fields__, every, strict=True):
        value = getattr(params, name)
        if value != default:
            plain[public] = value if _is_plain(value) else str(value)
    return plain


def describe_steps(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """`[{"feature": name, …parameters}]`, in the order of application."""
    return [{"feature": step.feature.name, **describe(step.params)} for step in steps]


def _is_plain(value: object) -> bool:
    return value is None or type(value) in (bool, int, float, str)

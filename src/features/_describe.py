"""Steps and outputs as plain data: what names an answer, and what `explain` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from features._feature import Params, Step


def describe(params: Params) -> dict[str, Any]:
    """The parameters that differ from their defaults, by public name; colours and lengths spelled canonically."""
    plain: dict[str, Any] = {}
    for field in msgspec.structs.fields(type(params)):
        value = getattr(params, field.name)
        if value != field.default:
            plain[field.encode_name] = value if _is_plain(value) else str(value)
    return plain


def describe_steps(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """`[{"feature": name, …parameters}]`, in the order of application."""
    return [{"feature": step.feature.name, **describe(step.params)} for step in steps]


def _is_plain(value: object) -> bool:
    return value is None or type(value) in (bool, int, float, str)

"""Steps and output options as plain data, of which ETags are made and which `explain` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from imaging.params.model import Params
from imaging.pipeline.feature import Step


def describe(params: Params) -> dict[str, Any]:
    """Return the parameters that differ from their defaults, by public name; types of text in canonical spelling."""
    # Not msgspec.structs.fields: it reads every annotation again, which takes a millisecond of each request.
    model = type(params)
    names, defaults = model.__struct_fields__, model.__struct_defaults__
    # msgspec lists the defaults of the last fields only: those before them are required.
    all_defaults = (msgspec.NODEFAULT,) * (len(names) - len(defaults)) + defaults
    plain: dict[str, Any] = {}
    for name, public, default in zip(names, model.__struct_encode_fields__, all_defaults, strict=True):
        value = getattr(params, name)
        if value != default:
            is_plain = value is None or type(value) in (bool, int, float, str)
            plain[public] = value if is_plain else str(value)
    return plain


def describe_steps(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return `[{"feature": name, …parameters}]`, in the order of application."""
    return [{"feature": step.feature.name, **describe(step.params)} for step in steps]

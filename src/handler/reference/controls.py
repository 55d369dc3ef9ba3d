"""The catalogue as the demo page needs it to make controls."""

from __future__ import annotations

from typing import Any

from features import CATALOGUE, Feature, Field, Output, fields
from handler.reference.schema import is_required, plain


def controls() -> dict[str, Any]:
    """Features in the order of application, then the output; each parameter with what its control needs to know."""
    return {
        "features": [_feature(feature) for feature in CATALOGUE],
        "output": [_control(field) for field in fields(Output).values()],
    }


def _feature(feature: Feature) -> dict[str, Any]:
    return {
        "name": feature.name,
        "help": feature.help,
        "group": feature.group,
        "aliases": list(feature.aliases),
        "heavy": feature.heavy,
        "billed": feature.billed,
        "parameters": [_control(field) for field in fields(feature.params).values()],
    }


def _control(field: Field) -> dict[str, Any]:
    control: dict[str, Any] = {
        "name": field.name,
        "help": field.description,
        "control": kind_of(field),
        "default": plain(field.default),
        "required": is_required(field),
        "main": field.main,
        "aliases": list(field.aliases),
        "unit": field.unit,
    }
    if choices := choices_of(field):
        control["choices"] = list(choices)
    names = {
        "ge": "min",
        "gt": "above",
        "le": "max",
        "lt": "below",
        "min_length": "minLength",
        "max_length": "maxLength",
    }
    return control | {names[bound]: value for bound, value in field.bounds.items()}


def kind_of(field: Field) -> str:
    """switch, choice, integer, number, text, color, length, point, ratio, names or backdrop."""
    if choices_of(field):
        return "choice"
    kind = field.kinds[0]
    plain_kinds = {bool: "switch", int: "integer", float: "number", str: "text"}
    return plain_kinds.get(kind) or str(kind.schema["format"])


def choices_of(field: Field) -> tuple[str, ...]:
    """What there is to choose from, of literals and of positions."""
    return field.choices or tuple(getattr(field.kinds[0], "choices", ()))

"""Generate demo-ui/features.json, from which the demo page builds its controls; empty values are left out."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from features import CATALOGUE, edits, feature_aliases
from handler.pages import EXAMPLES, RECIPES, Example
from handler.reference.exclusions import describe_rules, find_rules
from handler.reference.schema import is_required, plain
from handler.requests import dialects
from imaging import Feature, Field, Output, describe, fields

_BOUNDS = {
    "ge": "min", "gt": "above", "le": "max", "lt": "below", "min_length": "minLength", "max_length": "maxLength",
}  # fmt: skip
_SIDES = ("left", "top", "width", "height")
_WIDEST = 1_000
"""The longest range of a slider; on a longer one, single values cannot be set by hand."""


def controls() -> dict[str, Any]:
    """Return the features in the order in which they apply, the output options, and the examples."""
    return {
        "features": [_feature(feature) for feature in CATALOGUE],
        "output": [_control(field) for field in fields(Output).values()],
        "outputRules": describe_rules(find_rules(Output, kind_of)),
        "languages": [
            _without_empty(name=dialect.name, title=dialect.title or dialect.name, example=dialect.example)
            for dialect in dialects.translations()
        ],
        "recipes": [_example(example) for example in RECIPES],
        "examples": [_example(example) for example in EXAMPLES],
    }


def _feature(feature: Feature) -> dict[str, Any]:
    known = fields(feature.params)
    return _without_empty(
        name=feature.name,
        help=feature.help,
        group=feature.group,
        aliases=list(feature_aliases(feature.name)),
        expensive=bool(feature.expensive),
        billed=bool(feature.billed),
        box=all(side in known and kind_of(known[side]) == "length" for side in _SIDES),
        start=_start(feature),
        **describe_rules(find_rules(feature.params, kind_of)),
    ) | {"parameters": [_control(field) for field in known.values()]}


def _control(field: Field) -> dict[str, Any]:
    kind = kind_of(field)
    return _without_empty(
        name=field.name,
        help=field.description,
        control=kind,
        required=is_required(field),
        main=field.main,
        aliases=list(field.aliases),
        unit=field.unit,
        choices=list(choices_of(field)),
        usual=_usual(field) if kind in ("integer", "number") else None,
    ) | {"default": plain(field.default), **{_BOUNDS[bound]: value for bound, value in field.bounds.items()}}


def kind_of(field: Field) -> str:
    """Return the kind of control for a field.

    It is position, switch, choice, integer, number, text, color, length, point, ratio, names, numbers, backdrop,
    gravity, boxes or format-quality.
    """
    if field.is_choice:
        return "choice"
    kind = field.kinds[0]
    if hasattr(kind, "choices"):
        return "position"
    plain_kinds = {bool: "switch", int: "integer", float: "number", str: "text"}
    return plain_kinds.get(kind) or str(kind.schema["format"])


def choices_of(field: Field) -> tuple[str, ...]:
    """Return the values of a field that takes one of a few: a literal or a position."""
    return field.choices or tuple(getattr(field.kinds[0], "choices", ()))


def _usual(field: Field) -> list[float]:
    """Return the first and the last value of a slider."""
    if field.usual:
        return list(field.usual)
    low = field.bounds.get("ge", field.bounds.get("gt", 0))
    high = field.bounds.get("le", field.bounds.get("lt", low + _WIDEST))
    if high - low > _WIDEST and low < 0 < high:
        return [max(low, -_WIDEST // 2), min(high, _WIDEST // 2)]
    return [low, min(high, low + _WIDEST)]


def _start(feature: Feature) -> dict[str, Any]:
    """Return the parameters of the feature's first example, because defaults alone may have no visible effect."""
    example = next((example for example in EXAMPLES if example.feature == feature.name), None)
    if example is None:
        return {}
    edits_of = dialects.parse_query(parse_qsl(example.query, keep_blank_values=True)).edits
    steps = edits({feature.name: edits_of[feature.name]}, text=True)
    return describe(steps[0].params)


def _example(example: Example) -> dict[str, Any]:
    return _without_empty(title=example.title, feature=example.feature, query=example.query, logo=example.of == "logo")


def _without_empty(**facts: Any) -> dict[str, Any]:
    """Return the facts that are not empty, zero or false."""
    return {name: fact for name, fact in facts.items() if fact}

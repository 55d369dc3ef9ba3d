"""The catalogue as the demo page needs it to make controls: only what is said, so that the page stays small."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from features import CATALOGUE, edits, feature_aliases
from handler.pages import EXAMPLES, RECIPES, Example
from handler.reference.schema import is_required, plain
from handler.requests.dialects import query
from imaging import Feature, Field, Output, describe, fields

_BOUNDS = {
    "ge": "min", "gt": "above", "le": "max", "lt": "below", "min_length": "minLength", "max_length": "maxLength",
}  # fmt: skip
_SIDES = ("left", "top", "width", "height")
_WIDEST = 1_000
"""A slider over more than that is of no use to a hand."""


def controls() -> dict[str, Any]:
    """Features in the order of application, then the output; each parameter with what its control needs to know."""
    return {
        "features": [_feature(feature) for feature in CATALOGUE],
        "output": [_control(field) for field in fields(Output).values()],
        "recipes": [_example(example) for example in RECIPES],
        "examples": [_example(example) for example in EXAMPLES],
    }


def _feature(feature: Feature) -> dict[str, Any]:
    known = fields(feature.params)
    return _said(
        name=feature.name,
        help=feature.help,
        group=feature.group,
        aliases=list(feature_aliases(feature.name)),
        heavy=feature.expensive,
        billed=feature.billed,
        box=all(side in known and kind_of(known[side]) == "length" for side in _SIDES),
        start=_start(feature),
    ) | {"parameters": [_control(field) for field in known.values()]}


def _control(field: Field) -> dict[str, Any]:
    kind = kind_of(field)
    return _said(
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
    """position, switch, choice, integer, number, text, color, length, point, ratio, names or backdrop."""
    if field.choices:
        return "choice"
    kind = field.kinds[0]
    if hasattr(kind, "choices"):
        return "position"
    plain_kinds = {bool: "switch", int: "integer", float: "number", str: "text"}
    return plain_kinds.get(kind) or str(kind.schema["format"])


def choices_of(field: Field) -> tuple[str, ...]:
    """What there is to choose from, of literals and of positions."""
    return field.choices or tuple(getattr(field.kinds[0], "choices", ()))


def _usual(field: Field) -> list[float]:
    """From where to where a slider goes."""
    if field.usual:
        return list(field.usual)
    least = field.bounds.get("ge", field.bounds.get("gt", 0))
    most = field.bounds.get("le", field.bounds.get("lt", least + _WIDEST))
    if most - least > _WIDEST and least < 0 < most:
        return [max(least, -_WIDEST // 2), min(most, _WIDEST // 2)]
    return [least, min(most, least + _WIDEST)]


def _start(feature: Feature) -> dict[str, Any]:
    """What the feature's first example sets: something to see where the defaults would show nothing."""
    example = next((example for example in EXAMPLES if example.feature == feature.name), None)
    if example is None:
        return {}
    said = query.read(parse_qsl(example.query, keep_blank_values=True)).edits
    steps = edits({feature.name: said[feature.name]}, text=True)
    return describe(steps[0].params)


def _example(example: Example) -> dict[str, Any]:
    return _said(title=example.title, feature=example.feature, query=example.query, logo=example.of == "logo")


def _said(**facts: Any) -> dict[str, Any]:
    """Without what is empty or false."""
    return {name: fact for name, fact in facts.items() if fact}

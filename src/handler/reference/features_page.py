"""docs/features.md: every feature with its parameters, for people."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from features import CATALOGUE, feature_aliases
from handler.reference.schema import is_required, plain
from imaging import Feature, Field, Output, Params, fields, main_field

_BEGIN = """<!-- Generated from the code: make reference -->
# Features

A URL names a feature and its parameters: `?blur.sigma=3`. Where a feature has a main parameter, its name alone sets
it: `?blur=3`. A feature is switched on with its defaults by `true`: `?flip=true`. `feature=resize,flip` switches
features on by name, and parameters beside it need no prefix. `width` and `height` alone mean `resize`.
In JSON edits the same names are keys: `{"blur": {"sigma": 3}}`, `{"blur": 3}`, `{"flip": true}`.

The orientation of the original is applied first, then the features in the order of this list, whatever their order in
the URL. All of them work on animations, frame by frame. What is out of range, unknown or malformed is refused with 400.

"""
_DEAR = """
Expensive features run a model, billed ones ask a service that bills each call: without a signature both need
`PUBLIC_FEATURES`.
"""


def features_page() -> str:
    """The whole page in Markdown."""
    models: list[type[Params]] = [*(feature.params for feature in CATALOGUE), Output]
    parts = [
        _BEGIN,
        _table(("Feature", "Group", "What it does"), map(_in_short, CATALOGUE)),
        *([_DEAR] if any(feature.expensive or feature.billed for feature in CATALOGUE) else []),
        *map(_section, CATALOGUE),
        "\n## Output\n\nHow the result is written: `?format=webp&quality=70`.\n\n" + _parameters(Output),
        "\n## Spellings\n\nPercent of a length is written `25p` or, percent-encoded in a URL, `25%25`.\n\n",
        _table(("Value", "Written as", "Examples"), map(_spelling, _text_types(models))),
    ]
    return "".join(parts)


def _in_short(feature: Feature) -> tuple[str, str, str]:
    return (f"[{feature.name}](#{feature.name.lower()})", ", ".join(_marks(feature)), feature.help)


def _marks(feature: Feature) -> list[str]:
    dear = [word for word, is_so in (("expensive", feature.expensive), ("billed", feature.billed)) if is_so]
    return [feature.group, *dear]


def _section(feature: Feature) -> str:
    main = main_field(feature.params)
    notes = [f"{feature.help.rstrip('.')}."]
    if feature_aliases(feature.name):
        notes.append(f"Also called {_listed(feature_aliases(feature.name))}.")
    if main:
        notes.append(f"`{feature.name}=…` sets `{main.name}`.")
    table = _parameters(feature.params) if fields(feature.params) else "No parameters.\n"
    more = inspect.cleandoc(feature.params.__doc__ or "").partition("\n\n")[2]
    parts = [f"\n## {feature.name}", " ".join(notes), more, table]
    return "\n\n".join(part for part in parts if part)


def _parameters(model: type[Params]) -> str:
    return _table(("Parameter", "Value", "Default", "What it does"), map(_row, fields(model).values()))


def _row(field: Field) -> tuple[str, str, str, str]:
    names = f"`{field.name}`" + (f", also {_listed(field.aliases)}" if field.aliases else "")
    default = "required" if is_required(field) else "" if field.default is None else f"`{_spelled(field.default)}`"
    value = _value(field)
    words = (f"`{word}`: " + (f"`{means}`" if means else "nothing") for word, means in field.synonyms.items())
    more = f" ({', '.join(words)})" if field.synonyms else ""
    return (names, value, default, field.description + more)


def _value(field: Field) -> str:
    kind = field.kinds[0]
    if field.choices:
        return _listed(field.choices)
    if hasattr(kind, "schema"):
        return f"[{kind.__name__}](#spellings)"
    words = {bool: "`true`, `false`", int: "whole number", float: "number", str: "text"}[kind]
    return words + _range(field.bounds) + (f" {field.unit}" if field.unit else "")


def _range(bounds: Mapping[str, float]) -> str:
    least = f"above {bounds['gt']:g}" if "gt" in bounds else _number(bounds.get("ge", bounds.get("min_length")))
    most = f"below {bounds['lt']:g}" if "lt" in bounds else _number(bounds.get("le", bounds.get("max_length")))
    characters = " characters" if "max_length" in bounds else ""
    said = (
        f"{least} to {most}{characters}"
        if least and most
        else f"at least {least}"
        if least
        else most and f"at most {most}"
    )
    return f", {said}" if said else ""


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _spelled(value: object) -> str:
    known = plain(value)
    if isinstance(known, bool):
        return str(known).lower()
    return _number(known) if isinstance(known, float) else str(known)


def _text_types(models: Iterable[type[Params]]) -> Iterator[Any]:
    found = [kind for model in models for field in fields(model).values() for kind in field.kinds]
    return iter(dict.fromkeys(kind for kind in found if hasattr(kind, "schema")))


def _spelling(kind: Any) -> tuple[str, str, str]:
    return (kind.__name__, kind.expected, _listed(map(str, kind.schema.get("examples", ()))))


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)

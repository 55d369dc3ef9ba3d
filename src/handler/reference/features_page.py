"""Generate docs/features.md, which lists every feature with its parameters."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from features import CATALOGUE, feature_aliases
from handler.reference.schema import is_required, plain
from imaging import Feature, Field, Output, Params, fields, main_field

_BEGIN = """<!-- Generated from the code: make reference -->
# Features

This page lists all features (the things that you can do to an image) and their parameters. A request names the features
that it needs:

| Query | JSON edits | Meaning |
| --- | --- | --- |
| `?blur.sigma=3` | `{"blur": {"sigma": 3}}` | The parameter `sigma` of the feature `blur` |
| `?blur=3` | `{"blur": 3}` | The same: `sigma` is the main parameter of `blur` |
| `?flip=true` | `{"flip": true}` | A feature with the defaults of its parameters |
| `?feature=flip,blur&sigma=3` | `{"flip": true, "blur": {"sigma": 3}}` | Features by name; parameters need no prefix |
| `?width=300&height=200` | `{"resize": {"width": 300, "height": 200}}` | Short for `resize.width` and `resize.height` |

An image is first turned upright by its EXIF orientation. Then the features apply in the order of this table, whatever
their order in the request. All features work on animations, frame by frame. A parameter that is unknown, malformed or
out of range is refused with status 400 and a message that names it.

[quantize.md](quantize.md), [text.md](text.md), [redact.md](redact.md), [upscale.md](upscale.md) and
[cutout.md](cutout.md) show `quantize`, `text`, `gradient`, `redact`, `upscale`, `cutout` and `removeBackground` by
examples and pictures.

"""
_RESTRICTED = """
An expensive feature runs a model on the processor. A billed feature calls Amazon Rekognition, which bills each image.
Without a signature, both are refused unless `PUBLIC_FEATURES` or `PUBLIC_SOURCES` allows them.

In the tables below, a parameter without a default can be left out; its description says what happens then.
"""


def features_page() -> str:
    """Return the whole page in Markdown."""
    parts = [
        _BEGIN,
        markdown_table(("Feature", "Group", "Description"), map(_in_short, CATALOGUE)),
        *([_RESTRICTED] if any(feature.expensive or feature.billed for feature in CATALOGUE) else []),
        *map(_section, CATALOGUE),
        "\n## Output\n\nOutput options decide how the result is encoded: `?format=webp&quality=70`.\n\n"
        + parameters_table(Output),
        "\n## Spellings\n\nIn a URL, 25 percent is written `25p`, or `25%25` with the percent sign encoded.\n\n",
        spellings_table(),
    ]
    return "".join(parts)


def _in_short(feature: Feature) -> tuple[str, str, str]:
    return (f"[{feature.name}](#{feature.name.lower()})", ", ".join(_marks(feature)), feature.help)


def _marks(feature: Feature) -> list[str]:
    marks = [word for word, is_so in (("expensive", feature.expensive), ("billed", feature.billed)) if is_so]
    return [feature.group, *marks]


def _section(feature: Feature) -> str:
    """Return the heading, the notes and the parameters of a feature."""
    return f"\n## {feature.name}\n\n{describe_feature(feature)}"


def describe_feature(feature: Feature) -> str:
    """Return the notes and the parameters of a feature in Markdown."""
    main = main_field(feature.params)
    notes = [f"{feature.help.rstrip('.')}."]
    if feature_aliases(feature.name):
        notes.append(f"Also called {_listed(feature_aliases(feature.name))}.")
    if main:
        notes.append(f"`{feature.name}=…` sets `{main.name}`.")
    table = parameters_table(feature.params) if fields(feature.params) else "No parameters.\n"
    more = inspect.cleandoc(feature.params.__doc__ or "").partition("\n\n")[2]
    return "\n\n".join(part for part in (" ".join(notes), more, table) if part)


def spellings_table() -> str:
    """Return the table of the types of values that are more than a number or a word."""
    models: list[type[Params]] = [*(feature.params for feature in CATALOGUE), Output]
    return markdown_table(("Value", "How to write it", "Examples"), map(_spelling, _text_types(models)))


def parameters_table(model: type[Params]) -> str:
    """Return the table of a model's parameters in Markdown."""
    return markdown_table(("Parameter", "Value", "Default", "Description"), map(_row, fields(model).values()))


def _row(field: Field) -> tuple[str, str, str, str]:
    names = f"`{field.name}`" + (f", also {_listed(field.aliases)}" if field.aliases else "")
    default = "required" if is_required(field) else "" if field.default is None else f"`{_spelled(field.default)}`"
    value = _value(field)
    words = (f"`{word}` for " + (f"`{value}`" if value else "no value") for word, value in field.synonyms.items())
    more = f". Also accepted: {', '.join(words)}" if field.synonyms else ""
    return (names, value, default, field.description + more)


def _value(field: Field) -> str:
    kind = field.kinds[0]
    if field.is_choice:
        return _listed(field.choices)
    if hasattr(kind, "schema"):
        return f"[{kind.__name__}](#spellings)"
    words = {bool: "`true`, `false`", int: "whole number", float: "number", str: "text"}[kind]
    others = f", or {_listed(field.choices)}" if field.choices else ""
    return words + _range(field.bounds) + (f" {field.unit}" if field.unit else "") + others


def _range(bounds: Mapping[str, float]) -> str:
    """Return ", 0 to 100" or the like; "" if there are no bounds."""
    low = f"above {bounds['gt']:g}" if "gt" in bounds else _number(bounds.get("ge", bounds.get("min_length")))
    high = f"below {bounds['lt']:g}" if "lt" in bounds else _number(bounds.get("le", bounds.get("max_length")))
    if low and high:
        return f", {low} to {high}" + (" characters" if "max_length" in bounds else "")
    if low:
        return f", at least {low}"
    return f", at most {high}" if high else ""


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


def markdown_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown."""
    lines = (head, ("---",) * len(head), *rows)
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)

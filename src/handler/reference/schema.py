"""Fields and models as JSON schema (2020-12)."""

from __future__ import annotations

from typing import Any

import msgspec

from features import CATALOGUE
from imaging import Feature, Field, Params, fields, main_field

Schema = dict[str, Any]


def schema_of(field: Field) -> Schema:
    """What a field takes; choices in their own order, nothing left out but null, which a URL cannot write."""
    schema = _without_null(msgspec.json.schema(field.type, schema_hook=_text_type))
    if field.choices:
        schema["enum"] = list(field.choices)
    schema.pop("description", None)
    if field.default is not None:
        schema["default"] = plain(field.default)
    return schema


def plain(value: object) -> object:
    """A default as JSON holds it; colours and lengths as a URL spells them."""
    return value if value is None or type(value) in (bool, int, float, str) else str(value)


def is_required(field: Field) -> bool:
    """Whether the feature cannot do without it."""
    return field.default is None and not field.optional


def about(field: Field) -> str:
    """Its description, unit and other names."""
    words = [field.description.rstrip(".") or field.name]
    if field.unit:
        words.append(f" ({field.unit})")
    if field.aliases:
        words.append(f"; also called {', '.join(field.aliases)}")
    return "".join(words)


def model_schema(model: type[Params]) -> Schema:
    """An object with every field of a model."""
    found = fields(model).values()
    schema: Schema = {
        "type": "object",
        "description": (model.__doc__ or "").strip().splitlines()[0],
        "properties": {field.name: {"description": about(field), **schema_of(field)} for field in found},
        "additionalProperties": False,
    }
    required = [field.name for field in found if is_required(field)]
    return {**schema, "required": required} if required else schema


def switch_schema(feature: Feature) -> Schema:
    """What `feature=…` takes by itself: true or false, or its main field."""
    main = main_field(feature.params)
    switch: Schema = {"type": "boolean"}
    return {"anyOf": [switch, schema_of(main)]} if main else switch


def edits_schema() -> Schema:
    """An object with features by name: switched on or off, given their main field or all their fields."""
    properties = {
        feature.name: {
            "description": feature.help,
            "anyOf": [*switch_schema(feature).get("anyOf", [{"type": "boolean"}]), reference(feature.params)],
        }
        for feature in CATALOGUE
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def reference(model: type[Params]) -> Schema:
    """Where the document holds a model."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _text_type(kind: type) -> Schema:
    """The types that a URL writes as one word say themselves what they take."""
    schema: Schema = dict(kind.schema)  # type: ignore[attr-defined]  # msgspec asks of no other types
    if schema.get("format") == "numbers":
        # How many there must be is for the field to show.
        del schema["examples"]
    # The format of that name is CSS's, where hex digits need a `#` before them.
    return {name: said for name, said in schema.items() if (name, said) != ("format", "color")}


def _without_null(schema: Schema) -> Schema:
    others = [part for part in schema.pop("anyOf", []) if part != {"type": "null"}]
    return {**schema, **others[0]} if len(others) == 1 else schema | ({"anyOf": others} if others else {})

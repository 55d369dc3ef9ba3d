"""Fields and models as JSON schema (2020-12)."""

from __future__ import annotations

from typing import Any

import msgspec

from features import CATALOGUE
from imaging import Feature, Field, Params, fields, main_field

Schema = dict[str, Any]


def schema_of(field: Field) -> Schema:
    """Return the schema of a field's values, choices in their own order, without null, which a URL cannot express."""
    schema = _without_null(msgspec.json.schema(field.type, schema_hook=_text_type))
    if field.is_choice:
        schema["enum"] = list(field.choices)
    schema.pop("description", None)
    if field.default is not None:
        schema["default"] = plain(field.default)
    return schema


def plain(value: object) -> object:
    """Return a default as a JSON value; colours and lengths become text, as in a URL."""
    return value if value is None or type(value) in (bool, int, float, str) else str(value)


def is_required(field: Field) -> bool:
    """Return whether a request must give the parameter."""
    return field.default is None and not field.optional


def about(field: Field) -> str:
    """Return the description of a field with its unit and its aliases."""
    parts = [field.description.rstrip(".") or field.name]
    if field.unit:
        parts.append(f" ({field.unit})")
    if field.aliases:
        parts.append(f"; also called {', '.join(field.aliases)}")
    return "".join(parts)


def model_schema(model: type[Params]) -> Schema:
    """Return the schema of an object with every field of a model."""
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
    """Return the schema of what `feature=…` takes: true, false, or a value of its main field."""
    main = main_field(feature.params)
    switch: Schema = {"type": "boolean"}
    return {"anyOf": [switch, schema_of(main)]} if main else switch


def edits_schema() -> Schema:
    """Return the schema of JSON edits: features by name, with true, false, their main field or an object of fields."""
    properties = {
        feature.name: {
            "description": feature.help,
            "anyOf": [
                *switch_schema(feature).get("anyOf", [{"type": "boolean"}]),
                reference(feature.params),
                *([{"type": "array", "items": reference(feature.params)}] if feature.repeats else []),
            ],
        }
        for feature in CATALOGUE
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def reference(model: type[Params]) -> Schema:
    """Return a reference to the schema of a model."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _text_type(kind: type) -> Schema:
    """Return the schema of a type that a URL writes as one word; the type declares it."""
    schema: Schema = dict(kind.schema)  # type: ignore[attr-defined]  # msgspec calls this for no other types
    if schema.get("format") == "numbers":
        # An example must have the count of numbers that the field needs, so fields have their own.
        del schema["examples"]
    # JSON schema's format `color` is a CSS colour, whose hex digits need a `#` before them.
    return {name: value for name, value in schema.items() if (name, value) != ("format", "color")}


def _without_null(schema: Schema) -> Schema:
    others = [part for part in schema.pop("anyOf", []) if part != {"type": "null"}]
    return {**schema, **others[0]} if len(others) == 1 else schema | ({"anyOf": others} if others else {})

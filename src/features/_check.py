"""From what a request says to a parameters model, with messages that name the field, what was expected and what came."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from features._errors import InvalidParameter
from features._feature import Params
from features._types import TextTypes

ModelT = TypeVar("ModelT", bound=Params)
_PATH = re.compile(r" - at `\$\.?([^`]*)`$")
_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off", ""}


class Field(msgspec.Struct, frozen=True):
    """What is known of one field of a model."""

    name: str
    """The public name, camelCase."""
    type: Any
    """The annotated type as msgspec understands it."""
    default: Any
    description: str
    main: bool
    aliases: tuple[str, ...]
    unit: str
    synonyms: Mapping[str, str]
    boolean: bool
    choices: tuple[str, ...]


@cache
def fields(model: type[Params]) -> dict[str, Field]:
    """The fields of a model, by public name, in order."""
    described = (_field(field) for field in msgspec.structs.fields(model))
    return {field.name: field for field in described}


def _field(field: msgspec.structs.FieldInfo) -> Field:
    meta: dict[str, Any] = {}
    inner = field.type
    description = ""
    while hasattr(inner, "__metadata__"):
        for note in inner.__metadata__:
            description = note.description or description
            meta.update(note.extra or {})
        inner = inner.__origin__
    alternatives = [part for part in get_args(inner) if part is not type(None)] if _is_union(inner) else [inner]
    plain = [getattr(part, "__origin__", part) if hasattr(part, "__metadata__") else part for part in alternatives]
    return Field(
        name=field.encode_name,
        type=field.type,
        default=None if field.default is msgspec.NODEFAULT else field.default,
        description=description,
        main=bool(meta.get("main")),
        aliases=tuple(meta.get("aliases", ())),
        unit=str(meta.get("unit", "")),
        synonyms=meta.get("synonyms", {}),
        boolean=plain == [bool],
        choices=tuple(choice for part in plain if get_origin(part) is Literal for choice in get_args(part)),
    )


def _is_union(annotation: Any) -> bool:
    return type(None) in get_args(annotation) or getattr(annotation, "__class__", None).__name__ == "UnionType"


@cache
def spellings(model: type[Params]) -> dict[str, Field]:
    """The fields of a model by every name they answer to."""
    return {name: field for field in fields(model).values() for name in (field.name, *field.aliases)}


def main_field(model: type[Params]) -> Field | None:
    """The field that `feature=value` sets, if the model has one."""
    return next((field for field in fields(model).values() if field.main), None)


def check(model: type[ModelT], said: Mapping[str, object], *, where: str = "", text: bool = False) -> ModelT:
    """Make a model of what a request says; InvalidParameter for what it does not take.

    `where` is put before each field's name in messages. With `text` the values are strings from a URL, of which numbers and
    booleans are read.
    """
    dotted = f"{where}." if where else ""
    known = spellings(model)
    values: dict[str, object] = {}
    for name, value in said.items():
        field = known.get(name)
        if field is None:
            expected = "one of " + ", ".join(fields(model)) if fields(model) else "left out: it takes no parameters"
            raise InvalidParameter(dotted + name, expected, value)
        if field.name in values:
            raise InvalidParameter(dotted + field.name, "given once, not also under another name", value)
        values[field.name] = _normal(field, value, dotted, text=text)
    try:
        checked = msgspec.convert(values, model, strict=not text, dec_hook=_parse)
    except msgspec.ValidationError as error:
        raise _explained(error, model, values, dotted) from None
    _refuse_infinite(checked, dotted)
    checked.check()
    return checked


def _normal(field: Field, value: object, dotted: str, *, text: bool) -> object:
    if isinstance(value, str):
        value = field.synonyms.get(value.lower(), value)
    if field.boolean and text and isinstance(value, str):
        word = value.lower()
        if word not in _TRUE | _FALSE:
            raise InvalidParameter(dotted + field.name, "true or false", value)
        return word in _TRUE
    return value


def _parse(kind: type, value: object) -> object:
    if kind in TextTypes:
        return kind.parse(value)  # type: ignore[attr-defined]  # every text type has it
    raise TypeError(f"no parser for {kind}")


def _explained(
    error: msgspec.ValidationError, model: type[Params], values: Mapping[str, object], dotted: str
) -> InvalidParameter:
    message = str(error)
    match = _PATH.search(message)
    path = match[1] if match else ""
    name = re.split(r"[.\[]", path, maxsplit=1)[0]
    expected = message[: match.start()] if match else message
    expected = re.sub(r"^Expected (`?[^,]*?`?)(, got .*)?$", r"\1", expected).replace("`", "")
    if missing := re.match(r"Object missing required field (\S+)", message.replace("`", "")):
        return InvalidParameter(dotted + missing[1], "given", "nothing")
    field = fields(model).get(name)
    if field and field.choices:
        expected = "one of " + ", ".join(map(str, field.choices))
    return InvalidParameter(dotted + (path or name), expected, values.get(name))


def _refuse_infinite(params: Params, dotted: str) -> None:
    for field in msgspec.structs.fields(type(params)):
        value = getattr(params, field.name)
        parts = value if isinstance(value, tuple | list) else (value,)
        if any(isinstance(part, float) and not math.isfinite(part) for part in parts):
            raise InvalidParameter(dotted + field.encode_name, "a finite number", value)

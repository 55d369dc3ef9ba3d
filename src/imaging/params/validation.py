"""Validates the values of a request and makes a parameters model of them.

Messages name the field, what was expected and what was given.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from imaging.errors import InvalidParameter
from imaging.params.model import Params
from imaging.params.types import TextTypes

ModelT = TypeVar("ModelT", bound=Params)
_CONVERTED: set[type[Params]] = set()
"""Models of which one value has been converted."""
_FIRST_CONVERSION = threading.RLock()
_PATH = re.compile(r" - at \$\.?(.*)$", re.DOTALL)
_LONGEST_TYPO = 40
"""Characters of an unknown name that are compared with the known ones, which bounds the time of the comparison."""
_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off", ""}


class Field(msgspec.Struct, frozen=True):
    """The properties of one field of a model."""

    name: str
    """The public name, camelCase."""
    type: Any
    """The annotated type as msgspec understands it."""
    kinds: tuple[Any, ...]
    """The types that a value may have, without None."""
    optional: bool
    """Whether it may be None."""
    default: Any
    bounds: Mapping[str, float]
    """`ge`, `gt`, `le`, `lt` for numbers; `min_length`, `max_length` for texts and lists."""
    description: str
    main: bool
    aliases: tuple[str, ...]
    unit: str
    synonyms: Mapping[str, str]
    choices: tuple[str, ...]
    usual: tuple[float, float] | None
    """The range that most images need, for a slider, where the bounds are far wider."""

    @property
    def is_choice(self) -> bool:
        """Whether it takes nothing but one of a few words."""
        return bool(self.choices) and all(get_origin(kind) is Literal for kind in self.kinds)

    @property
    def boolean(self) -> bool:
        """Whether it takes true and false only."""
        return self.kinds == (bool,)

    @property
    def expected(self) -> str:
        """What a value must be, in words that follow "must be"; empty where only msgspec's message says it."""
        if self.is_choice:
            return "one of " + ", ".join(map(str, self.choices))
        words = [_kind_in_words(kind) for kind in self.kinds if get_origin(kind) is not Literal]
        others = "".join(f" or {choice}" for choice in self.choices)
        return (" or ".join(words) + _range_in_words(self.bounds) + others) if all(words) else ""

    def refusal(self, where: str, value: object) -> InvalidParameter:
        """Return the error for a value that this field does not take, with the most similar word that it takes."""
        words = [word for kind in self.kinds if kind in TextTypes for word in getattr(kind, "words", ())]
        words += [*self.choices, *filter(None, self.synonyms), *(("true", "false") if self.boolean else ())]
        # Of a list, or a word with numbers, the part that is no word of it counts.
        parts = re.split("[,:]", value) if isinstance(value, str) and not self.is_choice else [value]
        given = next((part for part in parts if part not in words), value)
        return InvalidParameter(where, self.expected + suggest(given, map(str, words)), value)


@cache
def fields(model: type[Params]) -> dict[str, Field]:
    """Return the fields of a model by public name, in their order."""
    described = (_field(field) for field in msgspec.structs.fields(model))
    return {field.name: field for field in described}


_BOUNDS = ("ge", "gt", "le", "lt", "min_length", "max_length")


def _field(field: msgspec.structs.FieldInfo) -> Field:
    inner, notes = _unwrapped(field.type)
    alternatives = get_args(inner) if get_origin(inner) in (Union, UnionType) else (inner,)
    for part in alternatives:
        notes += _unwrapped(part)[1]
    kinds = tuple(_unwrapped(part)[0] for part in alternatives if part is not NoneType)
    extra: dict[str, Any] = {}
    for details in notes:
        extra.update(details.extra or {})
    return Field(
        name=field.encode_name,
        type=field.type,
        kinds=kinds,
        optional=NoneType in alternatives,
        default=None if field.default is msgspec.NODEFAULT else field.default,
        bounds={name: bound for details in notes for name in _BOUNDS if (bound := getattr(details, name)) is not None},
        description=next((details.description for details in notes if details.description), ""),
        main=bool(extra.get("main")),
        aliases=tuple(extra.get("aliases", ())),
        unit=str(extra.get("unit", "")),
        synonyms=extra.get("synonyms", {}),
        choices=tuple(choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)),
        usual=extra.get("usual"),
    )


def _unwrapped(annotation: Any) -> tuple[Any, list[msgspec.Meta]]:
    """Return the type inside of `Annotated`, and its metadata."""
    if get_origin(annotation) is not Annotated:
        return annotation, []
    return annotation.__origin__, list(annotation.__metadata__)


def _kind_in_words(kind: Any) -> str:
    if kind in TextTypes:
        return str(kind.expected)
    return {bool: "true or false", int: "a whole number", float: "a number", str: "text"}.get(kind, "")


def _range_in_words(bounds: Mapping[str, float]) -> str:
    if "min_length" in bounds or "max_length" in bounds:
        return f" of {bounds.get('min_length', 0)} to {bounds.get('max_length', 'any number of')} characters"
    words = {"ge": "of at least", "gt": "above", "le": "of at most", "lt": "below"}
    if "ge" in bounds and "le" in bounds:
        words |= {"ge": "from", "le": "to"}
    return "".join(f" {word} {bounds[name]}" for name, word in words.items() if name in bounds)


@cache
def spellings(model: type[Params]) -> dict[str, Field]:
    """Return the fields of a model by each of their names: the public name and the aliases."""
    return {name: field for field in fields(model).values() for name in (field.name, *field.aliases)}


def main_field(model: type[Params]) -> Field | None:
    """Return the field that `feature=value` sets, if the model has one."""
    return next((field for field in fields(model).values() if field.main), None)


def suggest(given: object, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name or value: the most similar known one, or nothing if none is."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a request that is refused needs it

    words = {word.lower(): word for word in reversed([*known])}
    if not isinstance(given, str) or given in words.values():
        return ""
    similar = get_close_matches(given[:_LONGEST_TYPO].lower(), words, n=1, cutoff=0.75)
    return f", perhaps `{words[similar[0]]}`" if similar else ""


def check(model: type[ModelT], params: Mapping[str, object], *, where: str = "", text: bool = False) -> ModelT:
    """Return a model made of the values of a request, by the names or aliases of its fields. Raises InvalidParameter.

    `where` is put before each field's name in messages. With `text` the values are strings from a URL: numbers and
    booleans are parsed from them, and an empty string leaves an optional field empty.
    """
    dotted = f"{where}." if where else ""
    known = spellings(model)
    values: dict[str, object] = {}
    for name, value in params.items():
        field = known.get(name)
        if field is None:
            listed = f"a known parameter ({', '.join(fields(model))}){suggest(name, known)}"
            raise InvalidParameter(dotted + name, listed if known else "left out: no parameters here", value)
        if field.name in values:
            raise InvalidParameter(dotted + field.name, "given once, not also under another name", value)
        values[field.name] = _normalize(field, value, dotted, text=text)
    try:
        checked = _convert(values, model, strict=not text)
    except msgspec.ValidationError as error:
        raise _translate_error(error, model, values, dotted) from None
    _refuse_infinite(checked, dotted)
    checked.check()
    return checked


def _convert(values: Mapping[str, object], model: type[ModelT], *, strict: bool) -> ModelT:
    """Convert the values by msgspec, a model's first ones in one thread at a time.

    msgspec analyses a model when it first converts one. Two threads that do so at once crash the process.
    """
    if model in _CONVERTED:
        return msgspec.convert(values, model, strict=strict, dec_hook=_parse)
    with _FIRST_CONVERSION:
        try:
            return msgspec.convert(values, model, strict=strict, dec_hook=_parse)
        finally:
            _CONVERTED.add(model)


def _normalize(field: Field, value: object, dotted: str, *, text: bool) -> object:
    """Replace synonyms, and read booleans and empty values from the text of a URL."""
    if not isinstance(value, str):
        return value
    named = field.synonyms.get(value.lower())
    if named == "":
        return None
    value = named or value
    if text and field.boolean:
        word = value.lower()
        if word not in _TRUE | _FALSE:
            raise field.refusal(dotted + field.name, value)
        return word in _TRUE
    if text and field.optional:
        # msgspec would read the word "null" as None. In a URL, only an empty value means that.
        if value.lower() == "null" and str not in field.kinds:
            raise field.refusal(dotted + field.name, value)
        return value or None
    return value


def _parse(kind: type, value: object) -> object:
    if kind in TextTypes:
        return kind.parse(value)
    raise TypeError(f"no parser for {kind}")


def _translate_error(
    error: msgspec.ValidationError, model: type[Params], values: Mapping[str, object], dotted: str
) -> InvalidParameter:
    """Return msgspec's error with the field's name, what was expected and what was given.

    msgspec's messages look like "Expected `int`, got `str` - at `$.width`".
    """
    message = str(error).replace("`", "")
    if missing := re.fullmatch(r"Object missing required field (\S+)", message):
        return InvalidParameter(dotted + missing[1], "given", None)
    match = _PATH.search(message)
    path = match[1] if match else ""
    name = re.split(r"[.\[]", path, maxsplit=1)[0]
    field = fields(model).get(name)
    if field and field.expected and path == name:
        return field.refusal(dotted + name, values.get(name))
    # A value inside of a list, or a type that only msgspec can describe: its own words are used.
    expected = re.sub(r"^Expected (.*?)(, got .*)?$", r"\1", message[: match.start()] if match else message)
    return InvalidParameter(dotted + path, expected, values.get(name))


def _refuse_infinite(params: Params, dotted: str) -> None:
    for public, value in zip(params.__struct_encode_fields__, msgspec.structs.astuple(params), strict=True):
        # Most fields are None: every request asks this of each field.
        if value is not None and not _finite(value):
            raise InvalidParameter(dotted + public, "a finite number", value)


def _finite(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, (tuple, list)) or all(map(_finite, value))

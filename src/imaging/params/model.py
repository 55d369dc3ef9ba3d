"""The base class of parameters models, hints for their fields, and models as plain data."""

from __future__ import annotations

from functools import cache
from typing import Any, dataclass_transform

import msgspec


# Tells type checkers that the models derived from it are frozen too.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """Base of every parameters model: fields are snake_case here and camelCase in URLs and JSON.

    The first line of a model's docstring is the feature's help text. Each field has an `Annotated[type, Meta(…)]` with
    a description; `extra=hint(…)` adds what JSON schema cannot express. Bounds belong to the number itself:
    `Annotated[int, Meta(ge=1)] | None`.
    """

    def check(self) -> None:
        """Raise InvalidParameter, with the field's dotted public name, for values that contradict each other."""


def hint(
    *,
    main: bool = False,
    aliases: tuple[str, ...] = (),
    unit: str = "",
    synonyms: dict[str, str] | None = None,
    usual: tuple[float, float] | None = None,
) -> dict[str, object]:
    """Return the `extra` of a field's `Meta`.

    `main` marks the field that `blur=3` sets. `aliases` are other names of the field. `synonyms` are other spellings of
    values; one for the empty string stands for no value. `usual` is the range of a slider where the bounds are far
    wider.
    """
    return {"main": main, "aliases": aliases, "unit": unit, "synonyms": synonyms or {}, "usual": usual}


def describe(params: Params) -> dict[str, Any]:
    """Return the parameters that differ from their defaults, by public name; types of text in canonical spelling."""
    plain: dict[str, Any] = {}
    for (public, default), value in zip(_defaults(type(params)), msgspec.structs.astuple(params), strict=True):
        if value != default:
            is_plain = value is None or type(value) in (bool, int, float, str)
            plain[public] = value if is_plain else str(value)
    return plain


@cache
def _defaults(model: type[Params]) -> tuple[tuple[str, object], ...]:
    """Return the public name and the default of each field of a model."""
    names, defaults = model.__struct_encode_fields__, model.__struct_defaults__
    # msgspec lists the defaults of the last fields only: those before them are required.
    return tuple(zip(names, (msgspec.NODEFAULT,) * (len(names) - len(defaults)) + defaults, strict=True))

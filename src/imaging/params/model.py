"""The base of every parameters model."""

from __future__ import annotations

from typing import dataclass_transform

import msgspec


# For type checkers: what derives from it is as frozen as it is.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """Base of every parameters model: fields are snake_case here and camelCase in URLs and JSON.

    The first line of a model's docstring is the feature's help text. Each field has an `Annotated[type, Meta(…)]` with
    a description; `extra=hint(…)` adds what JSON schema has no word for. Bounds stand on the number itself:
    `Annotated[int, Meta(ge=1)] | None`.
    """

    def check(self) -> None:
        """Refuse fields that do not go together; InvalidParameter with the field's dotted public name."""


def hint(
    *,
    main: bool = False,
    aliases: tuple[str, ...] = (),
    unit: str = "",
    synonyms: dict[str, str] | None = None,
    usual: tuple[float, float] | None = None,
) -> dict[str, object]:
    """`extra` of a field: `main` is what `blur=3` sets; `aliases` are other names, `synonyms` other values.

    A synonym of the empty text is a word for nothing. `usual` is the range of a slider where the bounds are far wider.
    """
    return {"main": main, "aliases": aliases, "unit": unit, "synonyms": synonyms or {}, "usual": usual}

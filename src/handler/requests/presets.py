"""Presets and `ALWAYS`, as the settings hold them."""

from __future__ import annotations

from collections.abc import Mapping

from handler.errors import HandlerError
from handler.requests import dialects
from handler.requests.parsed_request import Recipe
from imaging import InvalidParameter


def read_recipe(value: object, where: str = "") -> Recipe:
    """Parse a recipe in a dialect that has a form for presets: JSON edits or query parameters.

    `where` is its name for messages, which every message holds. Raise InvalidParameter or ValueError.
    """
    for dialect in dialects.DIALECTS:
        try:
            recipe = dialect.parse_preset(value, where) if dialect.parse_preset is not None else None
        except (InvalidParameter, HandlerError) as error:
            if where in error.message:
                raise
            raise ValueError(f"{where}: {error.message}") from error
        if recipe is not None:
            return recipe
    raise InvalidParameter(where, "edits or query parameters", value)


def read_presets(value: object) -> dict[str, Recipe]:
    """Return `PRESETS` as name → recipe. Raises InvalidParameter or ValueError."""
    if not isinstance(value, Mapping):
        raise ValueError("PRESETS must be a JSON object: name → edits or query parameters")
    return {str(name): read_recipe(recipe, f"PRESETS.{name}") for name, recipe in value.items()}

"""Presets and `ALWAYS`, as the settings hold them."""

from __future__ import annotations

from collections.abc import Mapping

from handler.core.errors import HandlerError
from handler.requests import dialects
from handler.requests.parsed_request import Recipe
from imaging import InvalidParameter, Limits

MAX_STEPS = Limits().steps
"""The most steps of a preset, with those of the presets that it names."""


def read_recipe(value: object, where: str = "") -> Recipe:
    """Parse a recipe that names no preset, in a dialect that has a form for presets: JSON edits or query parameters.

    `where` is its name for messages, which every message holds. Raise InvalidParameter or ValueError.
    """
    recipe = _parse_recipe(value, where)
    if recipe.inserts:
        raise InvalidParameter(recipe.inserts[0].where, "left out: no preset is known here", recipe.inserts[0].preset)
    return recipe


def _parse_recipe(value: object, where: str) -> Recipe:
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
    """Return `PRESETS` as name → recipe, each with the presets that its `steps` name in their places.

    Raise InvalidParameter or ValueError.
    """
    if not isinstance(value, Mapping):
        raise ValueError("PRESETS must be a JSON object: name → edits or query parameters")
    written = {str(name): _parse_recipe(recipe, f"PRESETS.{name}") for name, recipe in value.items()}
    complete: dict[str, Recipe] = {}
    for name in written:
        _complete(name, written, complete, ())
    return {name: complete[name] for name in written}


def _complete(name: str, written: Mapping[str, Recipe], complete: dict[str, Recipe], within: tuple[str, ...]) -> None:
    """Add a preset to the complete ones, behind those that it names. Raise InvalidParameter or ValueError.

    `within` names the presets that lead to it.
    """
    if name in complete:
        return
    if name in within:
        raise ValueError(f"PRESETS: presets must not name one another in a circle, got {' → '.join((*within, name))}")
    recipe = written[name]
    for insert in recipe.inserts:
        if insert.preset in written:
            _complete(insert.preset, written, complete, (*within, name))
    recipe = recipe.with_presets(complete)
    if len(recipe.steps) > MAX_STEPS:
        raise ValueError(
            f"PRESETS.{name} must have at most {MAX_STEPS} steps with those of its presets, got {len(recipe.steps)}"
        )
    complete[name] = recipe

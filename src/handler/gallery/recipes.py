"""The recipes that the gallery offers: built-in ones, and presets of the operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from handler.gallery.built_in import BUILT_IN
from handler.requests.parsed_request import Recipe
from handler.requests.presets import read_recipe

Edits = Mapping[str, Any]
"""Edits in the form of the JSON dialect."""


class GalleryRecipe(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe that visitors can apply."""

    name: str
    edits: Edits = msgspec.field(default_factory=dict)
    """Empty for a preset: its URLs name the preset."""
    recipe: Recipe
    is_preset: bool = False

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features that it applies."""
        return tuple(step.feature.name for step in self.recipe.steps)

    @property
    def is_expensive(self) -> bool:
        """Whether it takes seconds."""
        return any(step.is_expensive for step in self.recipe.steps)


def read_recipes(
    names: Sequence[str], presets: Mapping[str, Recipe], can_run: Callable[[str], bool]
) -> dict[str, GalleryRecipe]:
    """Return the recipes of GALLERY_RECIPES by name; without names all built-in ones that this service can run.

    `can_run` returns whether a feature works here. A preset wins over a built-in recipe of the same name. Each name
    must be one of them; `find_unknown_recipe` finds others.
    """
    found: dict[str, GalleryRecipe] = {}
    for name in names or BUILT_IN:
        if names and name in presets:
            found[name] = GalleryRecipe(name=name, recipe=presets[name], is_preset=True)
            continue
        edits = BUILT_IN[name]
        if all(can_run(each) for each in edits if each not in _OUTPUT):
            found[name] = GalleryRecipe(name=name, edits=edits, recipe=read_recipe(edits, name))
    return found


_OUTPUT = frozenset({"toFormat", "quality", "palette"})
"""The names in BUILT_IN that are no features."""

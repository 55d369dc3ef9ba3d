"""The recipes that the gallery offers: built-in ones, and presets of the operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from handler.requests.parsed_request import Recipe
from handler.requests.presets import read_recipe

Edits = Mapping[str, Any]
"""Edits in the form of the JSON dialect."""

BUILT_IN: Mapping[str, Edits] = {
    "cutout": {"removeBackground": True, "toFormat": "png"},
    "product-square": {"removeBackground": True, "cutout": "product", "toFormat": "jpeg", "quality": 90},
    "smart-square": {"resize": {"width": 1080, "height": 1080, "position": "attention"}},
    "smaller": {"toFormat": "webp", "quality": 75},
    "fewer-colours": {"quantize": {"colors": 16}, "toFormat": "png", "palette": True},
    "blur-faces": {"redact": {"detect": "faces", "shape": "ellipse"}},
}
"""In the order in which the page shows them."""


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

    `can_run` returns whether a feature works here. A preset wins over a built-in recipe of the same name. Raise
    ValueError for a name that is neither.
    """
    found: dict[str, GalleryRecipe] = {}
    for name in names or BUILT_IN:
        if names and name in presets:
            found[name] = GalleryRecipe(name=name, recipe=presets[name], is_preset=True)
        elif name in BUILT_IN:
            edits = BUILT_IN[name]
            if all(can_run(each) for each in edits if each not in _OUTPUT):
                found[name] = GalleryRecipe(name=name, edits=edits, recipe=read_recipe(edits, name))
        else:
            known = ", ".join((*BUILT_IN, *presets))
            raise ValueError(f"GALLERY_RECIPES must name built-in recipes or presets ({known}), got `{name}`")
    return found


_OUTPUT = frozenset({"toFormat", "quality", "palette"})
"""The names in BUILT_IN that are no features."""

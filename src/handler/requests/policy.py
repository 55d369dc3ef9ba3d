"""The operator's rules on what a request may contain and what is added to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from features import ORDER
from handler.requests import dialects
from handler.requests.dialects.dialect import Dialect
from handler.requests.image_request import list_objects
from handler.requests.parsed_request import Recipe
from imaging import ObjectRef, Output

if TYPE_CHECKING:
    from handler.requests.rewrite import Rewrite

AUTO_QUALITY = "autoQuality"
"""The name in PUBLIC_FEATURES of what encodes an image many times: `quality=auto` and `format=best`."""


class Policy(msgspec.Struct, frozen=True):
    """The rules, as `handler.composition` reads them from the settings."""

    presets: Mapping[str, Recipe] = msgspec.field(default_factory=dict)
    presets_only: bool = False
    always: Recipe = msgspec.field(default_factory=Recipe)
    public_features: tuple[str, ...] = ()
    public_sources: tuple[str, ...] = ()
    """Names of sources on which every feature may be used without a signature."""
    private_sources: frozenset[str] = frozenset()
    """Names of sources that are served only with a signature."""
    dialects: tuple[Dialect, ...] = msgspec.field(default_factory=dialects.select)
    """The dialects that are accepted."""
    auto: frozenset[str] = frozenset()
    """Formats that are negotiated if a request names none: from AUTO_FORMAT and AUTO_WEBP."""
    default_preset: str = ""
    """The preset of every request that names none."""
    source_paths: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Prefix of a key → the source in which the rest of the key is looked up."""
    client_hints: bool = False
    signed_only: bool = False
    """Whether every URL of an image must be signed."""
    rewrite: Rewrite | None = None
    base: Recipe = msgspec.field(default_factory=Recipe)
    """Output options that apply unless a request, a preset or ALWAYS sets them."""
    quality_target: Output = msgspec.field(default_factory=Output)
    """The target of `quality=auto` and `format=best` that name none."""
    is_lenient: bool = False
    """Whether each dialect ignores, clamps or repairs what its own service does (COMPATIBILITY=lenient)."""

    def source_of(self, ref: ObjectRef) -> ObjectRef:
        """Return the reference with the source of the longest listed prefix, if it names no bucket itself."""
        prefixes = [prefix for prefix in self.source_paths if ref.key.startswith(prefix) and ref.key != prefix]
        if ref.bucket or not prefixes:
            return ref
        prefix = max(prefixes, key=len)
        return ObjectRef(self.source_paths[prefix], ref.key.removeprefix(prefix))

    def complete(self, recipe: Recipe) -> Recipe:
        """Return a recipe with ALWAYS, and with the operator's output options where it has none of its own."""
        recipe = recipe.then(self.always)
        if recipe.output.searches:
            recipe = recipe.over(Recipe(output=self.quality_target))
        return recipe if self.base == Recipe() else recipe.over(self.base)

    def faults(self) -> list[str]:
        """Return a line for each rule that is invalid or contradicts another."""
        known = {*ORDER, AUTO_QUALITY, "*"}
        faults = [
            f"PUBLIC_FEATURES: no feature is called {name!r}" for name in self.public_features if name not in known
        ]
        if any(ref.is_address for ref in list_objects(self.always.steps)):
            faults.append("ALWAYS must name overlays by their keys, not by an address")
        if self.default_preset and self.default_preset not in self.presets:
            faults.append(f"DEFAULT_PRESET must be one of those in PRESETS, got {self.default_preset!r}")
        return faults

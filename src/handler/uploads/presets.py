"""The presets of uploads: one variant each, or one for each width and format of a `srcset`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from features import edits
from handler.requests.image_request import list_objects
from handler.requests.parsed_request import Recipe
from imaging import Output, check, describe

SRCSET_KEY = "{preset}/{bucket}/{key}/{width}.{ext}"


class Srcset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The widths and formats in which a preset is rendered: an entry of UPLOAD_SRCSET."""

    widths: Annotated[tuple[Annotated[int, Meta(ge=1, le=65_500)], ...], Meta(min_length=1, max_length=32)]
    formats: Annotated[tuple[str, ...], Meta(max_length=8)] = ()
    """Empty: that of the preset."""
    key: str = SRCSET_KEY
    """The template of the output keys."""


class UploadPreset(msgspec.Struct, frozen=True):
    """One variant that is made of each original."""

    name: str
    """The name in UPLOAD_PRESETS."""
    recipe: Recipe
    template: str
    """Of the output key."""

    @property
    def format(self) -> str:
        """The format that the recipe names; empty if it depends on the original or on the client."""
        named = self.recipe.output.format
        return "" if named in (None, "auto", "best", "original") else named

    @property
    def size(self) -> tuple[int, int]:
        """The width and height that the recipe resizes to; 0 for one that it leaves open."""
        resize = next((step.params for step in self.recipe.steps if step.feature.name == "resize"), None)
        return getattr(resize, "width", None) or 0, getattr(resize, "height", None) or 0


def parse_srcsets(value: object) -> dict[str, Srcset]:
    """Return UPLOAD_SRCSET as preset → srcset. Raise ValueError."""
    try:
        return msgspec.convert(value, dict[str, Srcset])
    except msgspec.ValidationError as error:
        raise ValueError(f"UPLOAD_SRCSET must be a JSON object: preset → widths and formats; {error}") from None


def expand_presets(
    names: Sequence[str],
    presets: Mapping[str, Recipe],
    srcsets: Mapping[str, Srcset],
    template: str,
    always: Recipe,
) -> tuple[UploadPreset, ...]:
    """Return the variants of the named presets, `always` included. Raise ValueError or InvalidParameter."""
    unknown = [name for name in names if name not in presets]
    if unknown or not names:
        known = ", ".join(presets) or "none, as PRESETS is empty"
        raise ValueError(f"UPLOAD_PRESETS must name presets ({known}), got {', '.join(unknown) or 'nothing'}")
    unused = [name for name in srcsets if name not in names]
    if unused:
        raise ValueError(f"UPLOAD_SRCSET must name presets of UPLOAD_PRESETS, got {', '.join(unused)}")
    for name in names:
        if any(ref.is_address for ref in list_objects(presets[name].steps)):
            raise ValueError(f"UPLOAD_PRESETS: {name} must name overlays by their keys, not by an address")
    expanded: list[UploadPreset] = []
    for name in dict.fromkeys(names):
        if name in srcsets:
            expanded += _expand_srcset(name, presets[name], srcsets[name])
        else:
            expanded.append(UploadPreset(name, presets[name], template))
    return tuple(msgspec.structs.replace(each, recipe=each.recipe.then(always)) for each in expanded)


def _expand_srcset(name: str, recipe: Recipe, srcset: Srcset) -> Iterator[UploadPreset]:
    resize = next((describe(step.params) for step in recipe.steps if step.feature.name == "resize"), {})
    width, height = resize.get("width"), resize.get("height")
    for each in dict.fromkeys(srcset.widths):
        # A preset with both sides keeps its aspect ratio at every width.
        scaled = {"height": max(1, round(height * each / width))} if width and height else {}
        steps = edits({"resize": {"withoutEnlargement": True, **resize, "width": each, **scaled}}, where=name)
        for chosen in dict.fromkeys(srcset.formats) or ("",):
            output = check(Output, {"format": chosen}, where=f"UPLOAD_SRCSET.{name}") if chosen else Output()
            yield UploadPreset(name, Recipe(steps, output).over(recipe), srcset.key)

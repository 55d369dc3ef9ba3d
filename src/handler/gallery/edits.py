"""Edits that visitors compose. The service signs them, so they may do no more than the visitor may."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from handler.core.errors import BadRequest, Forbidden
from handler.gallery.visitors import Visitor
from handler.requests.image_request import list_objects
from handler.requests.parsed_request import Recipe
from handler.requests.presets import read_recipe
from imaging import ObjectRef, Step, describe

MAX_EDITS_BYTES = 4_000
"""Of edits as JSON, so that their URL stays within the limits of caches and servers."""


_PRODUCT_SIDE = 1000
"""Pixels of the canvas of `cutout=product`, if no other size is given."""


class EditRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the edits of visitors may name."""

    source: str
    """GALLERY_SOURCE."""
    private_sources: frozenset[str]
    resolve: Callable[[ObjectRef], ObjectRef]
    """Returns an object with the name of its source. Raises Forbidden for one that is in no source."""
    features: frozenset[str]
    """The expensive and billed features that visitors may use; `*` stands for all of them."""

    def check(self, edits: object, visitor: Visitor) -> Recipe:
        """Return the recipe of the edits. Raise BadRequest, InvalidParameter or Forbidden."""
        if not isinstance(edits, Mapping) or not edits:
            raise BadRequest('`edits` must be an object of edits, such as {"resize": {"width": 300}}')
        size = len(json.dumps(edits, ensure_ascii=False).encode(errors="surrogatepass"))
        if size > MAX_EDITS_BYTES:
            raise BadRequest(f"`edits` must have at most {MAX_EDITS_BYTES} bytes as JSON, got {size}")
        recipe = read_recipe(edits, "edits")
        for step in recipe.steps:
            self._check_step(step)
        for ref in list_objects(recipe.steps):
            self._check_object(ref, visitor)
        return recipe

    def _check_step(self, step: Step) -> None:
        name = step.feature.name
        if step.is_report:
            raise BadRequest(f"`edits.{name}` must make an image, not a report")
        if step.is_restricted and not {name, "*"} & self.features:
            message = f"`edits.{name}` is not open to visitors: use a feature of a recipe, or one in PUBLIC_FEATURES"
            raise Forbidden(message, code="feature_not_open")

    def _check_object(self, ref: ObjectRef, visitor: Visitor) -> None:
        """Raise Forbidden for an object of a private source, unless it is a picture of this visitor."""
        if ref.is_address:
            raise Forbidden("`edits` must name other images by their keys, not by an address", code="private_object")
        found = self.resolve(ref)
        is_own = found.bucket == self.source and is_key_of(found.key, visitor)
        if found.bucket in self.private_sources and not is_own:
            message = f"`edits` must not name an image of the private source `{found.bucket}` but your own pictures"
            raise Forbidden(message, code="private_object")


def is_key_of(key: str, visitor: Visitor) -> bool:
    """Return whether a key is that of a picture of the visitor."""
    return re.fullmatch(visitor.id + r"/[0-9a-f]{32}(?:\.[a-z0-9]{1,8})?", key) is not None


def fit_edits(edits: Mapping[str, Any], recipe: Recipe, side: int) -> dict[str, Any]:
    """Return edits that make the same picture at most `side` pixels wide and high.

    `recipe` is all that is applied: that of the edits, or that of a preset on top of which the edits are put.
    """
    known = {step.feature.name: describe(step.params) for step in recipe.steps}
    if "cutout" in known and (canvas := _fit_canvas(known["cutout"], side)):
        return {**edits, "cutout": {**known["cutout"], **canvas}}
    limit = {"width": side, "height": side, "fit": "inside", "withoutEnlargement": True}
    if isinstance(steps := edits.get("steps"), list):
        return {**edits, "steps": [*steps, {"resize": limit}]}
    params = known.get("resize", {})
    sides = {name: params[name] for name in ("width", "height") if isinstance(params.get(name), int) and params[name]}
    if not sides:
        return {**edits, "resize": {**params, **limit}}
    factor = min(1.0, side / max(sides.values()))
    scaled = {name: max(1, round(value * factor)) for name, value in sides.items()}
    fitted = {**edits, "resize": {**params, **scaled}}
    if margins := known.get("extend"):
        fitted["extend"] = {name: _scale(each, factor) for name, each in margins.items()}
    return fitted


def _fit_canvas(params: Mapping[str, Any], side: int) -> dict[str, int]:
    """Return the size of a cut-out's canvas that fits into a side; nothing if it has no canvas of its own."""
    usual = _PRODUCT_SIDE if params.get("layout") == "product" else 0
    sides = {name: params.get(name) or usual for name in ("width", "height")}
    if not all(sides.values()):
        return {}
    factor = min(1.0, side / max(sides.values()))
    return {name: max(1, round(value * factor)) for name, value in sides.items()}


def _scale(value: object, factor: float) -> object:
    """Return a number of pixels in the new size; anything else is unchanged."""
    text = str(value)
    return round(int(text) * factor) if text.isascii() and text.isdigit() else value

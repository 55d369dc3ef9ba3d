"""What a visitor sees of a record: the picture, its results and their URLs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from handler.gallery.links import Links, end_of_next_day
from handler.gallery.recipes import GalleryRecipe
from handler.records.record import AppliedRecipe, ImageRecord
from handler.requests.parsed_request import Recipe
from handler.requests.presets import read_recipe


class PictureView(msgspec.Struct, frozen=True, kw_only=True):
    """Describes pictures as JSON."""

    links: Links
    recipes: Mapping[str, GalleryRecipe]
    life: timedelta
    """GALLERY_EXPIRE_DAYS."""

    def describe(self, record: ImageRecord, now: datetime) -> dict[str, Any]:
        """Return a picture with its results. Only one that is ready has URLs."""
        expires = end_of_next_day(now)
        is_ready = record.status == "ready"
        facts = record.facts
        return {
            "id": record.id,
            "name": record.name,
            "status": status_of(record),
            "bytes": facts.get("bytes"),
            "width": facts.get("width"),
            "height": facts.get("height"),
            "type": facts.get("mediaType"),
            "sha256": facts.get("sha256"),
            "created": _text(record.created_at),
            "expires": _text(record.created_at + self.life),
            "error": {"code": record.error.code, "message": record.error.message} if record.error else None,
            "original": self.links.of_original(record.key, expires) if is_ready else None,
            "results": [
                described
                for applied in (record.applied if is_ready else ())
                if (described := self.describe_result(record, applied, expires)) is not None
            ],
        }

    def describe_result(self, record: ImageRecord, applied: AppliedRecipe, expires: datetime) -> dict[str, Any] | None:
        """Return a result; None if it was made by a preset that the operator has removed."""
        recipe = self.recipe_of(applied)
        if recipe is None:
            return None
        preset = "" if applied.edits else applied.recipe
        return {
            "id": applied.id,
            "recipe": applied.recipe or None,
            "edits": dict(applied.edits) or None,
            "created": _text(applied.created_at),
            **self.links.of_result(record.key, applied.edits, recipe, expires, preset),
        }

    def recipe_of(self, applied: AppliedRecipe) -> Recipe | None:
        """Return the steps of a result, None if its preset does not exist any more."""
        if applied.edits:
            return read_recipe(dict(applied.edits), "edits")
        known = self.recipes.get(applied.recipe)
        return known.recipe if known is not None and known.is_preset else None


def status_of(record: ImageRecord) -> str:
    """Return the status that a visitor sees: an original that has arrived and waits for its scan is in process."""
    return "processing" if record.status == "uploading" and record.sequencer else record.status


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

"""The pictures of one visitor: list, rename, apply recipes, share and delete. A foreign picture does not exist."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from handler.core.errors import BadRequest, Busy, Conflict, NotFound
from handler.gallery.edits import EditRules, fit_edits, is_key_of
from handler.gallery.links import Links, end_of_next_day
from handler.gallery.pictures import PictureView
from handler.gallery.recipes import Edits, GalleryRecipe
from handler.gallery.visitors import Visitor
from handler.records.record import AppliedRecipe, ImageRecord
from handler.records.store import MAX_PAGE, RecordFilter, Records
from handler.requests.parsed_request import Recipe
from handler.uploads.retention import forget_owner
from imaging import Deadline

MAX_RESULTS = 20
"""Results that are kept of one picture."""
_ATTEMPTS = 20
"""To change a record that others change at the same time."""
PREVIEW_LIFE = timedelta(minutes=15)


class Composition(msgspec.Struct, frozen=True):
    """A recipe, or edits of a visitor, after all checks."""

    name: str
    """Empty for edits."""
    edits: Edits
    recipe: Recipe
    preset: str = ""
    """The preset that its URLs name."""

    @property
    def is_restricted(self) -> bool:
        """Whether it takes seconds of a processor, or is billed."""
        return any(step.is_restricted for step in self.recipe.steps)


class Originals(Protocol):
    """Deletes originals, and has them processed."""

    def delete(self, record: ImageRecord, deadline: Deadline) -> None:
        """Delete an original with everything that was made of it."""
        ...

    def process(self, record: ImageRecord, deadline: Deadline) -> None:
        """Have an original processed again."""
        ...


class Gallery(msgspec.Struct, frozen=True, kw_only=True):
    """The pictures of visitors. Each method sees those of the given visitor alone."""

    records: Records
    source: str
    recipes: Mapping[str, GalleryRecipe]
    rules: EditRules
    links: Links
    view: PictureView
    originals: Originals
    life: timedelta

    def list(self, visitor: Visitor, now: datetime) -> list[ImageRecord]:
        """Return all pictures of a visitor, the latest upload first: their keys have that order."""
        if visitor.is_new:
            return []
        which = RecordFilter(source=self.source, prefix=visitor.prefix, owner=visitor.id)
        found: list[ImageRecord] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self.records.page(which, cursor, MAX_PAGE)
            found += (record for record in page.records if self._is_visible(record, visitor, now))
            cursor = page.cursor
        return found

    def get(self, visitor: Visitor, identifier: str, now: datetime) -> ImageRecord:
        """Return a picture. Raise NotFound for one that does not exist or is another visitor's."""
        record = self.records.get(identifier)
        if record is None or not self._is_visible(record, visitor, now):
            raise NotFound("there is no such picture", code="no_such_picture")
        return record

    def rename(self, visitor: Visitor, identifier: str, name: str, now: datetime) -> ImageRecord:
        """Give a picture another name."""
        return self._change(visitor, identifier, now, lambda record: replace(record, name=name))

    def compose(self, visitor: Visitor, recipe: str | None, edits: object) -> Composition:
        """Return what a recipe that is offered does, or edits that the visitor may use."""
        if (recipe is None) == (edits is None):
            raise BadRequest("either `recipe` or `edits` must be given")
        if recipe is None:
            checked = self.rules.check(edits, visitor)
            return Composition("", edits, checked)  # type: ignore[arg-type]  # `check` has found that it is an object
        known = self.recipes.get(recipe)
        if known is None:
            names = ", ".join(self.recipes)
            raise BadRequest(f"`recipe` must be one of {names}, got {recipe[:60]!a}", code="no_such_recipe")
        return Composition(recipe, known.edits, known.recipe, recipe if known.is_preset else "")

    def apply(
        self, visitor: Visitor, identifier: str, composition: Composition, now: datetime
    ) -> tuple[ImageRecord, AppliedRecipe, bool]:
        """Keep a result. Return it, and whether it is new.

        Raise Conflict if the picture has MAX_RESULTS already, or is not ready.
        """
        applied = AppliedRecipe(
            id=secrets.token_hex(8), recipe=composition.name, edits=composition.edits, created_at=now
        )

        def add(record: ImageRecord) -> ImageRecord:
            if _find_same(record, applied) is not None:
                return record
            _require_ready(record)
            if len(record.applied) >= MAX_RESULTS:
                message = f"a picture has at most {MAX_RESULTS} results: delete one of them first"
                raise Conflict(message, code="too_many_results")
            return replace(record, applied=(*record.applied, applied))

        record = self._change(visitor, identifier, now, add)
        found = _find_same(record, applied)
        return record, found or applied, found is not None and found.id == applied.id

    def remove_result(self, visitor: Visitor, identifier: str, result: str, now: datetime) -> None:
        """Delete a result."""

        def remove(record: ImageRecord) -> ImageRecord:
            _find_result(record, result)
            return replace(record, applied=tuple(each for each in record.applied if each.id != result))

        self._change(visitor, identifier, now, remove)

    def preview(
        self, visitor: Visitor, identifier: str, composition: Composition, side: int | None, now: datetime
    ) -> str:
        """Return the URL of a result that is not kept, at most `side` pixels wide and high."""
        record = self.get(visitor, identifier, now)
        _require_ready(record)
        edits = composition.edits if side is None else fit_edits(composition.edits, composition.recipe, side)
        # Rounded, so that a preview of the same edits soon after has the same URL.
        expires = now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0) + PREVIEW_LIFE
        return self.links.sign(record.key, edits, expires, composition.preset)

    def share(
        self, visitor: Visitor, identifier: str, result: str | None, life: timedelta, now: datetime
    ) -> tuple[str, str, datetime]:
        """Return the URLs of a picture or of one of its results, whole and small, and until when they are valid."""
        record = self.get(visitor, identifier, now)
        _require_ready(record)
        # Not longer than the picture itself is kept.
        expires = min(now + life, record.created_at + self.life).replace(microsecond=0)
        if result is None:
            urls = self.links.of_original(record.key, expires)
            return urls["url"], urls["thumbnail"], expires
        described = self.view.describe_result(record, _find_result(record, result), expires)
        if described is None:
            raise NotFound("the preset of this result does not exist any more", code="no_such_result")
        return described["url"], described["thumbnail"], expires

    def retry(self, visitor: Visitor, identifier: str, now: datetime, deadline: Deadline) -> ImageRecord:
        """Have a picture processed again whose processing has failed."""
        record = self.get(visitor, identifier, now)
        if record.status != "failed":
            raise Conflict(f"only a picture that has failed can be retried, this one is {record.status}",
                code="not_failed")  # fmt: skip
        self.originals.process(record, deadline)
        return self.get(visitor, identifier, now)

    def delete(self, visitor: Visitor, identifier: str, now: datetime, deadline: Deadline) -> None:
        """Delete a picture with its results: at first what the record says of its owner, then the original."""
        record = self._change(visitor, identifier, now, lambda record: replace(forget_owner(record), expires_at=now))
        self.originals.delete(record, deadline)

    def delete_all(self, visitor: Visitor, now: datetime, deadline: Deadline) -> int:
        """Delete all pictures of a visitor, and return their number."""
        pictures = self.list(visitor, now)
        for record in pictures:
            deadline.check()
            try:
                self.delete(visitor, record.id, now, deadline)
            except NotFound:
                continue  # deleted by another request
        return len(pictures)

    def describe_result(self, record: ImageRecord, applied: AppliedRecipe, now: datetime) -> dict[str, Any] | None:
        """Return a result as JSON."""
        return self.view.describe_result(record, applied, end_of_next_day(now))

    def _is_visible(self, record: ImageRecord, visitor: Visitor, now: datetime) -> bool:
        is_own = record.owner == visitor.id and record.source == self.source and is_key_of(record.key, visitor)
        is_expired = record.expires_at is not None and record.expires_at <= now
        return is_own and record.status != "deleted" and not is_expired

    def _change(
        self, visitor: Visitor, identifier: str, now: datetime, change: Callable[[ImageRecord], ImageRecord]
    ) -> ImageRecord:
        """Change a picture on the condition that no other request has changed it meanwhile, and return it."""
        for _ in range(_ATTEMPTS):
            record = self.get(visitor, identifier, now)
            changed = change(record)
            if changed is record:
                return record
            if self.records.write(changed, replaces=record.revision):
                return replace(changed, revision=record.revision + 1)
        raise Busy("the picture is being changed by other requests", headers={"Retry-After": "1"})


def _find_same(record: ImageRecord, applied: AppliedRecipe) -> AppliedRecipe | None:
    """Return the result of the same recipe and edits, if there is one."""
    same = (each for each in record.applied if (each.recipe, each.edits) == (applied.recipe, applied.edits))
    return next(same, None)


def _find_result(record: ImageRecord, identifier: str) -> AppliedRecipe:
    for each in record.applied:
        if each.id == identifier:
            return each
    raise NotFound("the picture has no such result", code="no_such_result")


def _require_ready(record: ImageRecord) -> None:
    if record.status != "ready":
        raise Conflict(f"the picture must be ready, it is {record.status}", code="not_ready")

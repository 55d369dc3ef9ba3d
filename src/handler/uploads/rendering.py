"""Render and store the variants of an original, and find its facts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from handler.core.errors import BadRequest, HandlerError, NotFound, PayloadTooLarge
from handler.records.record import Variant
from handler.render.inputs import ReadOnce
from handler.render.render import RenderContext, render_each
from handler.requests.image_request import ImageRequest
from handler.requests.parsed_request import Recipe
from handler.storage.sources.tag_gate import TagRefused
from handler.uploads.change import OriginalChange
from handler.uploads.presets import UploadPreset
from handler.uploads.variants import VariantStore
from imaging import Deadline, FeatureError, TimeExceeded, Unavailable

_PERMANENT_ERRORS = (FeatureError, BadRequest, NotFound, PayloadTooLarge, TagRefused)
_TRANSIENT_ERRORS = (TimeExceeded, Unavailable)


class OriginalChanged(Exception):
    """The original was overwritten while its variants were stored."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What was made of one version of an original."""

    etag: str = ""
    """Of the original; empty if it did not have to be read."""
    facts: Mapping[str, Any] = msgspec.field(default_factory=dict)
    variants: tuple[Variant, ...] = ()
    stored: tuple[str, ...] = ()
    """The output keys that were written."""
    has_replaced: bool = False
    """Whether a variant of an earlier version was stored."""


class Renderer(msgspec.Struct, frozen=True):
    """Renders what is missing, and stores it."""

    render_context: RenderContext
    variants: VariantStore
    facts: Recipe | None = None
    """The report that becomes the facts of a record; None if they are not needed."""
    own_facts: Mapping[str, Recipe] = msgspec.field(default_factory=dict)
    """The reports of sources that have one of their own."""

    def make(self, change: OriginalChange, deadline: Deadline) -> Made:
        """Make the variants and facts of an original.

        Variants of the same sequencer are kept unless the change forces them. Raise FeatureError or HandlerError, after
        everything else is stored if the error may pass; NewerVariant; OriginalChanged.
        """
        ref = change.ref
        presets, found = self.variants.layout.keys_of(ref), self.variants.find(ref, change.sequencer)
        variants = {key: each.variant for key, each in found.items()}
        todo = [key for key, preset in presets.items() if variants[key] is None or _is_forced(change, preset)]
        recipes = [presets[key].recipe for key in todo]
        if (report := self.own_facts.get(ref.bucket, self.facts)) is not None:
            recipes.append(report)
        if not recipes:
            return Made(variants=tuple(filter(None, variants.values())))
        reader = ReadOnce(self.render_context.objects)
        etag = reader.get(ref).info.etag
        requests = [ImageRequest(ref, recipe.steps, recipe.output) for recipe in recipes]
        facts, stored, has_replaced = {}, [], False
        failure: FeatureError | HandlerError | None = None
        for number, outcome in render_each(requests, self.render_context, reader, deadline):
            if isinstance(outcome, (FeatureError, HandlerError)):
                if is_permanent(outcome):
                    raise outcome
                failure = failure or outcome
            elif number == len(todo):
                facts = json.loads(outcome.body)
            else:
                preset = presets[key := todo[number]]
                known, or_same = found[key].stored, _is_forced(change, preset)
                variants[key], is_replaced = self.variants.put(
                    ref, preset, key, outcome, change.sequencer, deadline, stored=known, or_same=or_same
                )
                stored.append(key)
                has_replaced = has_replaced or is_replaced
        if failure is not None:
            raise failure
        # S3 derives an ETag from the bytes alone. If an original is restored to earlier bytes, a newer variant can have
        # the ETag that the conditional write expected. So after a replacement the original is looked at again.
        if has_replaced and self.render_context.objects.head(ref).etag != etag:
            raise OriginalChanged
        return Made(
            etag=etag, facts=facts, variants=tuple(filter(None, variants.values())), stored=tuple(stored),
            has_replaced=has_replaced,
        )  # fmt: skip

    def exists(self, change: OriginalChange) -> bool:
        """Return whether the source has an original."""
        try:
            self.render_context.objects.head(change.ref)
        except (BadRequest, NotFound):  # a folder has no such key
            return False
        return True

    def is_current(self, change: OriginalChange, etag: str) -> bool:
        """Return whether the source still shows the version of this ETag, and lets it be read."""
        try:
            return self.render_context.objects.get(change.ref).info.etag == etag
        except (NotFound, TagRefused):
            return False


def is_permanent(error: FeatureError | HandlerError) -> bool:
    """Return whether the same original would fail again in the same way. Every other error is worth another attempt."""
    return isinstance(error, _PERMANENT_ERRORS) and not isinstance(error, _TRANSIENT_ERRORS)


def _is_forced(change: OriginalChange, preset: UploadPreset) -> bool:
    return change.force and (change.presets is None or preset.name in change.presets)

"""The variants of originals in OUTPUT_BUCKET, each with the sequencer of the change that it was rendered for.

A variant replaces only the object that was read before (a conditional write), and only an older one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote

import msgspec

from handler.core.errors import BadRequest
from handler.core.ports import ObjectAttributes, ObjectInfo, ObjectStore
from handler.records.record import Variant, record_id
from handler.render.results import RenderedResult
from handler.uploads.change import is_older, is_sequencer
from handler.uploads.layout import OutputLayout
from handler.uploads.presets import UploadPreset
from imaging import Deadline, ObjectRef

SEQUENCER = "sequencer"
"""Metadata: the sequencer of the change that a variant was rendered for."""
_ORIGINAL, _ETAG, _WIDTH, _HEIGHT = "original", "result-etag", "width", "height"


class NewerVariant(Exception):
    """A variant of a newer version is stored already."""

    def __init__(self, sequencer: str) -> None:
        super().__init__(sequencer)
        self.sequencer = sequencer


class Found(msgspec.Struct, frozen=True):
    """What is stored under an output key."""

    stored: ObjectInfo | None
    variant: Variant | None
    """None if it is not a variant of the sequencer in question."""


class VariantStore(msgspec.Struct, frozen=True):
    """Stores, finds and removes the variants of originals."""

    layout: OutputLayout
    results: ObjectStore | None = None
    """None if there are no presets."""
    base_url: str = ""
    """Beginning of the URLs of variants; empty if they have none."""
    cache_control: str = ""
    """Cache-Control of variants whose originals have none."""

    def find(self, ref: ObjectRef, sequencer: str) -> dict[str, Found]:
        """Return, for each output key of an original, what is stored there.

        Raise NewerVariant if a newer one is stored, and BadRequest for a key that is invalid or taken.
        """
        found: dict[str, Found] = {}
        for key, preset in self.layout.keys_of(ref).items():
            stored = self._head(key)
            is_ours = stored is not None and _is_for(stored, ref, sequencer)
            found[key] = Found(stored, self._describe(preset.name, stored) if stored and is_ours else None)
        return found

    def put(
        self,
        ref: ObjectRef,
        preset: UploadPreset,
        key: str,
        result: RenderedResult,
        sequencer: str,
        deadline: Deadline,
        *,
        stored: ObjectInfo | None,
        or_same: bool,
    ) -> tuple[Variant, bool]:
        """Store a variant in the place of what `find` has found. Return it, and whether another object was replaced.

        With `or_same` it also replaces one of the same sequencer; without, that one is returned. Raise as `find` does.
        """
        if self.results is None:
            raise ValueError("variants need OUTPUT_BUCKET")
        metadata = {
            SEQUENCER: sequencer,
            "cache-tag": ",".join(result.facts.tags),
            _ORIGINAL: record_id(*ref),
            _ETAG: result.facts.etag,
            _WIDTH: str(result.width),
            _HEIGHT: str(result.height),
        }
        attributes = ObjectAttributes(result.media_type, result.facts.cache_control or self.cache_control, metadata)
        while True:
            deadline.check()
            if stored is not None and _is_for(stored, ref, sequencer) and not or_same:
                return self._describe(preset.name, stored), False
            if self.results.put(key, result.body, attributes, replaces=stored.etag if stored else None):
                variant = Variant(
                    preset=preset.name, key=key, media_type=result.media_type, width=result.width,
                    height=result.height, bytes=len(result.body), etag=result.facts.etag, url=self._url(key),
                )  # fmt: skip
                return variant, stored is not None
            # Another process has written in the meantime: compare with its sequencer.
            stored = self._head(key)

    def are_stored(self, variants: Iterable[Variant], sequencer: str) -> bool:
        """Return whether all of these variants are stored, each with this sequencer."""
        for variant in variants:
            stored = self._head(variant.key)
            if stored is None or _compare(stored, sequencer) != 0:
                return False
        return True

    def remove(self, ref: ObjectRef, sequencer: str, more: Iterable[str] = (), *, keep: Iterable[str] = ()) -> int:
        """Delete the variants of an original that are not newer than a sequencer; return their number.

        Those under its output keys and under `more` keys, such as those of an earlier layout; but not those to keep.
        """
        if self.results is None:
            return 0
        try:
            keys = [*self.layout.keys_of(ref), *more]
        except BadRequest:  # no variant can have been stored under an invalid key
            keys = [*more]
        kept = set(keep)
        removed = []
        for key in dict.fromkeys(keys):
            stored = self._head(key) if key not in kept else None
            # What another original or another program has stored there is not removed.
            if stored is not None and _belongs_to(stored, ref) and (_compare(stored, sequencer) or 0) <= 0:
                removed.append(key)
        if removed:
            self.results.delete(removed)
        return len(removed)

    def _describe(self, preset: str, stored: ObjectInfo) -> Variant:
        metadata: Mapping[str, str] = stored.metadata
        width, height = (int(text) if (text := metadata.get(name, "")).isdigit() else 0 for name in (_WIDTH, _HEIGHT))
        return Variant(
            preset=preset, key=stored.ref.key, media_type=stored.content_type, width=width, height=height,
            bytes=stored.size, etag=metadata.get(_ETAG, stored.etag), url=self._url(stored.ref.key),
        )  # fmt: skip

    def _url(self, key: str) -> str:
        return f"{self.base_url.rstrip('/')}/{quote(key)}" if self.base_url else ""

    def _head(self, key: str) -> ObjectInfo | None:
        return self.results.head(key) if self.results is not None else None


def _is_for(stored: ObjectInfo, ref: ObjectRef, sequencer: str) -> bool:
    """Return whether a stored object is a variant of this sequencer. Raise as `VariantStore.find` does."""
    if stored.metadata.get(_ORIGINAL, record_id(*ref)) != record_id(*ref):
        raise BadRequest(
            f"the output key `{stored.ref.key[:200]}` is that of another original: OUTPUT_KEY must tell them apart",
            code="OutputKeyTaken",
        )
    order = _compare(stored, sequencer)
    if order is not None and order > 0:
        raise NewerVariant(stored.metadata[SEQUENCER])
    return order == 0


def _belongs_to(stored: ObjectInfo, ref: ObjectRef) -> bool:
    """Return whether a stored object was written by this package for an original."""
    if not is_sequencer(stored.metadata.get(SEQUENCER, "")):
        return False
    return stored.metadata.get(_ORIGINAL, record_id(*ref)) == record_id(*ref)


def _compare(stored: ObjectInfo, sequencer: str) -> int | None:
    """Return -1, 0 or 1 for a variant of an older, the same or a newer sequencer; None for another program's object."""
    other = stored.metadata.get(SEQUENCER, "")
    if not is_sequencer(other):
        return None
    return int(is_older(sequencer, other)) - int(is_older(other, sequencer))

"""A small service for tests of uploads: originals that a test changes, a bucket in memory, and a pipeline on both."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any

import pyvips
from msgspec.structs import replace

from handler.core.errors import NotFound
from handler.core.ports import Listing, ObjectAttributes, ObjectInfo, StoredObject
from handler.records.record import ImageRecord, Notice, PendingNotice, record_id
from handler.records.store import Records
from handler.render.render import RenderContext
from handler.requests.presets import read_presets, read_recipe
from handler.storage.sources.stored import Stored
from handler.uploads.change import OriginalChange
from handler.uploads.copies import CopyPurge
from handler.uploads.layout import OutputLayout
from handler.uploads.outcome import KeyFilter, Outcome
from handler.uploads.pipeline import Pipeline
from handler.uploads.presets import Srcset, expand_presets
from handler.uploads.rendering import Renderer
from handler.uploads.unrecorded import Unrecorded
from handler.uploads.variants import VariantStore
from imaging import Deadline, Limits, ObjectRef

MOMENT = datetime(2026, 8, 1, tzinfo=UTC)
CAT = ObjectRef("photos", "cat.png")
PRESETS = {"thumb": {"resize": {"width": 2}, "toFormat": "png"}, "large": {"resize": {"width": 4}, "toFormat": "png"}}


@cache
def picture(shade: int) -> bytes:
    """Return a PNG of 8 × 8 pixels of one shade."""
    image = (pyvips.Image.black(8, 8, bands=3) + shade).cast("uchar").copy(interpretation="srgb")
    return bytes(image.write_to_buffer(".png"))


def shade_of(body: bytes) -> int:
    return round(pyvips.Image.new_from_buffer(body, "")(1, 1)[0])


def _etag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


@dataclass
class Originals:
    """Implements `handler.core.ports.Objects`; ETags are made of the bytes alone, as those of S3."""

    bodies: dict[ObjectRef, bytes] = field(default_factory=dict)
    errors: dict[ObjectRef, list[Exception]] = field(default_factory=dict)
    """Errors of the next reads of an original, one each."""
    reads: list[ObjectRef] = field(default_factory=list)
    during_read: Callable[[], object] = lambda: None
    """Called once, after the next read of any original."""

    def resolve(self, ref: ObjectRef) -> ObjectRef:
        return ref

    def get(self, ref: ObjectRef) -> StoredObject:
        body = self.bodies.get(ref, b"")
        info = self._info(ref, body)
        return Stored(info, self._chunks(ref, body), len(body))

    def _chunks(self, ref: ObjectRef, body: bytes) -> Iterator[bytes]:
        self.reads.append(ref)
        if self.errors.get(ref):
            raise self.errors[ref].pop(0)
        yield body
        hook, self.during_read = self.during_read, lambda: None
        hook()

    def head(self, ref: ObjectRef) -> ObjectInfo:
        return self._info(ref, self.bodies.get(ref, b""))

    def _info(self, ref: ObjectRef, body: bytes) -> ObjectInfo:
        if not body:
            raise NotFound(f"the key `{ref.key}` does not exist")
        return ObjectInfo(ref, len(body), _etag(body), MOMENT, cache_control="max-age=60")

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        yield from (self.head(ref) for ref in self.bodies if ref.bucket == bucket and ref.key.startswith(prefix))

    def page(self, bucket: str, prefix: str, cursor: str, limit: int) -> Listing:
        return Listing(tuple(self.list(bucket, prefix)), (), None)


@dataclass
class MemoryStore:
    """Implements `handler.core.ports.ObjectStore`; ETags are made of the bytes alone, as those of S3."""

    objects: dict[str, tuple[bytes, ObjectAttributes]] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    before_put: Callable[[], object] = lambda: None
    """Called once, before the next write."""
    before_delete: Callable[[], object] = lambda: None
    lock: threading.RLock = field(default_factory=threading.RLock)

    def head(self, key: str) -> ObjectInfo | None:
        with self.lock:
            if key not in self.objects:
                return None
            body, attributes = self.objects[key]
            content_type, metadata = attributes.content_type, attributes.metadata
            return ObjectInfo(ObjectRef("out", key), len(body), _etag(body), MOMENT, "", content_type, metadata)

    def put(self, key: str, body: bytes, attributes: ObjectAttributes, *, replaces: str | None) -> bool:
        hook, self.before_put = self.before_put, lambda: None
        hook()
        with self.lock:
            existing = self.head(key)
            if (existing.etag if existing else None) != replaces:
                return False
            self.objects[key] = (body, attributes)
            self.writes.append(key)
            return True

    def get(self, key: str) -> StoredObject | None:
        info = self.head(key)
        return Stored(info, [self.objects[key][0]], info.size) if info else None

    def read(self, key: str) -> bytes | None:
        return self.objects[key][0] if key in self.objects else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        yield from (info for key in [*self.objects] if key.startswith(prefix) and (info := self.head(key)))

    def delete(self, keys: Sequence[str]) -> None:
        hook, self.before_delete = self.before_delete, lambda: None
        hook()
        for key in keys:
            self.objects.pop(key, None)

    def shades(self) -> dict[str, int]:
        return {key: shade_of(body) for key, (body, _) in self.objects.items()}

    def sequencers(self) -> dict[str, str]:
        return {key: attributes.metadata["sequencer"] for key, (_, attributes) in self.objects.items()}


class MemoryRecords(Unrecorded):
    """Records in memory, for tests of thousands of runs."""

    def __init__(self) -> None:
        self.all: dict[str, ImageRecord] = {}
        self.announced: dict[str, Notice] = {}
        self._lock = threading.Lock()

    def get(self, record_id: str) -> ImageRecord | None:
        return self.all.get(record_id)

    def write(self, record: ImageRecord, *, replaces: int | None, notices: Sequence[Notice] = ()) -> bool:
        with self._lock:
            existing = self.all.get(record.id)
            if (existing.revision if existing else None) != replaces:
                return False
            self.all[record.id] = replace(record, revision=(replaces or 0) + 1)
            for notice in notices:
                self.announced.setdefault(notice.id, notice)
            return True

    def pending(self, now: datetime, limit: int) -> Sequence[PendingNotice]:
        return [PendingNotice(notice=notice, attempts=0, due_at=now) for notice in self.announced.values()]


@dataclass
class Studio:
    """Everything together."""

    records: Records = field(default_factory=Unrecorded)
    originals: Originals = field(default_factory=Originals)
    output: MemoryStore = field(default_factory=MemoryStore)
    presets: Mapping[str, Any] = field(default_factory=lambda: PRESETS)
    srcsets: Mapping[str, Srcset] = field(default_factory=dict)
    template: str = "{preset}/{bucket}/{key}"
    copies: CopyPurge = field(default_factory=CopyPurge)
    filter: KeyFilter = field(default_factory=KeyFilter)
    max_attempts: int = 3
    limits: Limits = field(default_factory=Limits)
    now: datetime = MOMENT

    @cached_property
    def pipeline(self) -> Pipeline:
        recipes = read_presets(self.presets)
        always = read_recipe({})
        layout = OutputLayout(expand_presets([*recipes], recipes, self.srcsets, self.template, always))
        variants = VariantStore(layout, self.output)
        is_recorded = type(self.records) is not Unrecorded
        context = RenderContext(self.originals, self.limits, "1", MOMENT)
        return Pipeline(
            renderer=Renderer(context, variants, read_recipe({"info": True}) if is_recorded else None),
            variants=variants,
            records=self.records,
            copies=self.copies,
            filter=self.filter,
            max_attempts=self.max_attempts,
            now=lambda: self.now,
        )

    def put(self, shade: int, ref: ObjectRef = CAT) -> None:
        self.originals.bodies[ref] = picture(shade)

    def process(self, sequencer: str, kind: Any = "created", ref: ObjectRef = CAT, **options: Any) -> Outcome:
        change = OriginalChange(ref=ref, sequencer=sequencer, kind=kind, **options)
        return self.pipeline.process(change, Deadline.after(60))

    def record(self, ref: ObjectRef = CAT) -> ImageRecord:
        found = self.records.get(record_id(*ref))
        assert found is not None
        return found

    def notices(self) -> list[str]:
        """Return the types of all notices in the outbox, which nothing empties here."""
        pending = self.records.pending(datetime(2100, 1, 1, tzinfo=UTC), 1000)
        return [each.notice.type for each in sorted(pending, key=lambda each: each.notice.record.revision)]

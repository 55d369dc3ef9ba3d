"""Uploads: each new original is made into the variations that `UPLOAD_PRESETS` names, once, however its events come.

S3 tells of an upload at least once and in any order. The event's sequencer therefore stands with the stored picture,
and a picture is written only over what was seen before: an older event finds a newer sequencer and gives way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import msgspec

from handler.entrypoints.upload_events import Upload, is_batch, is_sequencer, message_of, uploads_in
from handler.errors import BadRequest, Forbidden, HandlerError, NotFound, PayloadTooLarge
from handler.observability import logger
from handler.ports import ObjectAttributes, ObjectInfo, ObjectWriter
from handler.render.results import NotModified, RenderedResult
from handler.requests.image_request import ImageRequest
from handler.requests.presets import Recipe
from imaging import Deadline, FeatureError, ObjectRef, TimeExceeded, Unavailable

SEQUENCER = "sequencer"
# The same original would fail again in the same way; everything else is left to be tried again.
_LASTING = (FeatureError, BadRequest, NotFound, PayloadTooLarge)
_PASSING = (TimeExceeded, Unavailable)


@dataclass(slots=True)
class Report:
    """What became of the uploads of one event."""

    stored: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Keys under which the same or a newer picture lay already."""
    refused: list[dict[str, str]] = field(default_factory=list)

    def as_answer(self) -> dict[str, object]:
        return {"stored": self.stored, "kept": self.kept, "refused": self.refused}


class UploadEntrypoint(msgspec.Struct, frozen=True):
    """Makes the variations of what was uploaded."""

    render: Callable[[ImageRequest, Deadline], RenderedResult]
    render_if_changed: Callable[[ImageRequest, Deadline, str], RenderedResult | NotModified]
    """The same, unless the result still has this ETag."""
    presets: Mapping[str, Recipe]
    """Those that `UPLOAD_PRESETS` names."""
    results: ObjectWriter
    output_bucket: str
    """Of S3, empty for a folder: an upload to it is a result of ours."""
    source_of: Callable[[str, str], ObjectRef | None]
    """The listed source, and the key there, of an S3 bucket and a key."""

    def handle(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
        """Do what an event asks. Of a batch of messages those that failed are named; else a failure is raised, so that
        Lambda tries again. What lies in the original itself is logged and done with."""
        if is_batch(event):
            return self._batch(event, deadline)
        report = Report()
        self._all(event, deadline, report)
        return report.as_answer()

    def _batch(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
        failed = []
        for message in event["Records"]:
            try:
                self._all(message_of(message), deadline, Report())
            except Exception:  # noqa: BLE001 - whatever it is, the other messages are not to be done again for it
                logger().exception("an upload failed", extra={"message_id": message["messageId"]})
                failed.append({"itemIdentifier": message["messageId"]})
        return {"batchItemFailures": failed}

    def _all(self, event: Mapping[str, Any], deadline: Deadline, report: Report) -> None:
        """Every preset of every upload, whichever of them fails; then the first failure that may pass."""
        failure: Exception | None = None
        for upload, preset in product(uploads_in(event), self.presets):
            try:
                key, is_stored = self._one(upload, preset, deadline)
                (report.stored if is_stored else report.kept).append(key)
            except (FeatureError, HandlerError) as error:
                if isinstance(error, _PASSING) or not isinstance(error, _LASTING):
                    failure = failure or error
                    continue
                refusal = {"bucket": upload.bucket, "key": upload.key, "preset": preset, "code": error.code}
                logger().warning(error.message, extra={**refusal, "detail": error.detail})
                report.refused.append({**refusal, "message": error.message})
        if failure is not None:
            raise failure

    def _one(self, upload: Upload, preset: str, deadline: Deadline) -> tuple[str, bool]:
        """One variation: its key, and whether it was written; False when the same or a newer upload has its picture."""
        source = self._source(upload)
        key = f"{preset}/{source.bucket}/{source.key}"
        request = ImageRequest(source, self.presets[preset].steps, self.presets[preset].output)
        made: RenderedResult | None = None
        is_ours = False
        while True:
            deadline.check()
            there = self.results.head(key)
            if there is not None and not _is_older(there, upload.sequencer, or_same=is_ours):
                return key, is_ours
            made = made or self.render(request, deadline)
            if not self._put(key, made, upload, there):
                continue
            if there is None:
                return key, True
            # S3 makes an ETag of the bytes alone. When an original is put back to what it was, a newer picture can have
            # the ETag of the one that was seen here; so whoever writes over a picture looks at the original once more.
            is_ours = True
            latest = self.render_if_changed(request, deadline, made.facts.etag)
            if isinstance(latest, NotModified):
                return key, True
            made = latest

    def _put(self, key: str, made: RenderedResult, upload: Upload, there: ObjectInfo | None) -> bool:
        metadata = {SEQUENCER: upload.sequencer, "cache-tag": ",".join(made.facts.tags)}
        attributes = ObjectAttributes(made.media_type, made.facts.cache_control, metadata)
        return self.results.put(key, made.body, attributes, replaces=there.etag if there else None)

    def _source(self, upload: Upload) -> ObjectRef:
        if upload.bucket == self.output_bucket:
            raise HandlerError(
                "OUTPUT_BUCKET must not tell of its own objects: results would be made of results without end",
                code="Configuration",
            )
        source = self.source_of(upload.bucket, upload.key)
        if source is None:
            message = f"bucket `{upload.bucket}` tells of uploads, but is none of SOURCE_BUCKETS"
            raise Forbidden(message, code="ImageBucket::CannotAccessBucket")
        return source


def _is_older(there: ObjectInfo, sequencer: str, *, or_same: bool) -> bool:
    """Whether a stored picture is of an older event. Sequencers differ in length: pad on the left, compare as text."""
    stored = there.metadata.get(SEQUENCER, "")
    if not is_sequencer(stored):
        return True  # put there by someone else
    width = max(len(stored), len(sequencer))
    theirs, ours = stored.upper().zfill(width), sequencer.upper().zfill(width)
    return theirs <= ours if or_same else theirs < ours

"""Uploads: render the presets of `UPLOAD_PRESETS` for each new original and store the results.

S3 sends the events of an upload at least once and in any order. Each result is therefore stored with the sequencer of
its event, and replaces only the result that was read before (a conditional write). An older event finds the newer
sequencer and leaves the result as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import msgspec

from handler.entrypoints.upload_events import Upload, is_batch, is_sequencer, parse_message, uploads_in
from handler.errors import BadRequest, Forbidden, HandlerError, NotFound, PayloadTooLarge
from handler.observability import logger
from handler.ports import ObjectAttributes, ObjectInfo, ObjectWriter
from handler.render.results import NotModified, RenderedResult
from handler.requests.image_request import ImageRequest
from handler.requests.parsed_request import Recipe
from imaging import Deadline, FeatureError, ObjectRef, TimeExceeded, Unavailable

SEQUENCER = "sequencer"
# The same original would fail again in the same way. Every other error is retried.
_PERMANENT_ERRORS = (FeatureError, BadRequest, NotFound, PayloadTooLarge)
_TRANSIENT_ERRORS = (TimeExceeded, Unavailable)


@dataclass(slots=True)
class Report:
    """The results of one event."""

    stored: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Keys whose result was already that of the same or a newer upload."""
    refused: list[dict[str, str]] = field(default_factory=list)
    """Originals that cannot be rendered, and why."""

    def as_answer(self) -> dict[str, object]:
        return {"stored": self.stored, "kept": self.kept, "refused": self.refused}


class UploadEntrypoint(msgspec.Struct, frozen=True):
    """Renders and stores the variants of uploaded originals."""

    render: Callable[[ImageRequest, Deadline], RenderedResult]
    render_if_changed: Callable[[ImageRequest, Deadline, str], RenderedResult | NotModified]
    """The same, unless the result still has this ETag."""
    presets: Mapping[str, Recipe]
    """The presets of `UPLOAD_PRESETS`, by name."""
    results: ObjectWriter
    output_bucket: str
    """An S3 bucket, or empty for a folder. Uploads to this bucket are refused, because they are results."""
    source_of: Callable[[str, str], ObjectRef | None]
    """Returns the configured source and the key in it for an S3 bucket and key; None if no source has the bucket."""

    def handle(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
        """Process an event and return its report.

        A failure is raised, so that Lambda tries again; of a batch of messages the failed ones are returned instead.
        An original that cannot be rendered is logged and not tried again.
        """
        if is_batch(event):
            return self._process_batch(event, deadline)
        report = Report()
        self._process(event, deadline, report)
        return report.as_answer()

    def _process_batch(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
        failed = []
        for message in event["Records"]:
            try:
                self._process(parse_message(message), deadline, Report())
            except Exception:  # noqa: BLE001 - the other messages of the batch must not be repeated for this one
                logger().exception("an upload failed", extra={"message_id": message["messageId"]})
                failed.append({"itemIdentifier": message["messageId"]})
        return {"batchItemFailures": failed}

    def _process(self, event: Mapping[str, Any], deadline: Deadline, report: Report) -> None:
        """Store every preset of every upload, then raise the first failure that may succeed in another try."""
        failure: Exception | None = None
        for upload, preset in product(uploads_in(event), self.presets):
            try:
                key, is_stored = self._store_variant(upload, preset, deadline)
                (report.stored if is_stored else report.kept).append(key)
            except (FeatureError, HandlerError) as error:
                if isinstance(error, _TRANSIENT_ERRORS) or not isinstance(error, _PERMANENT_ERRORS):
                    failure = failure or error
                    continue
                refusal = {"bucket": upload.bucket, "key": upload.key, "preset": preset, "code": error.code}
                logger().warning(error.message, extra={**refusal, "detail": error.detail})
                report.refused.append({**refusal, "message": error.message})
        if failure is not None:
            raise failure

    def _store_variant(self, upload: Upload, preset: str, deadline: Deadline) -> tuple[str, bool]:
        """Store one variant. Return its key, and False if the stored one already is of the same or a newer upload."""
        source = self._source(upload)
        key = f"{preset}/{source.bucket}/{source.key}"
        request = ImageRequest(source, self.presets[preset].steps, self.presets[preset].output)
        result: RenderedResult | None = None
        is_written = False
        while True:
            deadline.check()
            stored = self.results.head(key)
            if stored is not None and not _is_older(stored, upload.sequencer, or_same=is_written):
                return key, is_written
            result = result or self.render(request, deadline)
            if not self._put(key, result, upload, stored):
                continue  # another event has written in the meantime: compare with its sequencer
            if stored is None:
                return key, True
            # S3 derives an ETag from the bytes alone. If an original is restored to earlier bytes, a newer result can
            # have the ETag that the conditional write expected. So after a replacement the original is read again, and
            # if it has changed, its new result is stored too.
            is_written = True
            latest = self.render_if_changed(request, deadline, result.facts.etag)
            if isinstance(latest, NotModified):
                return key, True
            result = latest

    def _put(self, key: str, result: RenderedResult, upload: Upload, stored: ObjectInfo | None) -> bool:
        metadata = {SEQUENCER: upload.sequencer, "cache-tag": ",".join(result.facts.tags)}
        attributes = ObjectAttributes(result.media_type, result.facts.cache_control, metadata)
        return self.results.put(key, result.body, attributes, replaces=stored.etag if stored else None)

    def _source(self, upload: Upload) -> ObjectRef:
        if upload.bucket == self.output_bucket:
            raise HandlerError(
                "OUTPUT_BUCKET must not send events of its own objects: each result would be rendered again",
                code="Configuration",
            )
        source = self.source_of(upload.bucket, upload.key)
        if source is None:
            message = f"bucket `{upload.bucket}` sends upload events, but SOURCE_BUCKETS does not list it"
            raise Forbidden(message, code="ImageBucket::CannotAccessBucket")
        return source


def _is_older(stored: ObjectInfo, sequencer: str, *, or_same: bool) -> bool:
    """Whether a stored result belongs to an older event than this sequencer's."""
    other = stored.metadata.get(SEQUENCER, "")
    if not is_sequencer(other):
        return True  # something else than this entrypoint has written it
    # Sequencers differ in length. S3's documentation says to pad them on the left with zeros and to compare the texts.
    width = max(len(other), len(sequencer))
    theirs, ours = other.upper().zfill(width), sequencer.upper().zfill(width)
    return theirs <= ours if or_same else theirs < ours

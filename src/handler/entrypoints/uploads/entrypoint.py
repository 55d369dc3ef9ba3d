"""Uploads: hand each changed original of an event to the pipeline, and answer the sender of the event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from handler.core.errors import Forbidden, HandlerError
from handler.entrypoints.uploads.events import (
    ObjectChange,
    changes_in,
    count_of,
    is_batch,
    is_batch_job,
    is_reprocess,
    is_sweep,
    parse_message,
    records_in,
)
from handler.observability.logs import logger
from handler.observability.redaction import redact_text
from handler.uploads.change import OriginalChange, make_forced_change
from handler.uploads.outcome import Outcome
from handler.uploads.pipeline import Pipeline
from handler.uploads.recovery import Sweep
from imaging import Deadline, ObjectRef


@dataclass(slots=True)
class Report:
    """The results of one event."""

    stored: list[str] = field(default_factory=list)
    """Output keys that were written."""
    kept: list[str] = field(default_factory=list)
    """Output keys whose variant was already that of the same or a newer upload."""
    refused: list[dict[str, str]] = field(default_factory=list)
    """Originals that cannot be rendered, and why."""
    deleted: list[str] = field(default_factory=list)
    """Keys of originals that were deleted, and whose variants are removed."""

    def add(self, ref: ObjectRef, outcome: Outcome) -> None:
        """Add the outcome for one original."""
        self.stored += outcome.stored
        self.kept += outcome.kept
        if outcome.error is not None:
            error = outcome.error
            self.refused.append({"bucket": ref.bucket, "key": ref.key, "code": error.code, "message": error.message})
        if outcome.status == "deleted":
            self.deleted.append(ref.key)

    def as_answer(self) -> dict[str, object]:
        return {"stored": self.stored, "kept": self.kept, "refused": self.refused, "deleted": self.deleted}


class UploadEntrypoint(msgspec.Struct, frozen=True):
    """Processes events of originals."""

    pipeline: Pipeline
    source_of: Callable[[str, str], ObjectRef | None]
    """Returns the configured source and the key in it for an S3 bucket and key; None if no source has the bucket."""
    sweep: Sweep
    output_bucket: str = ""
    """An S3 bucket, or empty for a folder. Uploads to this bucket are refused, because they are results."""
    send_notices: Callable[[Deadline], object] | None = None
    """Sends the notices of the outbox; what it cannot send stays there."""
    notice_totals: Callable[[], Mapping[str, int]] = dict
    """Returns the numbers of notices since the start of the process, by what became of them."""

    def handle(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
        """Process an event and return its report.

        A failure is raised, so that Lambda tries again; of a batch of messages the failed ones are returned instead.
        An original that cannot be rendered is logged and recorded, and not tried again.
        """
        if is_sweep(event):
            return self._sweep(deadline)
        if is_batch_job(event):
            return self._answer_job(event, deadline)
        if is_batch(event):
            return self._process_batch(event, deadline)
        report = Report()
        try:
            self._process(event, 0, deadline, report)
        finally:
            self.finish(deadline)
        return report.as_answer()

    def process(self, change: ObjectChange, deadline: Deadline, **options: Any) -> tuple[ObjectRef, Outcome]:
        """Process one changed object of an S3 bucket. Raise as `Pipeline.process` does; Forbidden for other buckets."""
        ref = self._source(change)
        sequenced = OriginalChange(ref=ref, sequencer=change.sequencer, kind=change.kind, **options)
        return ref, _log_outcome(ref, self.pipeline.process(sequenced, deadline))

    def finish(self, deadline: Deadline) -> None:
        """Invalidate the CDN's copies of what was changed, then send notices. Raise UpstreamError for the former."""
        try:
            self.pipeline.copies.flush(deadline)
        finally:
            self._send(deadline)

    def _answer_job(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
        from handler.entrypoints.uploads.batch_operations import answer_tasks  # noqa: PLC0415 - only jobs need it

        def process(change: ObjectChange, presets: frozenset[str] | None) -> Outcome:
            return self.process(change, deadline, force=True, presets=presets)[1]

        return answer_tasks(event, process, partial(self.finish, deadline))

    def _process_batch(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, object]:
        messages = [message["messageId"] for message in event["Records"]]
        failed = []
        for message in event["Records"]:
            try:
                self._process(parse_message(message), count_of(message), deadline, Report())
            except Exception:  # noqa: BLE001 - the other messages of the batch must not be repeated for this one
                logger().exception("an upload failed", extra={"message_id": message["messageId"]})
                failed.append(message["messageId"])
        try:
            self.finish(deadline)
        except HandlerError:
            # One invalidation is sent for all of them, and each of them is processed again until it is accepted.
            logger().exception("the CDN's copies could not be invalidated")
            failed = messages
        return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}

    def _process(self, event: Mapping[str, Any], attempt: int, deadline: Deadline, report: Report) -> None:
        """Process every original of an event, then raise the first failure that may succeed in another try."""
        failure: Exception | None = None
        steps: list[Callable[[], None]]
        if is_reprocess(event):
            steps = [partial(self._reprocess, record, attempt, deadline, report) for record in records_in(event)]
        else:
            steps = [partial(self._process_change, change, attempt, deadline, report) for change in changes_in(event)]
        for step in steps:
            try:
                step()
            except Exception as error:  # noqa: BLE001 - raised below, after the other originals are processed
                failure = failure or error
        if failure is not None:
            raise failure

    def _process_change(self, change: ObjectChange, attempt: int, deadline: Deadline, report: Report) -> None:
        report.add(*self.process(change, deadline, attempt=attempt))

    def _reprocess(self, identifier: str, attempt: int, deadline: Deadline, report: Report) -> None:
        """Process the original of a record again. A repeated message renders the same variants once more."""
        record = self.pipeline.records.get(identifier)
        if record is None:
            # The record has expired since the message was sent, and with it all that was made of the original.
            logger().warning("there is no such record to process again", extra={"record": identifier})
            return
        change = make_forced_change(record.source, record.key, attempt)
        report.add(change.ref, _log_outcome(change.ref, self.pipeline.process(change, deadline)))

    def _sweep(self, deadline: Deadline) -> dict[str, object]:
        swept = self.sweep.run(deadline)
        self.finish(deadline)
        return {"swept": swept}

    def _send(self, deadline: Deadline) -> None:
        if self.send_notices is None:
            return
        try:
            self.send_notices(deadline)
        except HandlerError as error:
            # The notices stay in the outbox, and the next event or the sweep sends them.
            logger().warning("notices could not be sent", extra={"detail": error.detail or error.message})

    def _source(self, change: ObjectChange) -> ObjectRef:
        source = self.source_of(change.bucket, change.key)
        # A bucket can hold the originals under one prefix and the variants under another.
        if source is None and change.bucket == self.output_bucket:
            raise HandlerError(
                "OUTPUT_BUCKET must not send events of its own objects: each result would be rendered again",
                code="Configuration",
            )
        if source is None:
            message = f"bucket `{change.bucket}` sends upload events, but SOURCE_BUCKETS does not list it"
            raise Forbidden(message, code="ImageBucket::CannotAccessBucket")
        return source


def _log_outcome(ref: ObjectRef, outcome: Outcome) -> Outcome:
    """Log the outcome for an original, on a line of its own, as one event may hold several. Return the outcome."""
    details = {"source": ref.bucket, "key": redact_text(ref.key), "outcome": outcome.status}
    if outcome.stored:
        details["variants"] = " ".join(map(redact_text, outcome.stored))
    logger().info("original", extra=details)
    return outcome

"""Process the changes of originals: variants, a record and a notice of its newest version, in whatever order they come.

Every write of a record names the revision that it replaces, and every variant has the sequencer of its change. The
database decides who owns an original: the newest sequencer that it has. Objects in the bucket cannot be written
together with the record, so a process that finds that it is no longer the owner repairs what it may have damaged:

* A deleted, rejected or failed original: it deletes the variants again, its own among them.
* A ready one: it checks that each variant is stored, and has the original processed again if one is not.
* One in process: it writes the record once more, unchanged. The owner's last write then fails, and before it tries
  again, the owner checks its variants.

A killed process leaves the record in `processing`. The message is delivered again, or the sweep finds the record.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
from msgspec.structs import replace

from handler.core.errors import HandlerError, NotFound
from handler.observability.logs import logger
from handler.records.record import FINAL, ImageRecord, ProcessingError, notice_of, record_id
from handler.records.store import Records
from handler.storage.sources.tag_gate import TagMissing
from handler.uploads.change import OriginalChange, is_older, is_same, normalize_sequencer
from handler.uploads.copies import CopyPurge
from handler.uploads.outcome import KeyFilter, Outcome, explain, is_done, keep_changes, make_claim, widen
from handler.uploads.rendering import Made, OriginalChanged, Renderer, is_permanent
from handler.uploads.retention import Retention, describe_rejection
from handler.uploads.variants import NewerVariant, VariantStore
from imaging import Deadline, FeatureError, ObjectRef

_TOMBSTONE_LIFE = timedelta(days=30)
"""How long the record of a deleted original stays: longer than a queue keeps an older event."""


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """Processes changes of originals."""

    renderer: Renderer
    variants: VariantStore
    records: Records
    copies: CopyPurge = msgspec.field(default_factory=CopyPurge)
    filter: KeyFilter = KeyFilter()
    retention: Retention = Retention()
    max_attempts: int = 5
    announces: bool = True
    """Whether each final state has a notice; not without a receiver."""
    on_notice: Callable[[str], object] = lambda _: None
    """Called with the ID of each notice that was written."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def process(self, change: OriginalChange, deadline: Deadline) -> Outcome:
        """Process a change. Raise what may succeed in another attempt, after the record says so.

        The caller calls `copies.flush` afterwards, and only then acknowledges the change.
        """
        if not self.filter.includes(change.ref):
            return Outcome(status="ignored")
        while True:
            deadline.check()
            record = self.records.get(record_id(*change.ref))
            change = self._complete(change, record)
            if self.retention.has_caused(change, record):
                return Outcome(status="repeated")
            if record is not None and (
                is_older(change.sequencer, record.sequencer)
                or is_done(change, record)
                or self._is_known(change, record)
            ):
                return self._repeat(change, record, deadline)
            claimed = self._claim(change, record)
            if claimed is None:
                continue
            try:
                outcome = self._run(widen(change, record), claimed, deadline)
            except NewerVariant as error:
                # There is no record of the newer change, which has been removed or is not written: whatever the source
                # shows now is at least as new.
                change = replace(change, sequencer=error.sequencer, kind=None)
                continue
            except OriginalChanged:
                change = replace(change, force=True, presets=None, is_repetition=True)
                continue
            except Exception as error:
                self._note_failure(change, claimed, error, deadline)
                raise
            if outcome is not None:
                return outcome

    def accept(self, change: OriginalChange) -> None:
        """Write that a change is to be processed, so that the sweep finds it if it is never processed."""
        if not self.filter.includes(change.ref):
            return
        while True:
            record = self.records.get(record_id(*change.ref))
            change = self._complete(change, record)
            if record is not None and (is_older(change.sequencer, record.sequencer) or is_done(change, record)):
                return
            if self._claim(change, record, attempts=0) is not None:
                return

    def fail(self, record: ImageRecord, deadline: Deadline) -> None:
        """Write that the attempts to process a record are used up, unless it has changed in the meantime."""
        error = record.error or ProcessingError(
            code="Interrupted", message="processing was interrupted each time", attempts=record.attempts
        )
        ref = ObjectRef(record.source, record.key)
        self._fail(OriginalChange(ref=ref, sequencer=record.sequencer), record, error, deadline)

    def _complete(self, change: OriginalChange, record: ImageRecord | None) -> OriginalChange:
        """Return the change with the one spelling of its sequencer, or of the record's if it has none."""
        own = record.sequencer if record is not None else ""
        return replace(change, sequencer=normalize_sequencer(change.sequencer or own))

    def _is_known(self, change: OriginalChange, record: ImageRecord) -> bool:
        """Return whether a change that tells no kind has changed nothing."""
        is_open = change.kind is None and not change.force and record.status == "ready"
        return is_open and self.renderer.is_current(change, record.etag)

    def _claim(self, change: OriginalChange, record: ImageRecord | None, attempts: int = 1) -> ImageRecord | None:
        """Write that a change is being processed. Return the record, None if it has changed since it was read.

        `attempts` is the number for a version that was not claimed before.
        """
        claimed = make_claim(change, record, attempts, self.now())
        claimed = replace(claimed, expires_at=self.retention.expiry_of(record or claimed))
        revision = record.revision if record is not None else None
        is_written = self.records.write(claimed, replaces=revision)
        return replace(claimed, revision=(revision or 0) + 1) if is_written else None

    def _run(self, change: OriginalChange, record: ImageRecord, deadline: Deadline) -> Outcome | None:
        """Process a claimed change. Return None if it has to be looked at again."""
        if change.kind == "deleted":
            return self._delete(change, record, deadline)
        try:
            made = self.renderer.make(change, deadline)
        except TagMissing as error:
            return self._wait(record, error)
        except (FeatureError, HandlerError) as error:
            return self._refuse(change, record, error, deadline)
        return self._accept(change, record, made, deadline)

    def _refuse(
        self, change: OriginalChange, record: ImageRecord, error: FeatureError | HandlerError, deadline: Deadline
    ) -> Outcome | None:
        """End the processing of an original that is gone, or would fail again in the same way; else raise the error."""
        # What is missing may also be an overlay of a preset.
        if isinstance(error, NotFound) and not self.renderer.exists(change):
            # Unless moderation has rejected it, and the process was killed after it had deleted the original.
            if record.error is None or not self.retention.is_removed(record):
                return self._delete(change, record, deadline)
            return self._reject(change, record, record.error, deadline)
        if not is_permanent(error):
            raise error
        details = {"bucket": change.ref.bucket, "key": change.ref.key, "code": error.code, "detail": error.detail}
        logger().warning(error.message, extra=details)
        reason = describe_rejection(error, record.attempts)
        if self.retention.is_unwanted(record, error):
            # The record says so before the original is deleted, in case this process is killed in between.
            noted = replace(record, error=reason, bytes=0, updated_at=self.now())
            if not self.records.write(noted, replaces=record.revision):
                return None
            self.retention.delete(record.key)
            record = replace(noted, revision=record.revision + 1)
        return self._reject(change, record, reason, deadline)

    def _wait(self, record: ImageRecord, error: TagMissing) -> Outcome | None:
        """Write that an original cannot be read yet. The event of its scan goes on with it."""
        reason = ProcessingError(code=error.code, message=error.message, attempts=0)
        waiting = replace(record, status="uploading", error=reason, attempts=0, updated_at=self.now())
        is_written = self.records.write(waiting, replaces=record.revision)
        return Outcome(status="waiting", error=reason) if is_written else None

    def _accept(self, change: OriginalChange, record: ImageRecord, made: Made, deadline: Deadline) -> Outcome | None:
        keys = {variant.key for variant in made.variants}
        obsolete = [variant.key for variant in record.variants if variant.key not in keys]
        if obsolete:
            self.variants.remove(change.ref, change.sequencer, obsolete, keep=keys)
        # Copies of the version before; those of the first version cannot exist.
        if record.etag or made.has_replaced or change.attempt > 1:
            self.copies.purge(change.ref)
        ready = replace(record, status="ready", etag=made.etag, facts=made.facts, variants=made.variants, error=None)
        if record.bytes:
            ready = replace(ready, bytes=made.facts.get("bytes", record.bytes))
        if not self._end(change, record, ready, deadline):
            return None
        kept = tuple(variant.key for variant in made.variants if variant.key not in made.stored)
        return Outcome(status="ready", stored=made.stored, kept=kept)

    def _reject(
        self, change: OriginalChange, record: ImageRecord, reason: ProcessingError, deadline: Deadline
    ) -> Outcome | None:
        """Write that an original is rejected."""
        self._remove_all(change, record)
        rejected = replace(record, status="rejected", facts={}, variants=(), error=reason)
        return Outcome(status="rejected", error=reason) if self._end(change, record, rejected, deadline) else None

    def _delete(self, change: OriginalChange, record: ImageRecord, deadline: Deadline) -> Outcome | None:
        self._remove_all(change, record)
        deleted = replace(
            record, status="deleted", facts={}, variants=(), error=None, expires_at=self.now() + _TOMBSTONE_LIFE
        )
        return Outcome(status="deleted") if self._end(change, record, deleted, deadline) else None

    def _remove_all(self, change: OriginalChange, record: ImageRecord) -> None:
        """Remove everything that was made of an original up to this change."""
        self.variants.remove(change.ref, change.sequencer, (variant.key for variant in record.variants))
        self.copies.purge(change.ref)

    def _end(self, change: OriginalChange, claimed: ImageRecord, final: ImageRecord, deadline: Deadline) -> bool:
        """Write a final state and its notice. Return False if the change has to be looked at again."""
        final = replace(final, updated_at=self.now(), is_forced=False)
        revision, announced = claimed.revision, claimed.announced
        while True:
            # A state of a version is announced once, although the version may be rendered again.
            is_new = change.is_announced and final.status not in announced
            notices = [notice_of(final)] if self.announces and is_new else []
            final = replace(final, announced=(*announced, final.status) if is_new else announced)
            if self.records.write(final, replaces=revision, notices=notices):
                break
            deadline.check()
            current = self.records.get(final.id)
            is_ours = current is not None and is_same(current.sequencer, final.sequencer)
            if current is None or not is_ours or current.status != "processing":
                return False
            # A duplicate of this change, or a process that was overtaken by it, has written the record.
            if final.status == "ready" and not self.variants.are_stored(final.variants, final.sequencer):
                return False
            if final.status != "ready":
                self.variants.remove(change.ref, change.sequencer, (each.key for each in claimed.variants))
            final = keep_changes(final, current)
            revision, announced = current.revision, current.announced
        for notice in notices:
            self.on_notice(notice.id)
        return True

    def _repeat(self, change: OriginalChange, record: ImageRecord, deadline: Deadline) -> Outcome:
        """Repair what an earlier attempt to process a change may have damaged since it was processed or overtaken."""
        if change.attempt > 1:
            self.copies.purge(change.ref)  # the attempt before may have ended before it purged the CDN
        status: Literal["superseded", "repeated"] = (
            "superseded" if is_older(change.sequencer, record.sequencer) else "repeated"
        )
        outcome = Outcome(status=status, kept=tuple(variant.key for variant in record.variants))
        while True:
            deadline.check()
            if record.status == "ready" and self._restore(record, deadline):
                return outcome
            if record.status in FINAL and record.status != "ready":
                self.variants.remove(change.ref, record.sequencer)
            elif record.status != "ready" and self.records.write(record, replaces=record.revision):
                return outcome
            current = self.records.get(record.id)
            if current is None or (current.revision == record.revision and record.status != "ready"):
                return outcome
            record = current

    def _restore(self, record: ImageRecord, deadline: Deadline) -> bool:
        """Render the variants of a ready record that are missing. Return False if the record has changed meanwhile.

        The record stays ready: if this process is killed, the message that has brought it here is delivered again.
        """
        if self.variants.are_stored(record.variants, record.sequencer):
            return True
        ref = ObjectRef(record.source, record.key)
        change = OriginalChange(ref=ref, sequencer=record.sequencer, force=True, presets=frozenset())
        try:
            made = self.renderer.make(change, deadline)
        except (FeatureError, HandlerError, NewerVariant, OriginalChanged) as error:
            if isinstance(error, (FeatureError, HandlerError)) and not is_permanent(error):
                raise
            # It could be rendered before: the original has changed since, and an event of that is still to come.
            logger().warning("a variant cannot be restored", extra={"record": record.id, "detail": str(error)})
            current = self.records.get(record.id)
            return current is not None and current.revision == record.revision
        restored = replace(record, etag=made.etag, facts=made.facts, variants=made.variants, updated_at=self.now())
        return self.records.write(restored, replaces=record.revision)

    def _note_failure(self, change: OriginalChange, record: ImageRecord, cause: Exception, deadline: Deadline) -> None:
        """Write why an attempt has failed; after the last attempt, that the original has failed."""
        code, message = explain(cause)
        error = ProcessingError(code=code, message=message, attempts=record.attempts)
        if max(change.attempt, record.attempts) >= self.max_attempts:
            self._fail(change, record, error, deadline)
        else:
            self.records.write(replace(record, updated_at=self.now(), error=error), replaces=record.revision)

    def _fail(self, change: OriginalChange, record: ImageRecord, error: ProcessingError, deadline: Deadline) -> None:
        """Write that an original has failed. What there is of earlier versions is removed: it is outdated."""
        self._remove_all(change, record)
        failed = replace(record, status="failed", facts={}, variants=(), error=error)
        if not self._end(change, record, failed, deadline):
            current = self.records.get(record.id)
            if current is not None:
                self._repeat(change, current, deadline)

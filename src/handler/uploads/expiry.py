"""Delete the originals of the gallery that have expired, where no lifecycle rule of the store does it."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from handler.core.errors import HandlerError
from handler.observability.logs import logger
from handler.records.record import ImageRecord
from handler.uploads.change import make_forced_change
from handler.uploads.pipeline import Pipeline
from handler.uploads.retention import forget_owner
from imaging import Deadline, FeatureError

_PAGE = 100


class Expiry(msgspec.Struct, frozen=True):
    """Deletes what has expired exactly as a deletion by its visitor does."""

    pipeline: Pipeline

    def run(self, deadline: Deadline) -> None:
        """Delete every original of the gallery that has expired. What fails is left to the next sweep."""
        pipeline = self.pipeline
        source = pipeline.retention.source
        is_complete = bool(source)
        while is_complete:
            found = pipeline.records.expired(source, pipeline.now(), _PAGE)
            outcomes = [self._attempt(record, deadline) for record in found]
            is_complete = all(outcomes) and len(found) == _PAGE

    def _attempt(self, record: ImageRecord, deadline: Deadline) -> bool:
        deadline.check()
        try:
            self._delete(record, deadline)
        except (FeatureError, HandlerError) as error:
            details = {"record": record.id, "code": error.code, "detail": error.detail or error.message}
            logger().warning("an expired original could not be deleted", extra=details)
            return False
        return True

    def _delete(self, record: ImageRecord, deadline: Deadline) -> None:
        records, retention = self.pipeline.records, self.pipeline.retention
        # From here on the record has no owner, so that what follows is not undone, and is repeated if this is killed.
        if record.owner:
            if not records.write(forget_owner(record), replaces=record.revision):
                return  # it has changed since it was read: the next sweep looks at it again
            record = replace(forget_owner(record), revision=record.revision + 1)
        retention.delete(record.key)
        if record.status == "uploading" and not record.sequencer:
            records.remove(record.id, revision=record.revision)  # it has never arrived
            return
        change = make_forced_change(record.source, record.key)
        self.pipeline.process(replace(change, is_announced=not retention.sends_events), deadline)

"""Find what was left behind: records whose processing has ended without a result."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from itertools import chain

import msgspec

from handler.core.errors import HandlerError
from handler.observability.logs import logger
from handler.records.record import ImageRecord, Status
from handler.records.store import RecordFilter
from handler.uploads.change import OriginalChange, make_sequencer
from handler.uploads.expiry import Expiry
from handler.uploads.pipeline import Pipeline
from imaging import Deadline, FeatureError, ObjectRef

_PAGE = 100


class Sweep(msgspec.Struct, frozen=True):
    """Ends the processing that a killed process has left behind, and deletes what has expired."""

    pipeline: Pipeline
    stale_after: timedelta
    """UPLOAD_STALE_SECONDS: longer than one attempt takes, or an attempt that is under way would be repeated."""
    silent_sources: Collection[str] = ()
    """The sources that report no new originals: one that was stored when a process was killed is looked for."""
    send_due: Callable[[Deadline], object] = lambda _: None
    """Sends the notices that were not accepted when they were written."""

    def run(self, deadline: Deadline, stale_after: timedelta | None = None) -> int:
        """Look at every record that has been in process for too long. Return how many there were.

        `stale_after` replaces that of the settings.
        """
        records = self.pipeline.records
        Expiry(self.pipeline).run(deadline)
        records.purge_expired(self.pipeline.now(), _PAGE, keeping=self.pipeline.retention.source)
        self.send_due(deadline)
        count = 0
        stale_after = self.stale_after if stale_after is None else stale_after
        for record in chain(self._find("processing", stale_after), self._unreported(stale_after)):
            deadline.check()
            count += 1
            try:
                if record.attempts >= self.pipeline.max_attempts:
                    self.pipeline.fail(record, deadline)
                else:
                    self.pipeline.process(_change_of(record), deadline)
            except (FeatureError, HandlerError) as error:
                # The record says why, and the next sweep tries again until the attempts are used up.
                details = {"record": record.id, "code": error.code, "detail": error.detail or error.message}
                logger().warning("an original could not be recovered", extra=details)
        return count

    def _unreported(self, stale_after: timedelta) -> Iterator[ImageRecord]:
        """Yield the records of uploads that have arrived although nothing says so."""
        if self.silent_sources:
            for record in self._find("uploading", stale_after):
                if record.source in self.silent_sources and self.pipeline.renderer.exists(_change_of(record)):
                    yield record

    def _find(self, status: Status, stale_after: timedelta) -> Iterator[ImageRecord]:
        """Yield the records with a status that were last written so long ago."""
        which = RecordFilter(status=status, updated_before=self.pipeline.now() - stale_after)
        cursor: str | None = ""
        while cursor is not None:
            page = self.pipeline.records.page(which, cursor, _PAGE)
            yield from page.records
            cursor = page.cursor


def _change_of(record: ImageRecord) -> OriginalChange:
    """Return the change that brings a record up to what its source shows."""
    ref = ObjectRef(record.source, record.key)
    if record.status == "uploading":
        return OriginalChange(ref=ref, sequencer=make_sequencer())
    return OriginalChange(ref=ref, kind=None, attempt=record.attempts + 1)

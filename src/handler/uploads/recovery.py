"""Find what was left behind: records whose processing has ended without a result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import msgspec

from handler.errors import HandlerError
from handler.observability import logger
from handler.records.record import ImageRecord
from handler.records.store import RecordFilter
from handler.uploads.change import OriginalChange
from handler.uploads.pipeline import Pipeline
from imaging import Deadline, FeatureError, ObjectRef

_PAGE = 100


class Sweep(msgspec.Struct, frozen=True):
    """Ends the processing that a killed process has left behind, and deletes what has expired."""

    pipeline: Pipeline
    stale_after: timedelta
    """UPLOAD_STALE_SECONDS: longer than one attempt takes, or an attempt that is under way would be repeated."""
    send_due: Callable[[Deadline], object] = lambda _: None
    """Sends the notices that were not accepted when they were written."""

    def run(self, deadline: Deadline, stale_after: timedelta | None = None) -> int:
        """Look at every record that has been in process for too long. Return how many there were.

        `stale_after` replaces that of the settings.
        """
        records = self.pipeline.records
        records.purge_expired(self.pipeline.now(), _PAGE)
        self.send_due(deadline)
        count = 0
        for record in self._stale(self.stale_after if stale_after is None else stale_after):
            deadline.check()
            count += 1
            try:
                if record.attempts >= self.pipeline.max_attempts:
                    self.pipeline.fail(record, deadline)
                else:
                    self.pipeline.process(
                        OriginalChange(
                            ref=ObjectRef(record.source, record.key), kind=None, attempt=record.attempts + 1
                        ),
                        deadline,
                    )
            except (FeatureError, HandlerError) as error:
                # The record says why, and the next sweep tries again until the attempts are used up.
                details = {"record": record.id, "code": error.code, "detail": error.detail or error.message}
                logger().warning("an original could not be recovered", extra=details)
        return count

    def _stale(self, stale_after: timedelta) -> Iterator[ImageRecord]:
        """Yield the records in process that were last written so long ago."""
        which = RecordFilter(status="processing", updated_before=self.pipeline.now() - stale_after)
        cursor: str | None = ""
        while cursor is not None:
            page = self.pipeline.records.page(which, cursor, _PAGE)
            yield from page.records
            cursor = page.cursor

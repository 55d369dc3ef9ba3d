"""Deletes originals of the gallery and has them processed: here, by a queue, or by events of the store."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from msgspec.structs import replace

from handler.core.errors import HandlerError
from handler.entrypoints.operator.change_intake import ChangeIntake
from handler.records.record import ImageRecord
from handler.storage.upload_stores import UploadStore
from handler.uploads.change import make_forced_change
from handler.uploads.jobs.reprocess_queue import ReprocessQueue
from imaging import Deadline


class GalleryOriginals(msgspec.Struct, frozen=True):
    """Implements `handler.gallery.gallery.Originals`."""

    store: UploadStore
    changes: ChangeIntake | None
    """None if another function or a worker processes originals."""
    queue: ReprocessQueue | None = None
    """The queue of that function or worker."""

    def delete(self, record: ImageRecord, deadline: Deadline) -> None:
        """Delete an original. The pipeline then removes what was made of it, as after any other deletion.

        The record has expired before this, so a sweep goes on with the deletion if this process is killed.
        """
        self.store.delete(record.key)
        if self.changes is not None:
            change = make_forced_change(record.source, record.key)
            self.changes.accept(replace(change, is_announced=not self.store.sends_events), deadline)

    def process(self, record: ImageRecord, deadline: Deadline) -> None:
        """Have an original processed again. Raise HandlerError with status 501 if nothing here can do it."""
        if self.queue is not None:
            self.queue.send([record.id], deadline)
        elif self.changes is not None:
            self.changes.accept(make_forced_change(record.source, record.key), deadline)
        else:
            raise HandlerError(
                "this function does not process originals: set UPLOAD_QUEUE, or OUTPUT_BUCKET",
                code="Configuration",
                status=HTTPStatus.NOT_IMPLEMENTED,
            )

"""Takes changes of originals that a caller of the operator API reports or asks for."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from handler.entrypoints.uploads.background import BackgroundUploads
from handler.entrypoints.uploads.entrypoint import UploadEntrypoint
from handler.uploads.change import OriginalChange
from imaging import Deadline


class ChangeIntake(msgspec.Struct, frozen=True):
    """Processes changes in the background of a server with a database, and while the caller waits otherwise."""

    get_uploads: Callable[[], UploadEntrypoint]
    background: BackgroundUploads | None
    """None in Lambda, and without a database, in which a change would survive a kill."""

    def prepare(self, change: OriginalChange) -> None:
        """Write that a change is about to be made, so that the sweep sees it if the process is killed before `accept`.

        Raise an error if the change could not be accepted. What is processed while the caller waits is not written.
        """
        if self.background is not None:
            self.background.check()
            self.get_uploads().pipeline.accept(change)

    def accept(self, change: OriginalChange, deadline: Deadline) -> None:
        """Return when a change is processed, or is written into the database. Raise an error otherwise."""
        if self.background is not None:
            self.background.submit(change)
            return
        uploads = self.get_uploads()
        try:
            uploads.pipeline.process(change, deadline)
        finally:
            uploads.finish(deadline)

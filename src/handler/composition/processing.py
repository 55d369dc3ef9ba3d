"""Build what processes originals from the settings, as far as it is switched on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from handler.aws import AwsAccess
from handler.composition.factories import build_once
from handler.config import Settings
from handler.render.render import RenderContext
from handler.requests.policy import Policy
from handler.storage.sources import Sources

if TYPE_CHECKING:
    from handler.entrypoints.uploads.background import BackgroundUploads
    from handler.entrypoints.uploads.entrypoint import UploadEntrypoint
    from handler.records.counters import Database
    from handler.records.store import Records
    from handler.storage.results import ResultStore


class ProcessingParts(msgspec.Struct, frozen=True):
    """What processes and records originals, as far as it is switched on."""

    uploads: Callable[[], UploadEntrypoint] | None
    background: BackgroundUploads | None
    records: Callable[[], Database] | None


def build_uploads(
    settings: Settings,
    aws: AwsAccess,
    sources: Sources,
    render_context: RenderContext,
    policy: Policy,
    results: ResultStore | None,
    records: Callable[[], Records] | None,
) -> Callable[[], UploadEntrypoint] | None:
    """Return a function that builds the entrypoint for uploads. Raise ValueError for settings that are invalid."""
    if not settings.storage.output_bucket and records is None:
        return None

    @cache
    def get_uploads() -> UploadEntrypoint:
        from handler.composition.uploads import build_entrypoint  # noqa: PLC0415 - requests for images need no uploads

        return build_entrypoint(settings, aws, sources, render_context, policy, results, records)

    # A function that answers requests for images has RECORDS for the operator API, but neither of these.
    if settings.storage.output_bucket or settings.notifications.has_receiver:
        get_uploads()
    return get_uploads


_locks: list[IO[str]] = []
"""Files whose locks this process holds until it ends."""


def _is_only_server(database: str) -> bool:
    """Return whether no other server uses a database of SQLite, which a lock on a file beside it tells.

    What is in process when the only server starts was left behind by the one before.
    """
    path = Path(database.removeprefix("sqlite:///"))
    if not database.startswith("sqlite:///") or not path.parent.is_dir():
        return False
    import fcntl  # noqa: PLC0415 - of servers with SQLite alone

    lock = path.with_name(f"{path.name}-server").open("a", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return False
    _locks.append(lock)
    return True


def build_background(settings: Settings, get_uploads: Callable[[], UploadEntrypoint]) -> BackgroundUploads | None:
    """Return what processes the uploads of a server, which is not started yet; None in Lambda."""
    if settings.process.function_name:
        return None
    from handler.entrypoints.uploads.background import BackgroundOptions, BackgroundUploads  # noqa: PLC0415 - see above

    is_alone = _is_only_server(settings.records.database)
    options = BackgroundOptions(seconds=float(settings.limits.max_seconds), is_alone=is_alone)
    return BackgroundUploads(build_once(get_uploads), options)

"""Build the operator API from the settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from handler.aws import AwsAccess
from handler.composition.processing import ProcessingParts
from handler.config import Settings
from handler.core.ports import SecretSource
from handler.entrypoints.http import HttpEntrypoint
from handler.storage.sources import read_locations

if TYPE_CHECKING:
    from handler.entrypoints.operator.change_intake import ChangeIntake
    from handler.entrypoints.operator.entrypoint import OperatorEntrypoint
    from handler.entrypoints.operator.page import Page
    from handler.entrypoints.operator.records import RecordPages
    from handler.records.store import Records
    from handler.storage.upload_stores import UploadStore
    from handler.uploads.ingest.ingest import Ingest


def build_operator(
    settings: Settings,
    aws: AwsAccess,
    http: HttpEntrypoint,
    token: SecretSource | None,
    processing: ProcessingParts,
    ingest: Callable[[], Ingest] | None,
) -> Callable[[], OperatorEntrypoint]:
    """Return a function that builds the operator API at its first request.

    The API has the same policy, stores and caches as `http`.
    """
    access = settings.access

    @cache
    def get_operator() -> OperatorEntrypoint:
        from handler.aws.cloudfront import Distribution  # noqa: PLC0415 - no image needs it
        from handler.entrypoints.operator.entrypoint import OperatorEntrypoint  # noqa: PLC0415 - no image needs it
        from handler.storage.purge import Purge  # noqa: PLC0415 - no image needs it

        cdn = Distribution(settings.aws.distribution_id, aws) if settings.aws.distribution_id else None
        purge = Purge(
            http.render_context.objects, http.result_cache, cdn, http.policy.source_of, http.render_context.pixels
        )
        sources = tuple(location.name for location in read_locations(settings.storage.source_buckets))
        return OperatorEntrypoint(
            http.render_context, http.policy, http.ignored, http.caching, sources, purge,
            token=token, is_open=access.operator_open, signatures=http.signatures, lists=access.list_images,
            more_pages=_more_pages(settings, aws, ingest, processing),
        )  # fmt: skip

    return get_operator


def _more_pages(
    settings: Settings, aws: AwsAccess, ingest: Callable[[], Ingest] | None, processing: ProcessingParts
) -> tuple[Callable[[str], Page | None], ...]:
    """Return what finds the pages of uploads, of records and of events, as far as they are switched on."""
    finders: list[Callable[[str], Page | None]] = []
    if ingest is not None:
        from handler.entrypoints.operator.uploads import UploadPages  # noqa: PLC0415 - not every API has these pages

        finders.append(lambda name: UploadPages(ingest()).find(name) if name.startswith("uploads") else None)
    changes = build_intake(settings, processing)
    if processing.records is not None:
        pages = _build_record_pages(settings, aws, processing.records, changes)
        finders.append(lambda name: pages().find(name) if name.startswith("records") else None)
    if changes is not None and processing.uploads is not None:
        from handler.entrypoints.operator.records import EventPage  # noqa: PLC0415 - not every API has this page

        finders.append(EventPage(changes, processing.uploads).find)
    return tuple(finders)


def build_intake(settings: Settings, processing: ProcessingParts) -> ChangeIntake | None:
    """Return what takes changes, or None if another function processes originals."""
    is_elsewhere = bool(settings.process.function_name) and not settings.storage.output_bucket
    if processing.uploads is None or is_elsewhere:
        return None
    from handler.entrypoints.operator.change_intake import ChangeIntake  # noqa: PLC0415 - not every API needs it

    return ChangeIntake(processing.uploads, processing.background if processing.records is not None else None)


def _build_record_pages(
    settings: Settings, aws: AwsAccess, records: Callable[[], Records], changes: ChangeIntake | None
) -> Callable[[], RecordPages]:
    locations = {location.name: location for location in read_locations(settings.storage.source_buckets)}

    def open_source(name: str) -> UploadStore:
        from handler.storage.upload_stores import open_upload_store  # noqa: PLC0415 - only a deletion needs it

        if name not in locations:
            raise ValueError(f"`{name}` is not in SOURCE_BUCKETS any more")
        return open_upload_store(locations[name], aws)

    @cache
    def get_pages() -> RecordPages:
        from handler.entrypoints.operator.records import RecordPages  # noqa: PLC0415 - not every API has these pages
        from handler.storage.results import open_results  # noqa: PLC0415 - as above
        from handler.uploads.jobs.reprocess_queue import ReprocessQueue  # noqa: PLC0415 - as above

        output = settings.storage.output_bucket
        variants = open_results(output, aws=aws) if output else None
        default = settings.ingest.upload_source or next(iter(locations))
        queue = ReprocessQueue(url, aws) if (url := settings.records.upload_queue) else None
        own = changes if queue is None else None
        return RecordPages(records(), tuple(locations), default, own, queue, open_source, variants)

    return get_pages

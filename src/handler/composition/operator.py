"""Build the operator API from the settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from handler.aws import AwsAccess
from handler.config import Settings
from handler.entrypoints.http import HttpEntrypoint
from handler.ports import SecretSource
from handler.storage.sources import read_locations

if TYPE_CHECKING:
    from handler.entrypoints.operator import OperatorEntrypoint
    from handler.entrypoints.operator_page import Page
    from handler.ingest.ingest import Ingest


def build_operator(
    settings: Settings, aws: AwsAccess, http: HttpEntrypoint, token: SecretSource | None
) -> Callable[[], OperatorEntrypoint]:
    """Return a function that builds the operator API at its first request.

    The API has the same policy, stores and caches as `http`.
    """
    access = settings.access

    @cache
    def get_operator() -> OperatorEntrypoint:
        from handler.aws.cloudfront import Distribution  # noqa: PLC0415 - no image needs it
        from handler.entrypoints.operator import OperatorEntrypoint  # noqa: PLC0415 - no image needs it
        from handler.storage.purge import Purge  # noqa: PLC0415 - no image needs it

        cdn = Distribution(settings.aws.distribution_id, aws) if settings.aws.distribution_id else None
        purge = Purge(http.render_context.objects, http.result_cache, cdn, http.policy.source_of)
        sources = tuple(location.name for location in read_locations(settings.storage.source_buckets))
        return OperatorEntrypoint(
            http.render_context, http.policy, http.ignored, http.caching, sources, purge,
            token=token, is_open=access.operator_open, signatures=http.signatures, lists=access.list_images,
            more_pages=_more_pages(http.ingest),
        )  # fmt: skip

    return get_operator


def _more_pages(ingest: Callable[[], Ingest] | None) -> tuple[Callable[[str], Page | None], ...]:
    """Return what finds the pages of uploads."""
    if ingest is None:
        return ()
    from handler.entrypoints.operator_uploads import UploadPages  # noqa: PLC0415 - no image needs it

    return (lambda name: UploadPages(ingest()).find(name) if name.startswith("uploads") else None,)

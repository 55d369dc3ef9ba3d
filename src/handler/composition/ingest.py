"""Build what takes uploads from the settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from handler.aws import AwsAccess
from handler.composition.factories import open_secret
from handler.config import Settings
from handler.core.ports import SecretSource
from handler.storage.sources import StoreLocation, read_locations
from handler.uploads.ingest.keys import check_template
from imaging import ObjectRef

if TYPE_CHECKING:
    from handler.records.store import Records
    from handler.uploads.ingest.ingest import Ingest


def find_faults(settings: Settings, locations: Sequence[StoreLocation]) -> Iterator[str]:
    """Yield why uploads cannot work with these settings."""
    source = settings.ingest.upload_source
    found = next((location for location in locations if location.name == source), None)
    if found is None or found.scheme not in ("file", "s3"):
        names = ", ".join(location.name for location in locations if location.scheme in ("file", "s3"))
        yield f"UPLOAD_SOURCE must name a source in S3 or in a folder ({names or 'none'}), got `{source}`"
    try:
        check_template(settings.ingest.upload_key)
    except ValueError as error:
        yield f"UPLOAD_KEY must be {error}, got `{settings.ingest.upload_key}`"


def build_ingest(
    settings: Settings,
    aws: AwsAccess,
    records: Callable[[], Records] | None,
    token: SecretSource | None,
    submit: Callable[[ObjectRef], None] | None,
) -> Callable[[], Ingest]:
    """Return a function that opens the source of uploads at its first request; `submit` has an upload processed.

    The operator token signs the forms and URLs that lead to this service. Without one, the secret for URLs of images
    does, or else a secret of this process.
    """
    access = settings.access

    @cache
    def get_ingest() -> Ingest:
        from handler.storage.upload_stores import open_upload_store  # noqa: PLC0415 - no image needs it
        from handler.uploads.ingest.form_policy import FormSigner, ProcessSecret  # noqa: PLC0415 - no image needs it
        from handler.uploads.ingest.ingest import Ingest  # noqa: PLC0415 - no image needs it

        source = settings.ingest.upload_source
        secret = token or open_secret(access.secrets_manager, access.signature_secret_file, aws, access.secret_key)
        locations = {location.name: location for location in read_locations(settings.storage.source_buckets)}
        return Ingest(
            source,
            open_upload_store(locations[source], aws),
            settings.ingest.upload_key,
            settings.limits.max_source_bytes,
            FormSigner(secret or ProcessSecret()),
            takes_all=settings.ingest.upload_urls == "server",
            records=records() if records else None,
            submit=submit or (lambda _: None),
        )

    return get_ingest

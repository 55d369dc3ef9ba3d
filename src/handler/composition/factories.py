"""Build the adapters to stores, AWS, secrets and detection from the settings."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from handler.aws import AwsAccess, Credentials
from handler.config import Settings, starts_from_snapshot, trace_header
from handler.config.version import drawing_version
from handler.core.ports import DetectionService, InvokeFunction, SecretSource
from handler.render.render import RenderContext
from handler.response import Answer, Caching, body_bytes
from handler.storage.sources import Sources, read_locations
from imaging import Deadline, ObjectRef

if TYPE_CHECKING:
    from handler.entrypoints.health import Health
    from handler.entrypoints.readiness import Readiness
    from handler.records.counters import Database
    from handler.records.store import Records
    from handler.storage.result_cache import BucketResultCache
    from handler.storage.results import ResultStore

_Built = TypeVar("_Built")


def open_result_store(settings: Settings, aws: AwsAccess, sources: Sources) -> ResultStore | None:
    """Return the store of results, or None if RESULTS_BUCKET is not set. Raise ValueError for an invalid location."""
    if not settings.storage.results_bucket:
        return None
    from handler.storage.results import open_results  # noqa: PLC0415 - only a stack that stores results needs it

    return open_results(settings.storage.results_bucket, "RESULTS_BUCKET", aws=aws, sources=sources.locations)


def resolve_fallback(settings: Settings, sources: Sources) -> ObjectRef | None:
    """Return the image that is sent with errors, None if it is switched off. Raise ValueError or HandlerError."""
    responses = settings.responses
    if not responses.enable_fallback:
        return None
    ref: ObjectRef | None = ObjectRef(responses.fallback_bucket, responses.fallback_key)
    if "://" in responses.fallback_key and not responses.fallback_bucket:
        from handler.storage.sources.registry import object_of  # noqa: PLC0415 - most fallback images are keys

        ref = object_of(responses.fallback_key, read_locations(settings.storage.source_buckets))
    if ref is None:
        raise ValueError(
            "DEFAULT_FALLBACK_IMAGE_KEY must be a key, or a URL under one of SOURCE_BUCKETS, got "
            f"{responses.fallback_key[:60]!r}"
        )
    resolved = sources.resolve(ref)
    if resolved.bucket in settings.private_sources:
        raise ValueError(f"the fallback image must not be in a private source, got one in `{resolved.bucket}`")
    return resolved


def build_result_cache(settings: Settings, store: ResultStore, caching: Caching) -> BucketResultCache:
    """Return the cache of results in a store."""
    from handler.storage.result_cache import BucketResultCache  # noqa: PLC0415 - see open_result_store

    return BucketResultCache(
        store,
        stores_results=settings.storage.store_results,
        max_bytes=body_bytes(settings.answer_bytes),
        life=timedelta(days=settings.storage.results_expire_after_days),
        cache_control=caching.header,
    )


def build_detection(settings: Settings, aws: AwsAccess, store: ResultStore | None) -> Callable[[], DetectionService]:
    """Return a function that builds the detection service when a request first needs it."""

    @cache
    def build() -> DetectionService:
        from handler.detection import open_detection  # noqa: PLC0415 - few requests need detection

        return open_detection(
            has_rekognition(settings, aws),
            aws,
            region=settings.models.rekognition_region,
            weights=settings.weights_folder,
            store=store,
            lets_pass=settings.models.moderation_fail == "open",
        )

    # Requests that arrive at the same time get the same service, so that they share its cache of detections.
    return build_once(build)


def build_once(build: Callable[[], _Built]) -> Callable[[], _Built]:
    """Return a cached function that threads may call at the same time."""
    lock = threading.Lock()

    def get() -> _Built:
        with lock:
            return build()

    return get


def build_render_context(
    settings: Settings, sources: Sources, detection: Callable[[], DetectionService]
) -> RenderContext:
    """Return what rendering needs beside a request."""
    deployed_at, weights = settings.responses.deployed_at, settings.weights_folder
    pixels = None
    if settings.server.cache_mb:
        from imaging import PixelCache  # noqa: PLC0415 - few servers keep pixels

        pixels = PixelCache(settings.server.cache_mb * 1_000_000)
    return RenderContext(
        sources, settings.image_limits, drawing_version(), deployed_at, detection, weights, settings.cutout_model,
        pixels=pixels,
    )  # fmt: skip


def build_records(settings: Settings, aws: AwsAccess) -> Callable[[], Database] | None:
    """Return a function that opens the database of records when it is first needed, or None if RECORDS is not set."""
    if not (settings.records.database or settings.records.database_file):
        return None

    @cache
    def build() -> Database:
        from handler.records import open_records  # noqa: PLC0415 - requests for images need no records

        secret = open_secret("", settings.records.database_file, aws, "RECORDS")
        return open_records(secret.values()[0] if secret else settings.records.database, aws)

    return build_once(build)


def build_ready_page(health: Health, sources: Sources, records: Callable[[], Records] | None) -> Callable[[], Answer]:
    """Return a function that answers `/_ready`."""

    @cache
    def build() -> Readiness:
        from handler.composition.readiness import build_readiness  # noqa: PLC0415 - no image needs it

        return build_readiness(health, sources, records)

    get_readiness = build_once(build)
    return lambda: get_readiness().page()


def has_rekognition(settings: Settings, aws: AwsAccess) -> bool:
    """Return whether faces are detected by Rekognition. `auto` uses it in Lambda, where there is one to call."""
    from handler.detection.regions import REKOGNITION_REGIONS  # noqa: PLC0415 - few requests need detection

    models = settings.models
    if models.vision != "auto":
        return models.vision == "rekognition"
    is_reachable = bool(models.rekognition_region) or aws.home in REKOGNITION_REGIONS
    return bool(settings.process.function_name) and is_reachable


def build_aws_access(settings: Settings) -> AwsAccess:
    """Return region, endpoints and credentials for calls to AWS."""
    aws = settings.aws
    keys = aws.access_key_id, aws.secret_access_key
    return AwsAccess(
        region=aws.region,
        endpoint_url=aws.endpoint_url,
        endpoint_url_s3=aws.endpoint_url_s3,
        endpoint_url_secrets=aws.endpoint_url_secrets,
        endpoint_url_rekognition=aws.endpoint_url_rekognition,
        endpoint_url_cloudfront=aws.endpoint_url_cloudfront,
        endpoint_url_lambda=aws.endpoint_url_lambda,
        endpoint_url_sns=aws.endpoint_url_sns,
        endpoint_url_eventbridge=aws.endpoint_url_eventbridge,
        endpoint_url_sqs=aws.endpoint_url_sqs,
        endpoint_url_dynamodb=aws.endpoint_url_dynamodb,
        endpoint_url_s3_control=aws.endpoint_url_s3_control,
        endpoint_url_key_value_store=aws.endpoint_url_key_value_store,
        credentials=Credentials(*keys, aws.session_token) if all(keys) else None,
        is_restored=starts_from_snapshot(),
        trace_header=trace_header,
    )


def open_secret(secret_id: str, file: str, aws: AwsAccess, field: str = "SECRET_KEY") -> SecretSource | None:
    """Return the secret in a file or in Secrets Manager, or None if the settings name neither."""
    if not (file or secret_id):
        return None
    from handler.aws.secrets import AwsSecret, FileSecret  # noqa: PLC0415 - a service without secrets does not need it

    if file:
        return FileSecret(file, field)
    return AwsSecret(secret_id, field, aws=aws)


def build_expensive_function(settings: Settings, aws: AwsAccess) -> InvokeFunction | None:
    """Return a function that invokes the Lambda function for expensive work, or None if the stack has none."""
    name = settings.aws.heavy_function
    if not name:
        return None

    def invoke_expensive(event: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
        from handler.aws.lambda_invoke import invoke  # noqa: PLC0415 - few requests are expensive

        return invoke(name, event, aws, deadline)

    return invoke_expensive

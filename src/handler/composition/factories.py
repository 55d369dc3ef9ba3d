"""What `wiring` reaches the outside through, each out of the settings."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from handler.aws import AwsAccess, Credentials
from handler.config import Settings
from handler.ports import DetectionService, InvokeFunction, SecretSource
from handler.response import Caching, body_bytes
from handler.storage.sources import Sources
from imaging import Deadline

if TYPE_CHECKING:
    from handler.storage.result_cache import ResultCache
    from handler.storage.results import ResultStore


def results_of(settings: Settings, aws: AwsAccess, objects: Sources) -> ResultStore | None:
    """Where results are kept, None where they are not. ValueError."""
    if not settings.storage.results_bucket:
        return None
    from handler.storage.results import open_results  # noqa: PLC0415 - only a stack that keeps results needs it

    return open_results(settings.storage.results_bucket, "RESULTS_BUCKET", aws=aws, sources=objects.locations)


def build_result_cache(settings: Settings, store: ResultStore, caching: Caching) -> ResultCache:
    """Finished pictures in it."""
    from handler.storage.result_cache import ResultCache  # noqa: PLC0415 - see _results

    return ResultCache(
        store,
        keeps=settings.storage.store_results,
        most=body_bytes(settings.answer_bytes),
        life=timedelta(days=settings.storage.results_expire_after_days),
        cache_control=f"public, max-age={caching.browser}, s-maxage={caching.cdn}",
    )


def build_detection(settings: Settings, aws: AwsAccess, store: ResultStore | None) -> Callable[[], DetectionService]:
    """Opens those who see when a request first needs them."""
    kind = settings.models.vision
    if kind == "auto":
        kind = "rekognition" if settings.process.function_name else "local"

    @cache
    def made() -> DetectionService:
        from handler.detection import open_detection  # noqa: PLC0415 - few requests ask who sees

        return open_detection(
            kind == "rekognition",
            aws,
            weights=settings.weights_folder,
            store=store,
            lets_pass=settings.models.moderation_fail == "open",
        )

    # Two that ask at once shall get the same, so that neither pays for what the other saw.
    lock = threading.Lock()

    def opened() -> DetectionService:
        with lock:
            return made()

    return opened


def aws_of(settings: Settings) -> AwsAccess:
    """How AWS is reached."""
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
        credentials=Credentials(*keys, aws.session_token) if all(keys) else None,
    )


def secret_of(secret_id: str, file: str, aws: AwsAccess, field: str = "SECRET_KEY") -> SecretSource | None:
    """A secret in a file or in Secrets Manager, None where neither is named."""
    if not (file or secret_id):
        return None
    from handler.aws.secrets import AwsSecret, FileSecret  # noqa: PLC0415 - a service without secrets does not need it

    if file:
        return FileSecret(file, field)
    return AwsSecret(secret_id, field, aws=aws)


def heavy_of(settings: Settings, aws: AwsAccess) -> InvokeFunction | None:
    """Hands an event to the function for heavy work, None where there is none."""
    if not settings.aws.heavy_function:
        return None

    def answer(event: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
        from handler.aws.lambda_invoke import invoke  # noqa: PLC0415 - few requests are heavy

        return invoke(settings.aws.heavy_function, event, aws, deadline)

    return answer

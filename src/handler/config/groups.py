"""The groups of settings; each field names its environment variable, its parser and its help text.

Names of variables are those of AWS's own image handler where it has one, so that its users can move over.
"""

# There is no `from __future__ import annotations` here: with it, each annotation would be compiled once more on every
# cold start, when `handler.config` reads them.

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec

from handler.config.env_types import (
    Env,
    choice,
    choice_list,
    header,
    integer,
    lambda_level_name,
    log_level_name,
    timestamp,
)

MEGA = 1_000_000


def _code_date() -> datetime:
    return datetime.fromtimestamp(int(Path(__file__).stat().st_mtime), UTC)


class StorageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where originals, results and the variations of uploads are stored."""

    source_buckets: Annotated[
        str, Env("SOURCE_BUCKETS", "Comma list of S3 buckets, or name=URL; the first is the default")
    ] = ""
    output_bucket: Annotated[
        str, Env("OUTPUT_BUCKET", "Bucket, or name=URL, that variations of uploads are stored in")
    ] = ""
    upload_presets: Annotated[tuple[str, ...], Env("UPLOAD_PRESETS", "Comma list of presets made of every upload")] = ()
    results_bucket: Annotated[
        str,
        Env("RESULTS_BUCKET", "Bucket, or name=URL, that keeps what was made of originals and what was seen in them"),
    ] = ""
    store_results: Annotated[
        bool, Env("STORE_RESULTS", "Keep finished pictures in RESULTS_BUCKET that are cheaper to fetch than to make")
    ] = False
    results_expire_after_days: Annotated[
        int, Env("RESULTS_EXPIRE_AFTER_DAYS", "Days after which that bucket's lifecycle deletes them", integer(2, 3650))
    ] = 30
    demo_bucket: Annotated[
        str,
        Env("DEMO_BUCKET", "Bucket that events of CloudFormation may fill and empty; only the function for it has one"),
    ] = ""


class AccessSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who may do what: signatures, the operator, the CDN's secret, and what is open to all."""

    enable_signature: Annotated[bool, Env("ENABLE_SIGNATURE", "Refuse pictures whose URL is not signed")] = False
    secrets_manager: Annotated[
        str, Env("SECRETS_MANAGER", "Id of the secret in Secrets Manager that URLs are signed with")
    ] = ""
    secret_key: Annotated[str, Env("SECRET_KEY", "Field of that secret which holds the key")] = "SECRET_KEY"  # noqa: S105 - the name of a field
    signature_secret_file: Annotated[
        str, Env("SIGNATURE_SECRET_FILE", "File that holds the key, where there is no AWS")
    ] = ""
    operator_token: Annotated[str, Env("OPERATOR_TOKEN_SECRET", "Id of the secret that holds the operator's token")] = (
        ""
    )
    operator_token_file: Annotated[str, Env("OPERATOR_TOKEN_FILE", "File that holds the operator's token")] = ""
    list_images: Annotated[bool, Env("LIST_IMAGES", "Let the operator list the sources, at /_api/images")] = True
    operator_open: bool = False
    """The operator API needs no token. No variable sets this: only the local server on a loopback address does."""
    origin_secret: Annotated[str, Env("ORIGIN_SECRET", "Id of the secret that the CDN sends with every request")] = ""
    origin_secret_file: Annotated[str, Env("ORIGIN_SECRET_FILE", "File that holds the CDN's secret")] = ""
    public_features: Annotated[
        tuple[str, ...], Env("PUBLIC_FEATURES", "Heavy or billed features open to all; *: every one")
    ] = ()
    public_sources: Annotated[
        tuple[str, ...],
        Env("PUBLIC_SOURCES", "Sources on whose pictures every feature is open to all, such as samples"),
    ] = ()
    allow_gps: Annotated[bool, Env("ALLOW_GPS", "Let a GPS position leave with metadata=keep")] = False


class RequestSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a URL is read: prefixes of keys, presets, URL languages and negotiation."""

    source_paths: Annotated[
        tuple[str, ...], Env("SOURCE_PATHS", "Comma list of prefix/=source: the rest of such a key lies in that source")
    ] = ()
    rewrite_match_pattern: Annotated[
        str, Env("REWRITE_MATCH_PATTERN", "/expression/flags that paths are rewritten by")
    ] = ""
    rewrite_substitution: Annotated[
        str, Env("REWRITE_SUBSTITUTION", "What takes the place of a match; the outcome is read as Thumbor's path")
    ] = ""
    client_hints: Annotated[bool, Env("CLIENT_HINTS", "Take density and width from Sec-CH-DPR and Sec-CH-Width")] = (
        False
    )
    presets: Annotated[str, Env("PRESETS", "JSON: name → edits or query; or the s3:// or file:// address of such")] = ""
    presets_only: Annotated[
        bool, Env("PRESETS_ONLY", "A URL may hold preset, v, expires and signature, nothing else")
    ] = False
    default_preset: Annotated[str, Env("DEFAULT_PRESET", "Preset of every URL that names none")] = ""
    always: Annotated[str, Env("ALWAYS", "JSON edits added to every answer, or the address of such")] = ""
    dialects: Annotated[
        tuple[str, ...], Env("DIALECTS", "Request languages understood", choice_list("json", "thumbor", "query"))
    ] = ("json", "thumbor", "query")
    ignored_parameters: Annotated[
        str, Env("IGNORED_PARAMETERS", "Query names that count nowhere; *: every unknown one")
    ] = "utm_*,fbclid,gclid"
    auto_format: Annotated[bool, Env("AUTO_FORMAT", "Choose AVIF, WebP or the source's format by Accept")] = False
    auto_webp: Annotated[bool, Env("AUTO_WEBP", "Choose WebP where the client accepts it")] = False


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Detection and the models that this service runs itself."""

    vision: Annotated[
        str,
        Env(
            "VISION",
            "Who finds faces for smartCropping; objects and moderation need rekognition; auto: rekognition in Lambda",
            choice("auto", "rekognition", "local"),
        ),
    ] = "auto"
    moderation_fail: Annotated[
        str,
        Env(
            "MODERATION_FAIL",
            "While Rekognition is down: closed answers 503, open lets pictures leave unjudged",
            choice("closed", "open"),
        ),
    ] = "closed"
    weights: Annotated[
        str, Env("WEIGHTS", "Folder of what `image-handler weights` made; nothing: weights/ beside src/")
    ] = ""


class ResponseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Headers of responses, their size, and the image that replaces an error."""

    cors_enabled: Annotated[bool, Env("CORS_ENABLED", "Send CORS headers")] = False
    cors_origin: Annotated[str, Env("CORS_ORIGIN", "Origin that they allow", header)] = "*"
    browser_max_age: Annotated[
        int, Env("BROWSER_MAX_AGE", "Seconds a browser keeps a picture", integer(0, 31_536_000))
    ] = 31_536_000
    cdn_max_age: Annotated[int, Env("CDN_MAX_AGE", "Seconds the CDN keeps a picture", integer(0, 31_536_000))] = (
        31_536_000
    )
    error_max_age: Annotated[int, Env("ERROR_MAX_AGE", "Seconds that a client's mistake is kept", integer(0, 60))] = 5
    enable_fallback: Annotated[bool, Env("ENABLE_DEFAULT_FALLBACK_IMAGE", "Answer errors with a picture")] = False
    fallback_bucket: Annotated[str, Env("DEFAULT_FALLBACK_IMAGE_BUCKET", "Source bucket of that picture")] = ""
    fallback_key: Annotated[str, Env("DEFAULT_FALLBACK_IMAGE_KEY", "Key of that picture")] = ""
    max_answer_bytes: Annotated[
        int, Env("MAX_ANSWER_BYTES", "Largest answer, base64 included; 0: no limit", integer(0, 10**9))
    ] = 0
    deployed_at: Annotated[
        datetime, Env("DEPLOYED_AT", "When the stack was deployed; pictures are never older", timestamp)
    ] = _code_date()


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How large images may be, and how much memory and time one request may take."""

    max_source_bytes: Annotated[int, Env("MAX_SOURCE_BYTES", "Bytes of an original", integer(1, 2**31))] = 100 * MEGA
    max_source_pixels: Annotated[int, Env("MAX_SOURCE_PIXELS", "Pixels of an original", integer(1, 2**31))] = 150 * MEGA
    max_frames: Annotated[int, Env("MAX_FRAMES", "Frames of an animation", integer(1, 10_000))] = 300
    max_animation_pixels: Annotated[
        int, Env("MAX_ANIMATION_PIXELS", "Pixels of all frames together", integer(1, 2**31))
    ] = 100 * MEGA
    max_result_side: Annotated[
        int, Env("MAX_RESULT_SIDE", "Pixels of the longer side of a result", integer(1, 65_500))
    ] = 8192
    max_result_pixels: Annotated[int, Env("MAX_RESULT_PIXELS", "Pixels of a result", integer(1, 2**31))] = 50 * MEGA
    max_avif_pixels: Annotated[int, Env("MAX_AVIF_PIXELS", "Pixels of an AVIF result", integer(1, 2**31))] = 12 * MEGA
    max_gif_pixels: Annotated[int, Env("MAX_GIF_PIXELS", "Pixels of a GIF result, all frames", integer(1, 2**31))] = (
        12 * MEGA
    )
    memory_budget: Annotated[
        int, Env("MEMORY_BUDGET", "Bytes one picture may take; 0: 70 % of the function's", integer(0, 2**40))
    ] = 0
    work_budget: Annotated[
        int,
        Env(
            "WORK_BUDGET",
            "Seconds of one processor one picture may take, as estimated before it is decoded; 0: 70 % of MAX_SECONDS",
            integer(0, 10**5),
        ),
    ] = 0
    max_seconds: Annotated[int, Env("MAX_SECONDS", "Seconds one request may take", integer(1, 900))] = 28
    tolerate_truncated: Annotated[
        bool, Env("TOLERATE_TRUNCATED", "Show what there is of a JPEG, PNG, GIF or BMP cut off; others stay 422")
    ] = False


class AwsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Region, endpoints and credentials of AWS, and the resources that this service calls."""

    region: Annotated[str, Env("AWS_REGION", "Region of the function")] = ""
    endpoint_url: Annotated[str, Env("AWS_ENDPOINT_URL", "Endpoint of all AWS services, for stand-ins")] = ""
    endpoint_url_s3: Annotated[str, Env("AWS_ENDPOINT_URL_S3", "Endpoint of an S3-compatible store")] = ""
    endpoint_url_secrets: Annotated[str, Env("AWS_ENDPOINT_URL_SECRETS_MANAGER", "Endpoint of Secrets Manager")] = ""
    endpoint_url_rekognition: Annotated[str, Env("AWS_ENDPOINT_URL_REKOGNITION", "Endpoint of Rekognition")] = ""
    endpoint_url_cloudfront: Annotated[str, Env("AWS_ENDPOINT_URL_CLOUDFRONT", "Endpoint of CloudFront")] = ""
    endpoint_url_lambda: Annotated[str, Env("AWS_ENDPOINT_URL_LAMBDA", "Endpoint of Lambda")] = ""
    access_key_id: Annotated[str, Env("AWS_ACCESS_KEY_ID", "Set by Lambda; elsewhere the usual chain is asked")] = ""
    secret_access_key: Annotated[str, Env("AWS_SECRET_ACCESS_KEY", "Set by Lambda")] = ""
    session_token: Annotated[str, Env("AWS_SESSION_TOKEN", "Set by Lambda")] = ""
    distribution_id: Annotated[
        str, Env("DISTRIBUTION_ID", "CloudFront distribution from which /_api/purge withdraws pictures")
    ] = ""
    heavy_function: Annotated[
        str,
        Env("HEAVY_FUNCTION", "Function of the same image that makes what a model works on; nothing: this one does"),
    ] = ""


class ProcessSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The process itself: its log, and what Lambda says about the function."""

    log_level: Annotated[str, Env("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", log_level_name)] = "INFO"
    lambdas_log_level: Annotated[
        str, Env("AWS_LAMBDA_LOG_LEVEL", "Set by Lambda; wins over LOG_LEVEL", lambda_level_name)
    ] = ""
    memory_size: Annotated[
        int, Env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "MB of the function, set by Lambda", integer(0, 10**6))
    ] = 0
    function_name: Annotated[str, Env("AWS_LAMBDA_FUNCTION_NAME", "Set by Lambda")] = ""

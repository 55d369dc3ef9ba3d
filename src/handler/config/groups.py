"""The groups of settings. Each field declares its environment variable, its help text and its parser.

A variable has the name that AWS's own image handler uses, if it has one, so that a deployment can be migrated.
"""

# There is no `from __future__ import annotations` here: with it, each annotation would be compiled once more on every
# cold start, when `handler.config` reads them.

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec

from handler.config.env_types import Env, choice, header, integer, lambda_level_name, log_level_name, some_of, timestamp

MEGA = 1_000_000


def _code_date() -> datetime:
    return datetime.fromtimestamp(int(Path(__file__).stat().st_mtime), UTC)


class StorageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where originals, results and the variants of uploads are stored."""

    source_buckets: Annotated[
        str, Env("SOURCE_BUCKETS", "List of sources: S3 buckets or name=URL; the first is the default")
    ] = ""
    fonts: Annotated[str, Env("FONTS", "Folder or s3://bucket/prefix of your fonts; `text.font` names a family")] = ""
    output_bucket: Annotated[
        str, Env("OUTPUT_BUCKET", "Bucket, or name=URL, in which the variants of uploads are stored")
    ] = ""
    upload_presets: Annotated[
        tuple[str, ...], Env("UPLOAD_PRESETS", "List of presets that are rendered for each upload")
    ] = ()
    results_bucket: Annotated[
        str, Env("RESULTS_BUCKET", "Bucket, or name=URL, in which results, detections and masks are stored")
    ] = ""
    store_results: Annotated[
        bool,
        Env("STORE_RESULTS", "Store results that cost more than reading them; public expensive ones always are stored"),
    ] = False
    results_expire_after_days: Annotated[
        int, Env("RESULTS_EXPIRE_AFTER_DAYS", "Days until RESULTS_BUCKET's lifecycle deletes results", integer(2, 3650))
    ] = 30
    demo_bucket: Annotated[str, Env("DEMO_BUCKET", "Bucket that a deployment fills with the demo page")] = ""
    demo_sites: Annotated[
        tuple[str, ...],
        Env("DEMO_SITES", "List of the pages in DEMO_BUCKET: demo and gallery", some_of("demo", "gallery")),
    ] = ("demo",)


class AccessSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Access: signatures, the operator token, the origin secret, and what is public."""

    enable_signature: Annotated[bool, Env("ENABLE_SIGNATURE", "Refuse requests for images whose URL is not signed")] = (
        False
    )
    secrets_manager: Annotated[
        str, Env("SECRETS_MANAGER", "ID of the secret in Secrets Manager that holds the key for signing URLs")
    ] = ""
    secret_key: Annotated[str, Env("SECRET_KEY", "Field of the secret SECRETS_MANAGER that holds the key")] = (
        "SECRET_KEY"  # noqa: S105 - the name of a field
    )
    signature_secret_file: Annotated[
        str, Env("SIGNATURE_SECRET_FILE", "File that holds the key for signing URLs; for use without AWS")
    ] = ""
    operator_token: Annotated[
        str, Env("OPERATOR_TOKEN_SECRET", "ID of the secret in Secrets Manager that holds the operator token")
    ] = ""
    operator_token_file: Annotated[
        str, Env("OPERATOR_TOKEN_FILE", "File that holds the operator token; for use without AWS")
    ] = ""
    list_images: Annotated[bool, Env("LIST_IMAGES", "Allow the operator to list the sources with /_api/images")] = True
    operator_open: bool = False
    """The operator API needs no token. No variable sets this: only the local server on a loopback address does."""
    origin_secret: Annotated[
        str, Env("ORIGIN_SECRET", "ID of the secret in Secrets Manager that the CDN sends with each request")
    ] = ""
    origin_secret_file: Annotated[
        str, Env("ORIGIN_SECRET_FILE", "File that holds the secret that the CDN sends; for use without AWS")
    ] = ""
    public_features: Annotated[
        tuple[str, ...],
        Env("PUBLIC_FEATURES", "List of expensive, billed or private features that need no signature; *: all"),
    ] = ()
    public_sources: Annotated[
        tuple[str, ...], Env("PUBLIC_SOURCES", "List of sources on whose images every feature is public")
    ] = ()
    private_sources: Annotated[
        tuple[str, ...],
        Env(
            "PRIVATE_SOURCES",
            "List of sources that are served only with a signature, also where ENABLE_SIGNATURE is off; GALLERY_SOURCE "
            "always is one",
        ),
    ] = ()
    allow_gps: Annotated[bool, Env("ALLOW_GPS", "Keep a GPS position in results with metadata=keep")] = False


class RequestSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How requests are parsed: prefixes of keys, presets, dialects and content negotiation."""

    source_paths: Annotated[
        tuple[str, ...],
        Env("SOURCE_PATHS", "List of prefix/=source: the rest of a key with this prefix is a key in that source"),
    ] = ()
    rewrite_match_pattern: Annotated[
        str, Env("REWRITE_MATCH_PATTERN", "Regular expression, /expression/flags, for rewriting paths")
    ] = ""
    rewrite_substitution: Annotated[
        str, Env("REWRITE_SUBSTITUTION", "Replacement of each match; the new path is parsed as a Thumbor path")
    ] = ""
    client_hints: Annotated[bool, Env("CLIENT_HINTS", "Use the headers Sec-CH-DPR and Sec-CH-Width")] = False
    presets: Annotated[
        str, Env("PRESETS", "Presets in JSON (name → edits or query), or its s3:// or file:// address")
    ] = ""
    presets_only: Annotated[
        bool, Env("PRESETS_ONLY", "Allow only the parameters preset, v, expires and signature in a URL")
    ] = False
    default_preset: Annotated[str, Env("DEFAULT_PRESET", "Preset of every URL that names none")] = ""
    always: Annotated[
        str, Env("ALWAYS", "Edits in JSON that are added to every request, or its s3:// or file:// address")
    ] = ""
    dialects: Annotated[
        tuple[str, ...],
        Env("DIALECTS", "URL dialects in the order in which they are tried. Default: json,thumbor,query"),
    ] = ()
    ignored_parameters: Annotated[
        str, Env("IGNORED_PARAMETERS", "Query parameters that are ignored; *: all unknown ones; aws: all but AWS's")
    ] = "utm_*,fbclid,gclid"
    compatibility: Annotated[
        str, Env("COMPATIBILITY", "lenient repairs wrong URLs as their own service does", choice("strict", "lenient"))
    ] = "strict"
    auto_format: Annotated[
        bool, Env("AUTO_FORMAT", "Without a given format, choose AVIF or WebP by the Accept header")
    ] = False
    auto_quality_target: Annotated[
        str,
        Env("AUTO_QUALITY_TARGET", "Score that quality=auto reaches, from 1 to 99; also by format: webp:72,avif:68"),
    ] = "70"
    matte: Annotated[str, Env("MATTE", "Colour behind transparent parts in JPEG, such as 000000. Default: white")] = ""
    auto_webp: Annotated[bool, Env("AUTO_WEBP", "Without a given format, choose WebP by the Accept header")] = False


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Detection and the models that this service runs itself."""

    vision: Annotated[
        str,
        Env(
            "VISION",
            "Detector of faces: rekognition, local (a model on the machine) or auto (in Lambda rekognition, if the "
            "region has it or REKOGNITION_REGION names one; else local); objects and moderation need rekognition",
            choice("auto", "rekognition", "local"),
        ),
    ] = "auto"
    rekognition_region: Annotated[
        str, Env("REKOGNITION_REGION", "AWS region whose Rekognition is called. Default: AWS_REGION")
    ] = ""
    moderation_fail: Annotated[
        str,
        Env(
            "MODERATION_FAIL",
            "While Rekognition is unavailable: closed answers 503, open sends images without moderation",
            choice("closed", "open"),
        ),
    ] = "closed"
    cutout_model: Annotated[
        str,
        Env(
            "CUTOUT_MODEL",
            "Model of removeBackground where a request names none: u2net, u2net-int8, or auto: u2net-int8 where the "
            "processor multiplies bytes, except on Lambda with x86_64, whose processors differ",
            choice("auto", "u2net", "u2net-int8"),
        ),
    ] = "auto"
    weights: Annotated[
        str, Env("WEIGHTS", "Folder of the weights that `image-handler weights` writes. Default: weights/ beside src/")
    ] = ""


class ResponseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Headers of responses, their size, and the image that replaces an error."""

    cors_enabled: Annotated[bool, Env("CORS_ENABLED", "Send CORS headers")] = False
    cors_origin: Annotated[str, Env("CORS_ORIGIN", "Origin that the CORS headers allow", header)] = "*"
    browser_max_age: Annotated[
        int, Env("BROWSER_MAX_AGE", "Seconds that browsers cache an image (max-age)", integer(0, 31_536_000))
    ] = 31_536_000
    cdn_max_age: Annotated[
        int, Env("CDN_MAX_AGE", "Seconds that the CDN caches an image (s-maxage)", integer(0, 31_536_000))
    ] = 31_536_000
    error_max_age: Annotated[
        int, Env("ERROR_MAX_AGE", "Seconds that the answer to a client's error is cached", integer(0, 60))
    ] = 5
    enable_fallback: Annotated[bool, Env("ENABLE_DEFAULT_FALLBACK_IMAGE", "Answer errors with the fallback image")] = (
        False
    )
    fallback_bucket: Annotated[str, Env("DEFAULT_FALLBACK_IMAGE_BUCKET", "Source of the fallback image")] = ""
    fallback_key: Annotated[
        str, Env("DEFAULT_FALLBACK_IMAGE_KEY", "Key of the fallback image, or its URL under a source")
    ] = ""
    max_answer_bytes: Annotated[
        int,
        Env("MAX_ANSWER_BYTES", "Maximum bytes of an answer in base64; 0: Lambda's limit, if any", integer(0, 10**9)),
    ] = 0
    image_headers: Annotated[
        bool, Env("IMAGE_HEADERS", "Send size and format of the image and of its original in headers X-Image-*")
    ] = False
    deployed_at: Annotated[
        datetime, Env("DEPLOYED_AT", "Time of the deployment (ISO 8601); no Last-Modified is earlier", timestamp)
    ] = _code_date()


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How large images may be, and how much memory and time one request may take."""

    max_source_bytes: Annotated[
        int, Env("MAX_SOURCE_BYTES", "Maximum size of an original in bytes", integer(1, 2**31))
    ] = 100 * MEGA
    max_source_pixels: Annotated[
        int, Env("MAX_SOURCE_PIXELS", "Maximum number of pixels of an original", integer(1, 2**31))
    ] = 150 * MEGA
    max_frames: Annotated[int, Env("MAX_FRAMES", "Maximum number of frames of an animation", integer(1, 10_000))] = 300
    max_animation_pixels: Annotated[
        int,
        Env("MAX_ANIMATION_PIXELS", "Maximum number of pixels of an animation, all frames together", integer(1, 2**31)),
    ] = 100 * MEGA
    max_result_side: Annotated[
        int, Env("MAX_RESULT_SIDE", "Maximum length of the longer side of a result in pixels", integer(1, 65_500))
    ] = 8192
    max_result_pixels: Annotated[
        int, Env("MAX_RESULT_PIXELS", "Maximum number of pixels of a result", integer(1, 2**31))
    ] = 50 * MEGA
    max_avif_pixels: Annotated[
        int, Env("MAX_AVIF_PIXELS", "Maximum number of pixels of an AVIF result", integer(1, 2**31))
    ] = 12 * MEGA
    max_gif_pixels: Annotated[
        int, Env("MAX_GIF_PIXELS", "Maximum number of pixels of a GIF result, all frames together", integer(1, 2**31))
    ] = 12 * MEGA
    memory_budget: Annotated[
        int,
        Env(
            "MEMORY_BUDGET",
            "Maximum estimated memory per image in bytes; 0: 70 % of the function's memory",
            integer(0, 2**40),
        ),
    ] = 0
    work_budget: Annotated[
        int,
        Env(
            "WORK_BUDGET",
            "Maximum estimated processor time per image in seconds; 0: half of MAX_SECONDS",
            integer(0, 10**5),
        ),
    ] = 0
    max_seconds: Annotated[
        int, Env("MAX_SECONDS", "Maximum duration of a request in seconds; longer ones get 504", integer(1, 900))
    ] = 28
    sharp_size_limit: Annotated[
        str, Env("SHARP_SIZE_LIMIT", "AWS's name for MAX_SOURCE_PIXELS, which a number here overrides")
    ] = ""
    pdf_sources: Annotated[bool, Env("PDF_SOURCES", "Draw pages of PDF documents, in a process that can be killed")] = (
        False
    )
    tolerate_truncated: Annotated[
        bool, Env("TOLERATE_TRUNCATED", "Decode what there is of a truncated JPEG, PNG, GIF or BMP; others get 422")
    ] = False


class ProcessSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The process itself: its log, and what Lambda states about the function."""

    extra_settings: Annotated[
        str,
        Env(
            "EXTRA_SETTINGS", "More settings as a JSON object, by the names in this table; for a stack's ExtraSettings"
        ),
    ] = ""
    log_level: Annotated[str, Env("LOG_LEVEL", "Level of the log: DEBUG, INFO, WARNING or ERROR", log_level_name)] = (
        "INFO"
    )
    metrics_namespace: Annotated[
        str,
        Env(
            "METRICS_NAMESPACE",
            "Namespace of CloudWatch for metrics by feature and by format, which the log at level INFO carries; empty: "
            "none",
        ),
    ] = ""
    lambdas_log_level: Annotated[
        str, Env("AWS_LAMBDA_LOG_LEVEL", "Level of the log, set by Lambda; overrides LOG_LEVEL", lambda_level_name)
    ] = ""
    memory_size: Annotated[
        int, Env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "Memory of the function in MB, set by Lambda", integer(0, 10**6))
    ] = 0
    function_name: Annotated[str, Env("AWS_LAMBDA_FUNCTION_NAME", "Name of the function, set by Lambda")] = ""

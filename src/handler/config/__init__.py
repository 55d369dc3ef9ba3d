"""The environment, read once into a frozen model; all its faults are told together.

Names are those of AWS's own image handler where it has one, so that its users can move over.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from features import Limits
from handler.config.env_types import header, lambdas_level, level, moment, names, one_of, text, whole, word, yes

MEGA = 1_000_000
_MB_OF_A_PROCESSOR = 1769
"""Lambda gives processors in proportion to memory; it shows two even where it gives a part of one."""
LAMBDA_ANSWER_BYTES = 6_291_556
"""What Lambda answers at most, base64 and envelope included."""


class SettingsError(ValueError):
    """Everything that is wrong with the environment, a line each."""


class Setting(NamedTuple):
    """How one variable is read."""

    variable: str
    read: Callable[[str], Any]
    help: str
    default: Any


_declared: list[Setting] = []


def _set(default: Any, variable: str, read: Callable[[str], Any], about: str) -> Any:
    """Declare a field and its variable in one place; `SETTINGS` joins them by their order."""
    _declared.append(Setting(variable, read, about, default))
    return default


def _code_date() -> datetime:
    return datetime.fromtimestamp(int(Path(__file__).stat().st_mtime), UTC)


def trace_id() -> str:
    """X-Ray's name for what is being answered; Lambda writes it into the environment for each request.

    `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1` gives what follows `Root=`.
    """
    return os.environ.get("_X_AMZN_TRACE_ID", "").partition(";")[0].removeprefix("Root=")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an operator sets. `from_environment` is the only reader of the environment."""

    # Sources and results
    source_buckets: str = _set(
        "", "SOURCE_BUCKETS", text, "Comma list of S3 buckets, or name=URL; the first is the default"
    )
    output_bucket: str = _set(
        "", "OUTPUT_BUCKET", text, "Bucket, or name=URL, that variations of uploads are stored in"
    )
    upload_presets: tuple[str, ...] = _set((), "UPLOAD_PRESETS", names, "Comma list of presets made of every upload")
    results_bucket: str = _set(
        "",
        "RESULTS_BUCKET",
        text,
        "Bucket, or name=URL, that keeps what was made of originals and what was seen in them",
    )
    store_results: bool = _set(
        False, "STORE_RESULTS", yes, "Keep finished pictures in RESULTS_BUCKET that are cheaper to fetch than to make"
    )
    results_expire_after_days: int = _set(
        30, "RESULTS_EXPIRE_AFTER_DAYS", whole(2, 3650), "Days after which that bucket's lifecycle deletes them"
    )

    distribution_id: str = _set(
        "", "DISTRIBUTION_ID", text, "CloudFront distribution from which /_api/purge withdraws pictures"
    )

    heavy_function: str = _set(
        "",
        "HEAVY_FUNCTION",
        text,
        "Function of the same image that makes what a model works on; nothing: this one does",
    )

    # Who may do what
    enable_signature: bool = _set(False, "ENABLE_SIGNATURE", yes, "Refuse pictures whose URL is not signed")
    secrets_manager: str = _set(
        "", "SECRETS_MANAGER", text, "Id of the secret in Secrets Manager that URLs are signed with"
    )
    secret_key: str = _set("SECRET_KEY", "SECRET_KEY", text, "Field of that secret which holds the key")
    signature_secret_file: str = _set(
        "", "SIGNATURE_SECRET_FILE", text, "File that holds the key, where there is no AWS"
    )
    operator_token: str = _set("", "OPERATOR_TOKEN_SECRET", text, "Id of the secret that holds the operator's token")
    operator_token_file: str = _set("", "OPERATOR_TOKEN_FILE", text, "File that holds the operator's token")
    list_images: bool = _set(True, "LIST_IMAGES", yes, "Let the operator list the sources, at /_api/images")
    operator_open: bool = False
    """The operator's doors need no token: the local server on loopback alone sets this, no variable does."""
    origin_secret: str = _set("", "ORIGIN_SECRET", text, "Id of the secret that the CDN sends with every request")
    origin_secret_file: str = _set("", "ORIGIN_SECRET_FILE", text, "File that holds the CDN's secret")
    public_features: tuple[str, ...] = _set(
        (), "PUBLIC_FEATURES", names, "Heavy or billed features open to all; *: every one"
    )
    public_sources: tuple[str, ...] = _set(
        (), "PUBLIC_SOURCES", names, "Sources on whose pictures every feature is open to all, such as samples"
    )
    allow_gps: bool = _set(False, "ALLOW_GPS", yes, "Let a GPS position leave with metadata=keep")

    # What a URL means
    source_paths: tuple[str, ...] = _set(
        (), "SOURCE_PATHS", names, "Comma list of prefix/=source: the rest of such a key lies in that source"
    )
    rewrite_match_pattern: str = _set(
        "", "REWRITE_MATCH_PATTERN", text, "/expression/flags that paths are rewritten by"
    )
    rewrite_substitution: str = _set(
        "", "REWRITE_SUBSTITUTION", text, "What takes the place of a match; the outcome is read as Thumbor's path"
    )
    client_hints: bool = _set(False, "CLIENT_HINTS", yes, "Take density and width from Sec-CH-DPR and Sec-CH-Width")
    presets: str = _set("", "PRESETS", text, "JSON: name → edits or query; or the s3:// or file:// address of such")
    presets_only: bool = _set(
        False, "PRESETS_ONLY", yes, "A URL may hold preset, v, expires and signature, nothing else"
    )
    default_preset: str = _set("", "DEFAULT_PRESET", text, "Preset of every URL that names none")
    always: str = _set("", "ALWAYS", text, "JSON edits added to every answer, or the address of such")
    dialects: tuple[str, ...] = _set(
        ("json", "thumbor", "query"),
        "DIALECTS",
        one_of("json", "thumbor", "query"),
        "Request languages understood",
    )
    ignored_parameters: str = _set(
        "utm_*,fbclid,gclid", "IGNORED_PARAMETERS", text, "Query names that count nowhere; *: every unknown one"
    )
    auto_format: bool = _set(False, "AUTO_FORMAT", yes, "Choose AVIF, WebP or the source's format by Accept")
    auto_webp: bool = _set(False, "AUTO_WEBP", yes, "Choose WebP where the client accepts it")

    # Who sees
    vision: str = _set(
        "auto",
        "VISION",
        word("auto", "rekognition", "local"),
        "Who finds faces for smartCropping; objects and moderation need rekognition; auto: rekognition in Lambda",
    )
    moderation_fail: str = _set(
        "closed",
        "MODERATION_FAIL",
        word("closed", "open"),
        "While Rekognition is down: closed answers 503, open lets pictures leave unjudged",
    )

    # Answers
    cors_enabled: bool = _set(False, "CORS_ENABLED", yes, "Send CORS headers")
    cors_origin: str = _set("*", "CORS_ORIGIN", header, "Origin that they allow")
    browser_max_age: int = _set(
        31_536_000, "BROWSER_MAX_AGE", whole(0, 31_536_000), "Seconds a browser keeps a picture"
    )
    cdn_max_age: int = _set(31_536_000, "CDN_MAX_AGE", whole(0, 31_536_000), "Seconds the CDN keeps a picture")
    error_max_age: int = _set(5, "ERROR_MAX_AGE", whole(0, 60), "Seconds that a client's mistake is kept")
    enable_fallback: bool = _set(False, "ENABLE_DEFAULT_FALLBACK_IMAGE", yes, "Answer errors with a picture")
    fallback_bucket: str = _set("", "DEFAULT_FALLBACK_IMAGE_BUCKET", text, "Source bucket of that picture")
    fallback_key: str = _set("", "DEFAULT_FALLBACK_IMAGE_KEY", text, "Key of that picture")
    max_answer_bytes: int = _set(0, "MAX_ANSWER_BYTES", whole(0, 10**9), "Largest answer, base64 included; 0: no limit")
    deployed_at: datetime = _set(
        _code_date(), "DEPLOYED_AT", moment, "When the stack was deployed; pictures are never older"
    )

    # Limits
    max_source_bytes: int = _set(100 * MEGA, "MAX_SOURCE_BYTES", whole(1, 2**31), "Bytes of an original")
    max_source_pixels: int = _set(150 * MEGA, "MAX_SOURCE_PIXELS", whole(1, 2**31), "Pixels of an original")
    max_frames: int = _set(300, "MAX_FRAMES", whole(1, 10_000), "Frames of an animation")
    max_animation_pixels: int = _set(
        100 * MEGA, "MAX_ANIMATION_PIXELS", whole(1, 2**31), "Pixels of all frames together"
    )
    max_result_side: int = _set(8192, "MAX_RESULT_SIDE", whole(1, 65_500), "Pixels of the longer side of a result")
    max_result_pixels: int = _set(50 * MEGA, "MAX_RESULT_PIXELS", whole(1, 2**31), "Pixels of a result")
    max_avif_pixels: int = _set(12 * MEGA, "MAX_AVIF_PIXELS", whole(1, 2**31), "Pixels of an AVIF result")
    max_gif_pixels: int = _set(12 * MEGA, "MAX_GIF_PIXELS", whole(1, 2**31), "Pixels of a GIF result, all frames")
    memory_budget: int = _set(
        0, "MEMORY_BUDGET", whole(0, 2**40), "Bytes one picture may take; 0: 70 % of the function's"
    )
    max_seconds: int = _set(28, "MAX_SECONDS", whole(1, 900), "Seconds one request may take")
    tolerate_truncated: bool = _set(
        False, "TOLERATE_TRUNCATED", yes, "Show what there is of a JPEG, PNG, GIF or BMP cut off; others stay 422"
    )

    # Models
    weights: str = _set(
        "", "WEIGHTS", text, "Folder of what `image-handler weights` made; nothing: weights/ beside src/"
    )

    # AWS and the process
    log_level: str = _set("INFO", "LOG_LEVEL", level, "DEBUG, INFO, WARNING or ERROR")
    lambdas_log_level: str = _set("", "AWS_LAMBDA_LOG_LEVEL", lambdas_level, "Set by Lambda; wins over LOG_LEVEL")
    region: str = _set("", "AWS_REGION", text, "Region of the function")
    endpoint_url: str = _set("", "AWS_ENDPOINT_URL", text, "Endpoint of all AWS services, for stand-ins")
    endpoint_url_s3: str = _set("", "AWS_ENDPOINT_URL_S3", text, "Endpoint of an S3-compatible store")
    endpoint_url_secrets: str = _set("", "AWS_ENDPOINT_URL_SECRETS_MANAGER", text, "Endpoint of Secrets Manager")
    endpoint_url_rekognition: str = _set("", "AWS_ENDPOINT_URL_REKOGNITION", text, "Endpoint of Rekognition")
    endpoint_url_cloudfront: str = _set("", "AWS_ENDPOINT_URL_CLOUDFRONT", text, "Endpoint of CloudFront")
    endpoint_url_lambda: str = _set("", "AWS_ENDPOINT_URL_LAMBDA", text, "Endpoint of Lambda")
    access_key_id: str = _set("", "AWS_ACCESS_KEY_ID", text, "Set by Lambda; elsewhere the usual chain is asked")
    secret_access_key: str = _set("", "AWS_SECRET_ACCESS_KEY", text, "Set by Lambda")
    session_token: str = _set("", "AWS_SESSION_TOKEN", text, "Set by Lambda")
    memory_size: int = _set(0, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", whole(0, 10**6), "MB of the function, set by Lambda")
    function_name: str = _set("", "AWS_LAMBDA_FUNCTION_NAME", text, "Set by Lambda")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the environment (or a mapping like it); SettingsError lists every fault."""
        environment = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        faults: list[str] = []
        for name, setting in SETTINGS.items():
            if setting.variable not in environment:
                continue
            said = environment[setting.variable].strip()
            try:
                values[name] = setting.read(said)
            except ValueError as error:
                faults.append(f"{setting.variable} must be {error}, got {said!r}")
        settings = cls(**values)
        faults += settings.faults()
        if faults:
            raise SettingsError("\n".join(faults))
        return settings

    def __repr__(self) -> str:
        """Without what is set: there are secrets in it, which must not get into a log."""
        return "Settings(…)"

    def faults(self) -> list[str]:
        """What does not go together, a line each."""
        faults = []
        if self.enable_signature and not (self.secrets_manager or self.signature_secret_file):
            faults.append("ENABLE_SIGNATURE=Yes needs SECRETS_MANAGER or SIGNATURE_SECRET_FILE")
        if self.enable_fallback and not self.fallback_key:
            faults.append("ENABLE_DEFAULT_FALLBACK_IMAGE=Yes needs DEFAULT_FALLBACK_IMAGE_KEY")
        if self.store_results and not self.results_bucket:
            faults.append("STORE_RESULTS=Yes needs RESULTS_BUCKET")
        if self.heavy_function and self.heavy_function == self.function_name:
            faults.append(f"HEAVY_FUNCTION must be another function, got this one, {self.function_name!r}")
        if self.upload_presets and not self.output_bucket:
            faults.append("UPLOAD_PRESETS needs OUTPUT_BUCKET")
        return faults

    @property
    def limits(self) -> Limits:
        """The bounds of one picture, as the features take them."""
        return Limits(
            source_bytes=self.max_source_bytes,
            source_pixels=self.max_source_pixels,
            frames=self.max_frames,
            animation_pixels=self.max_animation_pixels,
            result_side=self.max_result_side,
            result_pixels=self.max_result_pixels,
            result_pixels_of={"avif": self.max_avif_pixels, "gif": self.max_gif_pixels},
            memory=self.memory_budget or (self.memory_size * MEGA * 7 // 10 or Limits().memory),
            tolerate_truncated=self.tolerate_truncated,
            allow_gps=self.allow_gps,
            processors=self.memory_size / _MB_OF_A_PROCESSOR or Limits().processors,
        )

    @property
    def weights_folder(self) -> str:
        """Where the models' weights are, or would be."""
        return self.weights or str(Path(__file__).resolve().parents[3] / "weights")

    @property
    def answer_bytes(self) -> int:
        """Largest answer in bytes, base64 included; 0: no limit."""
        return self.max_answer_bytes or (LAMBDA_ANSWER_BYTES if self.function_name else 0)


_WITHOUT_VARIABLE = {"operator_open"}
SETTINGS: dict[str, Setting] = dict(
    zip((name for name in Settings.__struct_fields__ if name not in _WITHOUT_VARIABLE), _declared, strict=True)
)
"""Every field that a variable sets, and how."""

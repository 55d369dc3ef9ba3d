"""The groups of settings that only some deployments have: of AWS, records, notifications and imgproxy's URLs.

They are declared like those of `groups`.
"""

# There is no `from __future__ import annotations` here, for the reason that `groups` states.

from typing import Annotated

import msgspec

from handler.config.env_types import Env, choice, fraction, integer, records_address, some_of, tag, web_address


class AwsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Region, endpoints and credentials of AWS, and the AWS resources that requests use."""

    region: Annotated[str, Env("AWS_REGION", "AWS region of the function and of its resources")] = ""
    endpoint_url: Annotated[
        str, Env("AWS_ENDPOINT_URL", "Endpoint of all AWS services, for replacements of AWS in tests")
    ] = ""
    endpoint_url_s3: Annotated[str, Env("AWS_ENDPOINT_URL_S3", "Endpoint of S3 or of a compatible store")] = ""
    endpoint_url_secrets: Annotated[str, Env("AWS_ENDPOINT_URL_SECRETS_MANAGER", "Endpoint of Secrets Manager")] = ""
    endpoint_url_rekognition: Annotated[str, Env("AWS_ENDPOINT_URL_REKOGNITION", "Endpoint of Rekognition")] = ""
    endpoint_url_cloudfront: Annotated[str, Env("AWS_ENDPOINT_URL_CLOUDFRONT", "Endpoint of CloudFront")] = ""
    endpoint_url_lambda: Annotated[str, Env("AWS_ENDPOINT_URL_LAMBDA", "Endpoint of Lambda")] = ""
    endpoint_url_sns: Annotated[str, Env("AWS_ENDPOINT_URL_SNS", "Endpoint of SNS")] = ""
    endpoint_url_eventbridge: Annotated[str, Env("AWS_ENDPOINT_URL_EVENTBRIDGE", "Endpoint of EventBridge")] = ""
    endpoint_url_sqs: Annotated[str, Env("AWS_ENDPOINT_URL_SQS", "Endpoint of SQS or of a compatible queue")] = ""
    endpoint_url_dynamodb: Annotated[str, Env("AWS_ENDPOINT_URL_DYNAMODB", "Endpoint of DynamoDB")] = ""
    endpoint_url_s3_control: Annotated[str, Env("AWS_ENDPOINT_URL_S3_CONTROL", "Endpoint of S3 Control")] = ""
    endpoint_url_key_value_store: Annotated[
        str, Env("AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE", "Endpoint of CloudFront's key value stores")
    ] = ""
    signing_keys_store: Annotated[
        str, Env("SIGNING_KEYS_STORE", "ARN of the key value store that the edge function reads the signing keys from")
    ] = ""
    access_key_id: Annotated[
        str, Env("AWS_ACCESS_KEY_ID", "Credential, set by Lambda; elsewhere AWS's default credential chain is used")
    ] = ""
    secret_access_key: Annotated[str, Env("AWS_SECRET_ACCESS_KEY", "Credential, set by Lambda")] = ""
    session_token: Annotated[str, Env("AWS_SESSION_TOKEN", "Credential, set by Lambda")] = ""
    distribution_id: Annotated[
        str, Env("DISTRIBUTION_ID", "ID of the CloudFront distribution in which /_api/purge invalidates images")
    ] = ""
    heavy_function: Annotated[
        str, Env("HEAVY_FUNCTION", "Model function, which runs the features with a model. Default: this function")
    ] = ""


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The server alone, `image-handler serve`."""

    cache_mb: Annotated[
        int,
        Env(
            "CACHE_MB",
            "Megabytes of decoded originals that each process of the server keeps, so that several sizes of one are "
            "drawn from one decoding. 0: none",
            integer(0, 1_000_000),
        ),
    ] = 0


class IngestSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Uploads through /_api/uploads."""

    upload_source: Annotated[
        str,
        Env("UPLOAD_SOURCE", "Source to which /_api/uploads writes, in S3 or in a folder. Default: uploads are off"),
    ] = ""
    upload_key: Annotated[
        str,
        Env(
            "UPLOAD_KEY",
            "Template of the keys of uploads without one: {uuid}, and {date}, {year}, {month}, {day}, {name} and {ext}",
        ),
    ] = "{date}/{uuid}{ext}"
    upload_urls: Annotated[
        str,
        Env(
            "UPLOAD_URLS",
            "Where the forms of /_api/uploads lead: store (S3 itself, if the source is in S3) or server (this service)",
            choice("store", "server"),
        ),
    ] = "store"


class ProcessingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which originals are processed when they are uploaded, and where their variants are stored."""

    uploads_only: Annotated[
        bool,
        Env(
            "UPLOADS_ONLY",
            "Yes in a function that processes uploads and serves no URLs, so it needs no secret for them",
        ),
    ] = False
    upload_prefix: Annotated[
        tuple[str, ...], Env("UPLOAD_PREFIX", "List of prefixes: only keys that begin with one are processed")
    ] = ()
    upload_suffix: Annotated[
        tuple[str, ...],
        Env("UPLOAD_SUFFIX", "List of suffixes such as .jpg: only keys that end with one, in any case, are processed"),
    ] = ()
    upload_facts: Annotated[
        tuple[str, ...],
        Env(
            "UPLOAD_FACTS",
            "What the record of an original has beside the facts of its file: details (hashes, camera, credit, "
            "licence), faces and moderation, which need VISION and may be billed, or none",
            some_of("details", "faces", "moderation"),
        ),
    ] = ("details",)
    upload_srcset: Annotated[
        str,
        Env(
            "UPLOAD_SRCSET",
            "Widths and formats in which a preset is rendered, in JSON: preset → widths, formats, and key, a template "
            "like OUTPUT_KEY",
        ),
    ] = ""
    output_key: Annotated[
        str,
        Env(
            "OUTPUT_KEY",
            "Keys in OUTPUT_BUCKET: folders ({preset}/{bucket}/{key}), suffixes ({key}.{preset}.{ext}), or a template "
            "with {preset}, {bucket}, {key}, {stem}, {ext}, {format}, {width} and {height}",
        ),
    ] = "folders"
    output_url: Annotated[
        str,
        Env("OUTPUT_URL", "Prefix of the URLs of variants in records, such as https://cdn.example.com", web_address),
    ] = ""
    require_tag: Annotated[
        tuple[str, str] | None,
        Env(
            "REQUIRE_TAG",
            "Read only originals in S3 with this tag, such as GuardDutyMalwareScanStatus=NO_THREATS_FOUND",
            tag,
        ),
    ] = None
    upload_max_attempts: Annotated[
        int,
        Env(
            "UPLOAD_MAX_ATTEMPTS",
            "Number of attempts after which an original has failed: the maxReceiveCount of the queue",
            integer(1, 1000),
        ),
    ] = 5
    upload_stale_seconds: Annotated[
        int,
        Env(
            "UPLOAD_STALE_SECONDS",
            "Seconds after which an attempt that has not ended counts as interrupted; longer than any attempt takes",
            integer(60, 86_400),
        ),
    ] = 1800


class RecordSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the records of originals are stored, and where they are processed again."""

    database: Annotated[
        str,
        Env(
            "RECORDS",
            "Database of the records of originals: sqlite:///file, postgresql+psycopg://user@host/database or "
            "dynamodb://table. Default: no records",
            records_address,
            secret=True,
        ),
    ] = ""
    database_file: Annotated[
        str, Env("RECORDS_FILE", "File that holds the value of RECORDS, for a password that is mounted as a file")
    ] = ""
    upload_queue: Annotated[
        str,
        Env(
            "UPLOAD_QUEUE",
            "URL of the SQS queue from which another function or a worker takes uploads: "
            "/_api/records/{id}/reprocess sends a message to it",
            web_address,
        ),
    ] = ""


class NotificationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the service sends the notices of originals."""

    notification_topic: Annotated[
        str, Env("NOTIFICATION_TOPIC", "ARN of the SNS topic to which the notices of originals are sent")
    ] = ""
    notification_bus: Annotated[
        str, Env("NOTIFICATION_BUS", "Name or ARN of the EventBridge bus to which the notices are sent")
    ] = ""
    webhook_url: Annotated[
        str,
        # Many receivers have a secret in the path or the query.
        Env(
            "WEBHOOK_URL",
            "URL to which the notices are sent by POST, signed by Standard Webhooks",
            web_address,
            secret=True,
        ),
    ] = ""
    webhook_secret: Annotated[
        str, Env("WEBHOOK_SECRET", "ID of the secret in Secrets Manager that signs the webhook's requests")
    ] = ""
    webhook_secret_file: Annotated[
        str, Env("WEBHOOK_SECRET_FILE", "File that holds the secret that signs the webhook's requests; without AWS")
    ] = ""
    webhook_allow_private: Annotated[
        bool, Env("WEBHOOK_ALLOW_PRIVATE", "Allow an http WEBHOOK_URL, and a host with a private address")
    ] = False
    notification_days: Annotated[
        int, Env("NOTIFICATION_DAYS", "Days for which a notice that is not accepted is sent again", integer(1, 30))
    ] = 3

    @property
    def has_receiver(self) -> bool:
        """Whether notices are sent to anybody."""
        return bool(self.notification_topic or self.notification_bus or self.webhook_url)


class ImgproxySettings(msgspec.Struct, frozen=True, kw_only=True):
    """How URLs of imgproxy are read, where DIALECTS accepts them."""

    imgproxy_key: Annotated[
        str,
        Env("IMGPROXY_KEY", "List of keys of imgproxy's signatures in hex; better: IMGPROXY_KEYS_SECRET", secret=True),
    ] = ""
    imgproxy_salt: Annotated[
        str,
        Env("IMGPROXY_SALT", "List of salts of imgproxy's signatures in hex, one for each key", secret=True),
    ] = ""
    imgproxy_keys_secret: Annotated[
        str,
        Env("IMGPROXY_KEYS_SECRET", "ID of the secret in Secrets Manager with the fields IMGPROXY_KEY, IMGPROXY_SALT"),
    ] = ""
    imgproxy_keys_file: Annotated[
        str, Env("IMGPROXY_KEYS_FILE", "JSON file with the fields IMGPROXY_KEY, IMGPROXY_SALT; for use without AWS")
    ] = ""
    imgproxy_source_url_encryption_key: Annotated[
        str, Env("IMGPROXY_SOURCE_URL_ENCRYPTION_KEY", "Key of encrypted source URLs in hex", secret=True)
    ] = ""
    imgproxy_signature_size: Annotated[int, Env("IMGPROXY_SIGNATURE_SIZE", "Bytes of a signature", integer(1, 32))] = 32
    imgproxy_trusted_signatures: Annotated[
        tuple[str, ...],
        Env("IMGPROXY_TRUSTED_SIGNATURES", "Must be empty: fixed words instead of signatures are refused"),
    ] = ()
    imgproxy_secret: Annotated[
        str, Env("IMGPROXY_SECRET", "Must be empty: use ORIGIN_SECRET for the secret that a CDN sends", secret=True)
    ] = ""
    imgproxy_presets: Annotated[str, Env("IMGPROXY_PRESETS", "Presets in imgproxy's syntax, name=options,…")] = ""
    imgproxy_presets_separator: Annotated[
        str, Env("IMGPROXY_PRESETS_SEPARATOR", "Character between two presets of IMGPROXY_PRESETS")
    ] = ","
    imgproxy_presets_path: Annotated[
        str, Env("IMGPROXY_PRESETS_PATH", "File of presets in imgproxy's syntax, one on each line")
    ] = ""
    imgproxy_path_prefix: Annotated[str, Env("IMGPROXY_PATH_PREFIX", "Prefix of imgproxy's paths, such as /img")] = ""
    imgproxy_arguments_separator: Annotated[
        str, Env("IMGPROXY_ARGUMENTS_SEPARATOR", "Character between an option and its arguments")
    ] = ":"
    imgproxy_allowed_processing_options: Annotated[
        tuple[str, ...],
        Env("IMGPROXY_ALLOWED_PROCESSING_OPTIONS", "List of the options that URLs may use. Default: all of them"),
    ] = ()
    imgproxy_allowed_sources: Annotated[
        tuple[str, ...],
        Env("IMGPROXY_ALLOWED_SOURCES", "List of allowed prefixes of source URLs; * is any text without a slash"),
    ] = ()
    imgproxy_base_url: Annotated[
        str,
        Env("IMGPROXY_BASE_URL", "Prefix of source URLs; it is added to every source URL that does not begin with it"),
    ] = ""
    imgproxy_url_replacements: Annotated[
        str, Env("IMGPROXY_URL_REPLACEMENTS", "Replacements in source URLs, pattern=replacement;…")
    ] = ""
    imgproxy_base64_url_includes_filename: Annotated[
        bool, Env("IMGPROXY_BASE64_URL_INCLUDES_FILENAME", "Ignore the last segment after a source URL in base64")
    ] = False
    imgproxy_quality: Annotated[int, Env("IMGPROXY_QUALITY", "Quality of JPEGs; 0: 80", integer(0, 100))] = 0
    imgproxy_format_quality: Annotated[
        tuple[str, ...], Env("IMGPROXY_FORMAT_QUALITY", "List of format=quality. Default: webp=79,avif=63")
    ] = ()
    imgproxy_preferred_formats: Annotated[
        tuple[str, ...],
        Env("IMGPROXY_PREFERRED_FORMATS", "Formats of results where a URL names none. Default: jpeg,png,gif"),
    ] = ()
    imgproxy_skip_processing_formats: Annotated[
        tuple[str, ...], Env("IMGPROXY_SKIP_PROCESSING_FORMATS", "List of formats of originals that are not edited")
    ] = ()
    imgproxy_max_animation_frames: Annotated[
        int,
        Env("IMGPROXY_MAX_ANIMATION_FRAMES", "1: only the first frame is kept; more: all frames", integer(1, 10_000)),
    ] = 1
    imgproxy_strip_metadata: Annotated[
        bool, Env("IMGPROXY_STRIP_METADATA", "Remove metadata unless a URL says otherwise")
    ] = True
    imgproxy_keep_copyright: Annotated[
        bool, Env("IMGPROXY_KEEP_COPYRIGHT", "Keep the credit where metadata is removed")
    ] = False
    imgproxy_always_rasterize_svg: Annotated[
        bool, Env("IMGPROXY_ALWAYS_RASTERIZE_SVG", "Draw SVGs where a URL names no format")
    ] = False
    imgproxy_watermark: Annotated[
        str, Env("IMGPROXY_WATERMARK_URL", "URL under a source, or key, of the image of the option watermark")
    ] = ""
    imgproxy_watermark_opacity: Annotated[
        float, Env("IMGPROXY_WATERMARK_OPACITY", "Factor of the opacity of watermarks", fraction)
    ] = 1.0

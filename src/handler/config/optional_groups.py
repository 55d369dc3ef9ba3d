"""The groups of settings that only some deployments have: of AWS, the server, the gallery and imgproxy's URLs.

They are declared like those of `groups`.
"""

# There is no `from __future__ import annotations` here, for the reason that `groups` states.

from typing import Annotated

import msgspec

from handler.config.env_types import Env, fraction, integer


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


class GallerySettings(msgspec.Struct, frozen=True, kw_only=True):
    """The gallery under /_gallery/, in which visitors without an account keep their pictures."""

    gallery_source: Annotated[
        str,
        Env("GALLERY_SOURCE", "Source in S3 or in a folder that holds the gallery's pictures. Default: no gallery"),
    ] = ""
    gallery_recipes: Annotated[
        tuple[str, ...],
        Env(
            "GALLERY_RECIPES",
            "List of the gallery's recipes in their order: names of built-in recipes and of presets. Default: all "
            "built-in ones that this service can run",
        ),
    ] = ()
    gallery_expire_days: Annotated[
        int, Env("GALLERY_EXPIRE_DAYS", "Days until a picture of the gallery is deleted", integer(1, 3650))
    ] = 30
    user_limit: Annotated[
        int, Env("USER_LIMIT", "Number of pictures that each visitor of the gallery may keep", integer(1, 100_000))
    ] = 50
    gallery_max_bytes: Annotated[
        int,
        Env("GALLERY_MAX_BYTES", "Bytes that all pictures of the gallery may have; 0: no limit", integer(0, 10**15)),
    ] = 10_000_000_000
    gallery_uploads_per_hour: Annotated[
        int,
        Env(
            "GALLERY_UPLOADS_PER_HOUR",
            "Uploads to the gallery in an hour, for each visitor and for each address",
            integer(1, 1_000_000),
        ),
    ] = 200
    gallery_moderation: Annotated[
        int,
        Env(
            "GALLERY_MODERATION",
            "Confidence of a label, in percent, above which a picture is refused and deleted; 0: pictures are not "
            "moderated",
            integer(0, 100),
        ),
    ] = 0
    gallery_password: Annotated[
        str, Env("GALLERY_PASSWORD_SECRET", "ID of the secret in Secrets Manager that holds the gallery's password")
    ] = ""
    gallery_password_file: Annotated[
        str, Env("GALLERY_PASSWORD_FILE", "File that holds the gallery's password; for use without AWS")
    ] = ""
    gallery_fine_tune: Annotated[
        bool, Env("GALLERY_FINE_TUNE", "Let visitors of the gallery edit pictures in the demo page")
    ] = True


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

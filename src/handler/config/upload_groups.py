"""The groups of settings of uploads and records. They are declared like those of `groups`."""

# There is no `from __future__ import annotations` here, for the reason that `groups` states.

from typing import Annotated

import msgspec

from handler.config.env_types import Env, choice, integer, records_address, some_of, tag, web_address


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

"""The groups of settings of uploads, records and notifications, declared like those of `groups`."""

# There is no `from __future__ import annotations` here, for the reason that `groups` states.

from typing import Annotated

import msgspec

from handler.config.env_types import Env, choice, integer, records_address, web_address


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
            "Template of keys that are made: {uuid}, and {date}, {year}, {month}, {day}, {name} and {ext}",
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


class RecordSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the records of originals are stored."""

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


class NotificationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the service sends the notices of originals."""

    notification_topic: Annotated[
        str, Env("NOTIFICATION_TOPIC", "ARN of the SNS topic to which the notices of originals are sent")
    ] = ""
    notification_bus: Annotated[
        str, Env("NOTIFICATION_BUS", "Name or ARN of the EventBridge bus to which the notices are sent")
    ] = ""
    webhook_url: Annotated[
        str, Env("WEBHOOK_URL", "URL to which the notices are sent by POST, signed by Standard Webhooks", web_address)
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

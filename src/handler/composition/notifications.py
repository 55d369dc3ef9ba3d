"""Opens the receivers that the settings name."""

from __future__ import annotations

from collections.abc import Callable

from handler.aws import AwsAccess
from handler.config.upload_groups import NotificationSettings
from handler.core.errors import UpstreamError
from handler.core.ports import SecretSource
from handler.notifications.dispatch import Notifier
from handler.notifications.sender import Sender
from handler.records.store import Records

OpenSecret = Callable[[str, str, AwsAccess], SecretSource | None]
"""Opens a secret by its ID in Secrets Manager or by its file; None if both are empty."""


def open_notifier(
    settings: NotificationSettings, records: Records, aws: AwsAccess, open_secret: OpenSecret
) -> Notifier:
    """Return what sends the notices of a database. Raise ValueError for an invalid ARN or secret."""
    return Notifier(records, _open_senders(settings, aws, open_secret), settings.notification_days)


def _open_senders(settings: NotificationSettings, aws: AwsAccess, open_secret: OpenSecret) -> tuple[Sender, ...]:
    senders: list[Sender] = []
    if topic := settings.notification_topic:
        from handler.notifications.sns import SnsTopic  # noqa: PLC0415 - only configured senders are imported

        if not topic.startswith("arn:") or topic.count(":") != 5:
            raise ValueError(f"NOTIFICATION_TOPIC must be the ARN of an SNS topic, got {topic!r}")
        senders.append(SnsTopic(topic, aws))
    if settings.notification_bus:
        from handler.notifications.eventbridge import EventBus  # noqa: PLC0415 - see above

        senders.append(EventBus(settings.notification_bus, aws))
    secret = open_secret(settings.webhook_secret, settings.webhook_secret_file, aws)
    if settings.webhook_url and secret:
        from handler.notifications.webhook import Webhook, parse_key  # noqa: PLC0415 - see above

        if settings.webhook_secret_file:
            _check_file(secret, parse_key)
        senders.append(Webhook(settings.webhook_url, secret, settings.webhook_allow_private))
    return tuple(senders)


def _check_file(secret: SecretSource, parse_key: Callable[[str], object]) -> None:
    """Raise ValueError for a file whose lines are not keys: it is cheaper to say so now than with each notice."""
    try:
        for value in secret.values():
            parse_key(value)
    except ValueError as error:
        raise ValueError(f"the file of WEBHOOK_SECRET_FILE must hold {error}") from None
    except UpstreamError as error:
        raise ValueError(f"WEBHOOK_SECRET_FILE: {error.detail or error.message}") from error

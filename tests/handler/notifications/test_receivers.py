"""Which receivers the settings name, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from tests.handler.notifications.notices import NOW, notice
from tests.stand_ins.scripted_http import Reply, scripted_server

from handler.aws import AwsAccess
from handler.composition import wiring
from handler.composition.factories import open_secret
from handler.composition.notifications import open_notifier
from handler.config import Settings, SettingsError
from handler.notifications.dispatch import Dispatched, Notifier
from handler.observability.logs import log_request
from handler.records import open_records
from handler.records.store import Records
from imaging import Deadline

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TOPIC = "arn:aws:sns:eu-west-1:111122223333:images"


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    opened = open_records(f"sqlite:///{tmp_path}/records.db", AwsAccess())
    yield opened
    opened.close()


def open_by(records: Records, **variables: str) -> Notifier:
    settings = Settings.from_environment(variables).notifications
    return open_notifier(settings, records, AwsAccess(region="eu-west-1"), open_secret)


def test_nothing_is_sent_by_default(records: Records) -> None:
    ready = notice()
    assert records.write(ready.record, replaces=None, notices=[ready])
    assert open_by(records).senders == ()
    assert open_by(records).send_due(NOW + timedelta(days=1), 10, Deadline()) == Dispatched()
    assert records.find_pending(ready.id)


def test_each_setting_adds_a_receiver(records: Records, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    notifier = open_by(
        records,
        NOTIFICATION_TOPIC=TOPIC,
        NOTIFICATION_BUS="default",
        WEBHOOK_URL="https://example.com/",
        WEBHOOK_SECRET_FILE=str(tmp_path / "secret"),
        NOTIFICATION_DAYS="7",
    )
    assert [sender.name for sender in notifier.senders] == ["sns", "eventbridge", "webhook"]
    assert notifier.retry_days == 7


def test_a_written_notice_reaches_the_webhook(records: Records, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    with scripted_server(lambda _: Reply(200)) as receiver:
        notifier = open_by(
            records, WEBHOOK_URL=receiver.url, WEBHOOK_SECRET_FILE=str(file), WEBHOOK_ALLOW_PRIVATE="Yes"
        )
        ready = notice()
        assert records.write(ready.record, replaces=None, notices=[ready])
        with log_request("test") as fields:
            notifier.add(ready.id)
            assert notifier.send_written(NOW, Deadline()) == Dispatched(sent=1)
        assert fields["notices_sent"] == 1
    (request,) = receiver.asked
    assert Verifier(SECRET).verify(request.body, dict(request.headers))["data"]["key"] == "cat.jpg"


@pytest.mark.parametrize("topic", ["images", "arn:aws:sns:eu-west-1:images"])
def test_a_topic_is_an_arn(records: Records, topic: str) -> None:
    with pytest.raises(ValueError, match="NOTIFICATION_TOPIC must be the ARN of an SNS topic, got"):
        open_by(records, NOTIFICATION_TOPIC=topic)


@pytest.mark.parametrize("text", ["", "short", "whsec_c2hvcnQ=", f"{SECRET}\nnot base64!", "1\n2\n3"])
def test_the_file_of_the_webhooks_secret_is_checked_at_the_start(records: Records, tmp_path: Path, text: str) -> None:
    (tmp_path / "secret").write_text(text)
    with pytest.raises(ValueError, match="WEBHOOK_SECRET_FILE") as caught:
        open_by(records, WEBHOOK_URL="https://example.com/", WEBHOOK_SECRET_FILE=f"{tmp_path}/secret")
    assert "c2hvcnQ" not in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"WEBHOOK_URL": "https://example.com/"}, "WEBHOOK_URL needs WEBHOOK_SECRET or WEBHOOK_SECRET_FILE"),
        ({"WEBHOOK_URL": "http://example.com/", "WEBHOOK_SECRET": "s"}, "must be an https URL, unless"),
        ({"WEBHOOK_URL": "https://user@example.com/", "WEBHOOK_SECRET": "s"}, "without user, password"),
        ({"WEBHOOK_URL": "https://example.com:0/", "WEBHOOK_SECRET": "s"}, "WEBHOOK_URL must be an http or https URL"),
        ({"WEBHOOK_URL": "example.com", "WEBHOOK_SECRET": "s"}, "WEBHOOK_URL must be an http or https URL"),
        ({"WEBHOOK_URL": "https://[::1/", "WEBHOOK_SECRET": "s"}, "WEBHOOK_URL must be an http or https URL"),
        ({"NOTIFICATION_DAYS": "0"}, "NOTIFICATION_DAYS must be a whole number from 1 to 30"),
    ],
)
def test_invalid_settings_are_refused(variables: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings.from_environment(variables)


def test_faults_are_reported_with_those_of_all_settings(tmp_path: Path) -> None:
    variables = {
        "SOURCE_BUCKETS": f"photos=file://{tmp_path}",
        "RECORDS": f"sqlite:///{tmp_path}/records.db",
        "NOTIFICATION_TOPIC": "images",
    }
    with pytest.raises(SettingsError, match="NOTIFICATION_TOPIC must be the ARN of an SNS topic, got 'images'"):
        wiring.build(Settings.from_environment(variables))

"""The whole way on AWS: S3 → EventBridge → SQS → Lambda's real runtime client, a database, and notices through SNS."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests import pictures
from tests.stand_ins.moto import REGION, Moto
from tests.stand_ins.runtime_api import RuntimeApi, lambda_process, runtime_api

from handler.aws import AwsAccess
from handler.records import open_records
from handler.records.record import ImageRecord, record_id
from handler.records.store import Records

pytestmark = pytest.mark.slow

ATTEMPTS = 3


@dataclass
class Stack:
    """The resources of a stack, and what its event source mapping does: it hands messages to the function."""

    moto: Moto
    folder: Path
    originals: str = ""
    output: str = ""
    queue: str = ""
    dead: str = ""
    notices: str = ""
    topic: str = ""

    def __post_init__(self) -> None:
        self.originals, self.output = self.moto.bucket(), self.moto.bucket()
        name = uuid.uuid4().hex
        sqs, events, sns = (self.moto.client(service) for service in ("sqs", "events", "sns"))
        self.dead = sqs.create_queue(QueueName=f"dead-{name}")["QueueUrl"]
        redrive = json.dumps({"deadLetterTargetArn": self._arn(self.dead), "maxReceiveCount": ATTEMPTS})
        attributes = {"RedrivePolicy": redrive, "VisibilityTimeout": "0"}
        self.queue = sqs.create_queue(QueueName=f"uploads-{name}", Attributes=attributes)["QueueUrl"]
        self.notices = sqs.create_queue(QueueName=f"notices-{name}")["QueueUrl"]
        self.topic = sns.create_topic(Name=f"notices-{name}")["TopicArn"]
        raw = {"RawMessageDelivery": "true"}
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=self._arn(self.notices), Attributes=raw)
        pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [self.originals]}}}
        events.put_rule(Name=f"uploads-{name}", EventPattern=json.dumps(pattern))
        events.put_targets(Rule=f"uploads-{name}", Targets=[{"Id": "queue", "Arn": self._arn(self.queue)}])
        self.moto.s3.put_bucket_notification_configuration(
            Bucket=self.originals, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )

    def _arn(self, url: str) -> str:
        found = self.moto.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(found["Attributes"]["QueueArn"])

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.moto.url,
            "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "SOURCE_BUCKETS": f"photos=s3://{self.originals}",
            "OUTPUT_BUCKET": self.output,
            "PRESETS": '{"thumb": "width=20&format=webp", "large": "width=80&format=jpeg"}',
            "UPLOAD_PRESETS": "thumb,large",
            "RECORDS": f"sqlite:///{self.folder}/records.db",
            "NOTIFICATION_TOPIC": self.topic,
            "UPLOAD_MAX_ATTEMPTS": str(ATTEMPTS),
        }

    def receive(self) -> list[dict[str, Any]]:
        """Return up to ten messages as Lambda's event has them."""
        found = self.moto.client("sqs").receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, AttributeNames=["All"]
        )
        return [
            {
                "messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"],
                "body": self._with_sequencer(message), "attributes": message["Attributes"], "eventSource": "aws:sqs",
            }
            for message in found.get("Messages", ())
        ]  # fmt: skip

    def _with_sequencer(self, message: dict[str, Any]) -> str:
        """Return the body with a sequencer: moto writes the same one into all events. They are received in order."""
        event = json.loads(message["Body"])
        event["detail"]["object"]["sequencer"] = f"{int(message['Attributes']['SentTimestamp']):X}"
        return json.dumps(event)

    def deliver(self, api: RuntimeApi) -> None:
        """Hand over messages until the queue is empty, and delete those that were processed."""
        for _ in range(30):
            messages = self.receive()
            if not messages:
                return
            answer = api.invoke({"Records": messages})
            assert not answer.failed, answer.body
            failed = {each["itemIdentifier"] for each in answer.json()["batchItemFailures"]}
            for message in messages:
                if message["messageId"] not in failed:
                    self.moto.client("sqs").delete_message(QueueUrl=self.queue, ReceiptHandle=message["receiptHandle"])
        pytest.fail("the queue does not become empty")

    def put(self, key: str, body: bytes) -> None:
        self.moto.s3.put_object(Bucket=self.originals, Key=key, Body=body)

    def delete(self, key: str) -> None:
        self.moto.s3.delete_object(Bucket=self.originals, Key=key)

    def variants(self) -> set[str]:
        return {entry["Key"] for entry in self.moto.s3.list_objects_v2(Bucket=self.output).get("Contents", ())}

    def announced(self) -> list[str]:
        """Return the types and keys of the notices that were sent since the last call."""
        sqs, found = self.moto.client("sqs"), []
        while messages := sqs.receive_message(QueueUrl=self.notices, MaxNumberOfMessages=10).get("Messages", ()):
            for message in messages:
                body = json.loads(message["Body"])
                found.append(f"{body['type']} {body['data']['key']}")
                sqs.delete_message(QueueUrl=self.notices, ReceiptHandle=message["ReceiptHandle"])
        return sorted(found)


@pytest.fixture
def stack(moto: Moto, tmp_path: Path) -> Stack:
    return Stack(moto, tmp_path)


@pytest.fixture
def records(stack: Stack) -> Iterator[Records]:
    records = open_records(stack.environment["RECORDS"], AwsAccess())
    yield records
    records.close()


def record(records: Records, key: str) -> ImageRecord:
    found = records.get(record_id("photos", key))
    assert found is not None
    return found


def test_originals_are_created_overwritten_refused_and_deleted(stack: Stack, records: Records) -> None:
    both = {"thumb/photos/a cat+.jpg", "large/photos/a cat+.jpg"}
    with runtime_api() as api, lambda_process(api, stack.environment):
        stack.put("a cat+.jpg", pictures.jpeg())
        stack.put("text.jpg", b"this is no image")
        stack.put("cut.jpg", pictures.jpeg()[:600])
        stack.deliver(api)
        assert stack.variants() == both
        assert record(records, "a cat+.jpg").status == "ready"
        errors = {key: record(records, key).error for key in ("text.jpg", "cut.jpg")}
        codes = {key: error.code for key, error in errors.items() if error is not None}
        assert codes == {"text.jpg": "UnsupportedMediaType", "cut.jpg": "DamagedImage"}
        notices = ["image.ready a cat+.jpg", "image.rejected cut.jpg", "image.rejected text.jpg"]
        assert stack.announced() == notices
        stack.put("a cat+.jpg", pictures.png())
        stack.deliver(api)
        assert record(records, "a cat+.jpg").facts["format"] == "png"
        assert stack.announced() == ["image.ready a cat+.jpg"]
        stack.delete("a cat+.jpg")
        stack.deliver(api)
        assert stack.variants() == set()
        assert record(records, "a cat+.jpg").status == "deleted"
        assert stack.announced() == ["image.deleted a cat+.jpg"]


def test_a_function_that_is_killed_gets_its_messages_again(stack: Stack, records: Records) -> None:
    keys = [f"{number}.jpg" for number in range(4)]
    for key in keys:
        stack.put(key, pictures.jpeg(pictures.scene(1600, 1200)))
    with runtime_api() as api:
        with lambda_process(api, stack.environment) as process:
            api.send({"Records": stack.receive()})
            while not any(records.get(record_id("photos", key)) for key in keys):
                assert process.poll() is None
            process.kill()
        with lambda_process(api, stack.environment):
            stack.deliver(api)
    assert {record(records, key).status for key in keys} == {"ready"}
    assert stack.variants() == {f"{preset}/photos/{key}" for preset in ("thumb", "large") for key in keys}
    assert stack.announced() == sorted(f"image.ready {key}" for key in keys)


def test_a_failure_ends_in_the_dead_letter_queue_and_in_the_record(stack: Stack, records: Records) -> None:
    """The output bucket does not exist at first."""
    stack.put("cat.jpg", pictures.jpeg())
    with runtime_api() as api, lambda_process(api, {**stack.environment, "OUTPUT_BUCKET": "no-such-bucket"}):
        stack.deliver(api)
    failed = record(records, "cat.jpg")
    assert failed.error is not None
    assert (failed.status, failed.error.attempts) == ("failed", ATTEMPTS)
    assert stack.announced() == ["image.failed cat.jpg"]
    dead = stack.moto.client("sqs").receive_message(QueueUrl=stack.dead, AttributeNames=["All"])["Messages"]
    assert len(dead) == 1
    with runtime_api() as api, lambda_process(api, stack.environment):
        message = {"messageId": "m1", "body": stack._with_sequencer(dead[0]), "eventSource": "aws:sqs"}
        redriven = {**message, "attributes": {"ApproximateReceiveCount": "1"}}
        assert api.invoke({"Records": [redriven]}).json() == {"batchItemFailures": []}
        assert record(records, "cat.jpg").status == "ready"
        assert stack.announced() == ["image.ready cat.jpg"]
        assert api.invoke({"task": "sweep"}).json() == {"swept": 0}

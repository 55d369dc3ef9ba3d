"""A queue of SQS, or of a service with the same API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from handler.aws import AwsAccess
from handler.aws.queue_address import QueueAddress
from handler.aws.sdk import sdk_client, sdk_errors

MAX_BATCH = 10
"""Messages in one request, by SQS's limit."""
_READ_SECONDS = 10.0
"""Time for an answer, beside the seconds for which SQS itself waits for messages."""


class QueueMessage(msgspec.Struct, frozen=True):
    """A message that was received and not deleted yet."""

    id: str
    receipt: str
    body: str
    attributes: Mapping[str, str]
    """Those of SQS, such as `ApproximateReceiveCount`."""
    message_attributes: Mapping[str, Any]
    """Those of the sender, in the form of SQS's API."""

    @property
    def receive_count(self) -> int:
        """How often the message was received, this time included."""
        return int(self.attributes.get("ApproximateReceiveCount", 1))

    def as_record(self) -> dict[str, Any]:
        """Return the message as Lambda passes it to a function."""
        return {
            "messageId": self.id,
            "receiptHandle": self.receipt,
            "body": self.body,
            "attributes": dict(self.attributes),
            "messageAttributes": dict(self.message_attributes),
            "eventSource": "aws:sqs",
        }


class MoveTask(msgspec.Struct, frozen=True):
    """A task of SQS that moves the messages of a dead-letter queue back."""

    status: str
    """RUNNING, COMPLETED, CANCELLING, CANCELLED or FAILED."""
    moved: int
    to_move: int
    failure: str


class Queue:
    """A queue, by its URL. Every method may raise SdkError."""

    def __init__(self, url: str, aws: AwsAccess, wait_seconds: int = 0) -> None:
        """Receive calls wait up to `wait_seconds` for a message (long polling)."""
        self.url = url
        self._aws = aws
        self._wait = wait_seconds

    @property
    def is_amazons(self) -> bool:
        """Whether SQS itself serves the queue, not a compatible service."""
        return QueueAddress(self.url).is_amazons

    @cached_property
    def _client(self) -> Any:
        address = QueueAddress(self.url)
        with sdk_errors():
            return sdk_client(
                "sqs",
                self._aws,
                region=address.region(self._aws),
                endpoint=address.endpoint(self._aws),
                connect_timeout=5.0,
                read_timeout=self._wait + _READ_SECONDS,
                attempts=3,
            )

    def receive(self, limit: int, visibility_seconds: int) -> list[QueueMessage]:
        """Return up to `limit` messages, which no other call returns for `visibility_seconds`."""
        with sdk_errors():
            answer = self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=min(limit, MAX_BATCH),
                WaitTimeSeconds=self._wait,
                VisibilityTimeout=visibility_seconds,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            return [
                QueueMessage(
                    message["MessageId"],
                    message["ReceiptHandle"],
                    message["Body"],
                    message.get("Attributes", {}),
                    message.get("MessageAttributes", {}),
                )
                for message in answer.get("Messages", ())
            ]

    def delete(self, message: QueueMessage) -> None:
        """Delete a message that was processed."""
        with sdk_errors():
            self._client.delete_message(QueueUrl=self.url, ReceiptHandle=message.receipt)

    def hide(self, messages: Sequence[QueueMessage], seconds: int) -> None:
        """Hide these messages from every other call for so many seconds from now; 0 returns them to the queue at once.

        Those that another worker has received or deleted in the meantime stay as they are.
        """
        for start in range(0, len(messages), MAX_BATCH):
            entries = [
                {"Id": str(index), "ReceiptHandle": message.receipt, "VisibilityTimeout": seconds}
                for index, message in enumerate(messages[start : start + MAX_BATCH])
            ]
            with sdk_errors():
                self._client.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)

    def send(self, message: QueueMessage) -> None:
        """Send a copy of a message that another queue held."""
        attributes = {
            name: {key: value for key, value in attribute.items() if key in ("DataType", "StringValue", "BinaryValue")}
            for name, attribute in message.message_attributes.items()
        }
        with sdk_errors():
            self._client.send_message(QueueUrl=self.url, MessageBody=message.body, MessageAttributes=attributes)

    def count(self) -> tuple[int, int]:
        """Return about how many messages can be received, and how many are received and not deleted."""
        found = self._attributes("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return int(found["ApproximateNumberOfMessages"]), int(found["ApproximateNumberOfMessagesNotVisible"])

    def max_receive_count(self) -> int | None:
        """Return after how many attempts a message moves to the dead-letter queue, None if there is no such queue."""
        policy = self._attributes("RedrivePolicy").get("RedrivePolicy")
        return int(json.loads(policy)["maxReceiveCount"]) if policy else None

    def arn(self) -> str:
        """Return the ARN of the queue."""
        return self._attributes("QueueArn")["QueueArn"]

    def _attributes(self, *names: str) -> dict[str, str]:
        with sdk_errors():
            answer = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=list(names))
            return dict(answer.get("Attributes", {}))

    def sources(self) -> Iterator[str]:
        """Yield the URLs of the queues whose failed messages this queue receives."""
        with sdk_errors():
            for page in self._client.get_paginator("list_dead_letter_source_queues").paginate(QueueUrl=self.url):
                yield from page.get("queueUrls", ())

    def start_move(self, per_second: int | None) -> None:
        """Start a task that moves all messages of this dead-letter queue back to the queues that they came from."""
        limit = {"MaxNumberOfMessagesPerSecond": per_second} if per_second else {}
        arn = self.arn()
        with sdk_errors():
            self._client.start_message_move_task(SourceArn=arn, **limit)

    def move_task(self) -> MoveTask | None:
        """Return the latest task that moves messages of this queue, None if there was none."""
        arn = self.arn()
        with sdk_errors():
            for task in self._client.list_message_move_tasks(SourceArn=arn, MaxResults=1).get("Results", ()):
                return MoveTask(
                    task["Status"],
                    int(task.get("ApproximateNumberOfMessagesMoved", 0)),
                    int(task.get("ApproximateNumberOfMessagesToMove", 0)),
                    task.get("FailureReason", ""),
                )
        return None

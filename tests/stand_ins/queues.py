"""Queues of moto, for tests that send and receive messages."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

from tests.stand_ins.moto import Moto


class TestQueue:
    """A new queue."""

    __test__ = False

    def __init__(self, moto: Moto, **attributes: str) -> None:
        self.sqs = moto.client("sqs")
        name = f"q-{uuid.uuid4().hex}" + (".fifo" if attributes.get("FifoQueue") else "")
        self.url = str(self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    @property
    def arn(self) -> str:
        return self._attribute("QueueArn")

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def bodies(self) -> list[str]:
        """Receive and delete all visible messages."""
        return [*self._bodies()]

    def json(self) -> list[Any]:
        return [json.loads(body) for body in self._bodies()]

    def _bodies(self) -> Iterator[str]:
        while found := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                yield message["Body"]

    @property
    def visible(self) -> int:
        return int(self._attribute("ApproximateNumberOfMessages"))

    @property
    def hidden(self) -> int:
        return int(self._attribute("ApproximateNumberOfMessagesNotVisible"))

    @property
    def left(self) -> int:
        """Messages, visible or not, counted in one call: between two of them a message may become visible."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def _attribute(self, name: str) -> str:
        return str(self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])["Attributes"][name])


def with_dead_letters(moto: Moto, max_receive_count: int = 1) -> tuple[TestQueue, TestQueue]:
    """Return a queue and its dead-letter queue."""
    dead = TestQueue(moto)
    policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": max_receive_count}
    return TestQueue(moto, RedrivePolicy=json.dumps(policy)), dead


def topic_of(moto: Moto, queue: TestQueue, policy: dict[str, list[str]] | None = None, **attributes: str) -> str:
    """Return the ARN of a new SNS topic to which a queue is subscribed."""
    sns = moto.client("sns")
    name = f"t-{uuid.uuid4().hex}" + (".fifo" if attributes else "")
    arn = str(sns.create_topic(Name=name, Attributes=attributes)["TopicArn"])
    filters = {"FilterPolicy": json.dumps(policy)} if policy else {}
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue.arn, Attributes=filters)
    return arn

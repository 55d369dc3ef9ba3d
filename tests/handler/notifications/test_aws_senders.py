"""SNS and EventBridge: what their subscribers receive, seen through queues."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest
from tests.handler.notifications.notices import notice
from tests.stand_ins.moto import REGION, Moto
from tests.stand_ins.queues import TestQueue, topic_of
from tests.stand_ins.scripted_http import Reply, scripted_server

from handler.aws import AwsAccess, Credentials
from handler.notifications.eventbridge import EventBus
from handler.notifications.payload import MAX_BYTES, message_of
from handler.notifications.sender import Sender, SendError
from handler.notifications.sns import SnsTopic

MESSAGE = message_of(notice("urlaub/strand über.jpg"))


def test_a_subscriber_of_the_topic_receives_the_notice(moto: Moto) -> None:
    queue = TestQueue(moto)
    SnsTopic(topic_of(moto, queue), moto.access).send(MESSAGE, 5)
    (received,) = queue.json()
    assert json.loads(received["Message"]) == json.loads(MESSAGE.body)
    assert received["Subject"] == "image.ready: urlaub/strand ?ber.jpg"
    assert received["MessageAttributes"]["source"] == {"Type": "String", "Value": "photos"}


def test_a_subscriber_can_choose_by_type(moto: Moto) -> None:
    queue = TestQueue(moto)
    arn = topic_of(moto, queue, {"type": ["image.failed", "image.rejected"]})
    for status in ("ready", "failed"):
        SnsTopic(arn, moto.access).send(message_of(notice(status=status)), 5)
    assert [json.loads(received["Message"])["type"] for received in queue.json()] == ["image.failed"]


def test_a_fifo_topic_ignores_a_repetition(moto: Moto) -> None:
    queue = TestQueue(moto, FifoQueue="true")
    arn = topic_of(moto, queue, FifoTopic="true")
    for _ in range(2):
        SnsTopic(arn, moto.access).send(MESSAGE, 5)
    assert len(queue.json()) == 1


def test_a_rule_on_the_bus_receives_the_notice(moto: Moto) -> None:
    queue, events, name = TestQueue(moto), moto.client("events"), f"bus-{uuid.uuid4().hex}"
    arn = events.create_event_bus(Name=name)["EventBusArn"]
    pattern = {"source": ["image-handler"], "detail-type": ["image.ready"], "detail": {"data": {"source": ["photos"]}}}
    events.put_rule(Name="r", EventBusName=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule="r", EventBusName=name, Targets=[{"Id": "q", "Arn": queue.arn}])
    for bus in (name, arn):
        EventBus(bus, moto.access).send(MESSAGE, 5)
    EventBus(name, moto.access).send(message_of(notice(status="deleted")), 5)
    first, second = queue.json()
    assert first["detail"] == second["detail"] == json.loads(MESSAGE.body)
    assert (first["source"], first["detail-type"], first["time"]) == (
        "image-handler",
        "image.ready",
        "2026-11-29T12:00:00Z",
    )


def test_the_largest_notice_is_accepted(moto: Moto) -> None:
    queue = TestQueue(moto)
    message = message_of(notice("x" * 1024, facts={"a": "é" * 100_000, "b": '"' * 60_000}))
    assert len(message.body) <= MAX_BYTES
    SnsTopic(topic_of(moto, queue), moto.access).send(message, 5)
    EventBus("default", moto.access).send(message, 5)
    assert len(queue.json()) == 1


def test_a_missing_topic_is_a_failure(moto: Moto) -> None:
    with pytest.raises(SendError, match="sns answers 404"):
        SnsTopic(f"arn:aws:sns:{REGION}:123456789012:missing", moto.access).send(MESSAGE, 5)


SENDERS: dict[str, Callable[[AwsAccess], Sender]] = {
    "sns": lambda access: SnsTopic(f"arn:aws:sns:{REGION}:123456789012:t", access),
    "events": lambda access: EventBus("default", access),
}


@pytest.mark.parametrize("service", SENDERS)
@pytest.mark.parametrize(
    "reply", [Reply(500, b"no"), Reply(400, b"no"), Reply(before=2)], ids=["error", "refusal", "timeout"]
)
def test_every_other_answer_is_a_failure(service: str, reply: Reply) -> None:
    with scripted_server(lambda _: reply) as server:
        access = AwsAccess(region=REGION, endpoint_url=server.url, credentials=Credentials("AKID", "secret"))
        with pytest.raises(SendError, match=service):
            SENDERS[service](access).send(MESSAGE, 0.2)


@pytest.mark.parametrize(
    "body", [b'{"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}', b"<html>", b"{}"]
)
def test_eventbridge_may_refuse_an_event_with_status_200(body: bytes) -> None:
    with scripted_server(lambda _: Reply(200, body)) as server:
        access = AwsAccess(region=REGION, endpoint_url=server.url, credentials=Credentials("AKID", "secret"))
        with pytest.raises(SendError, match="EventBridge"):
            EventBus("default", access).send(MESSAGE, 5)


def test_each_service_has_an_endpoint_of_its_own() -> None:
    access = AwsAccess(
        region=REGION, endpoint_url_sns="https://sns.example", endpoint_url_eventbridge="https://bus.example"
    )
    assert access.endpoint("sns", REGION) == "https://sns.example"
    assert access.endpoint("events", REGION) == "https://bus.example"
    everywhere = AwsAccess(region=REGION, endpoint_url="https://all.example")
    assert everywhere.endpoint("sns", REGION) == "https://all.example"
    assert AwsAccess().endpoint("events", "cn-north-1") == "https://events.cn-north-1.amazonaws.com.cn"

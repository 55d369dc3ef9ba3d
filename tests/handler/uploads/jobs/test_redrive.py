"""`image-handler redrive`: failed messages go back to their queue, none is lost and none moves in a circle."""

from __future__ import annotations

import json
import uuid

import pytest
from click.testing import CliRunner, Result
from tests.stand_ins.moto import REGION, Moto
from tests.stand_ins.queues import TestQueue, with_dead_letters
from tests.stand_ins.scripted_http import ParsedRequest, Reply, scripted_server

from handler.aws import AwsAccess, Credentials
from handler.aws.sdk import SdkError
from handler.aws.sqs import Queue
from handler.cli.commands import group
from handler.core.errors import BadRequest
from handler.uploads.jobs.redrive import Redriven, move_by_hand, move_by_task


def run(moto: Moto, *arguments: str) -> Result:
    environment = {
        "AWS_ENDPOINT_URL": moto.url,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    return CliRunner().invoke(group, ["redrive", *arguments], env=environment)


def test_all_messages_return_to_the_queue_that_they_came_from(moto: Moto) -> None:
    queue, dead = with_dead_letters(moto)
    dead.send(*(f"message {number}" for number in range(23)))
    result = run(moto, "--queue", dead.url)
    assert result.exit_code == 0, result.output
    assert "holds about 23 messages" in result.output
    assert "23 of about 23 messages moved" in result.output
    assert sorted(queue.bodies()) == sorted(f"message {number}" for number in range(23))
    assert (dead.visible, dead.hidden) == (0, 0)


def test_a_dry_run_moves_nothing(moto: Moto) -> None:
    queue, dead = with_dead_letters(moto)
    dead.send("a", "b")
    result = run(moto, "--queue", dead.url, "--dry-run")
    assert (result.exit_code, queue.visible, dead.visible) == (0, 0, 2)
    assert "holds about 2 messages" in result.output


def test_a_limit_and_a_rate(moto: Moto) -> None:
    queue, dead = with_dead_letters(moto)
    dead.send(*"abcd")
    result = run(moto, "--queue", dead.url, "--limit", "3", "--rate", "500")
    assert "Done: 3 messages moved" in result.output
    assert (len(queue.bodies()), dead.visible) == (3, 1)


def test_the_queue_of_a_stack(moto: Moto) -> None:
    name = f"stack-{uuid.uuid4().hex}"
    template = {
        "Resources": {
            "Dead": {"Type": "AWS::SQS::Queue"},
            "Uploads": {
                "Type": "AWS::SQS::Queue",
                "Properties": {
                    "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 5}
                },
            },
        },
        "Outputs": {"FailedUploadsUrl": {"Value": {"Ref": "Dead"}}},
    }
    moto.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))
    assert "holds about 0 messages" in run(moto, "--stack", name, "--dry-run").output
    result = run(moto, "--stack", "missing")
    assert result.exit_code == 1
    assert "missing" in result.output


@pytest.mark.parametrize("arguments", [(), ("--queue", "http://localhost/1/a", "--stack", "b")])
def test_exactly_one_queue_is_named(moto: Moto, arguments: tuple[str, ...]) -> None:
    result = run(moto, *arguments)
    assert result.exit_code == 2
    assert "--queue URL or with --stack NAME" in result.output


def test_without_a_source_queue_the_target_must_be_named(moto: Moto) -> None:
    lonely, target = TestQueue(moto), TestQueue(moto)
    lonely.send("a")
    result = run(moto, "--queue", lonely.url)
    assert result.exit_code == 2
    assert "--to URL" in result.output
    assert run(moto, "--queue", lonely.url, "--to", target.url).exit_code == 0
    assert target.bodies() == ["a"]


def test_a_message_is_deleted_only_after_it_was_sent(moto: Moto) -> None:
    dead = TestQueue(moto)
    dead.send("a")
    nowhere = Queue(f"{moto.url}/123456789012/missing", moto.access)
    with pytest.raises(SdkError):
        list(move_by_hand(Queue(dead.url, moto.access), nowhere, limit=None, per_second=None))
    assert (dead.visible, dead.hidden) == (0, 1)


def test_message_attributes_are_kept_and_messages_that_arrive_meanwhile_stay(moto: Moto) -> None:
    dead, target = TestQueue(moto), TestQueue(moto)
    attributes = {"kind": {"DataType": "String", "StringValue": "created"}}
    dead.sqs.send_message(QueueUrl=dead.url, MessageBody="a", MessageAttributes=attributes)

    class Returning(Queue):
        """Its consumer fails at once."""

        def send(self, message: object) -> None:
            super().send(message)  # type: ignore[arg-type]  # it is a QueueMessage
            dead.send("failed again")

    steps = move_by_hand(Queue(dead.url, moto.access), Returning(target.url, moto.access), limit=None, per_second=None)
    assert [*steps] == [Redriven(1, 1)]
    (moved,) = target.sqs.receive_message(QueueUrl=target.url, MessageAttributeNames=["All"])["Messages"]
    assert moved["MessageAttributes"] == attributes
    assert dead.bodies() == ["failed again"]


class FakeSqs:
    """The part of SQS that moves messages by itself, which moto does not have."""

    def __init__(self, *tasks: dict[str, object]) -> None:
        self.tasks = iter(tasks)
        self.started: dict[str, object] = {}

    def answer(self, request: ParsedRequest) -> Reply:
        content = json.loads(request.body)
        arn = f"arn:aws:sqs:{REGION}:1:dead"
        match request.headers["x-amz-target"].removeprefix("AmazonSQS."):
            case "GetQueueAttributes":
                counts = {"ApproximateNumberOfMessages": "7", "ApproximateNumberOfMessagesNotVisible": "0"}
                reply: dict[str, object] = {"Attributes": {"QueueArn": arn, **counts}}
            case "StartMessageMoveTask":
                self.started, reply = content, {"TaskHandle": "handle"}
            case "ListMessageMoveTasks":
                assert content["SourceArn"] == arn
                task = next(self.tasks, None)
                reply = {"Results": [task] if task else []}
            case other:
                raise AssertionError(other)
        return Reply(200, json.dumps(reply).encode(), {"Content-Type": "application/x-amz-json-1.0"})


def task(status: str, moved: int) -> dict[str, object]:
    return {"Status": status, "ApproximateNumberOfMessagesMoved": moved, "ApproximateNumberOfMessagesToMove": 7}


def test_sqs_moves_the_messages_of_its_own_queues_by_itself() -> None:
    fake = FakeSqs(task("RUNNING", 3), task("COMPLETED", 7))
    with scripted_server(fake.answer) as server:
        environment = {
            "AWS_ENDPOINT_URL_SQS": server.url, "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret",
        }  # fmt: skip
        url = f"https://sqs.{REGION}.amazonaws.com/1/dead"
        result = CliRunner().invoke(group, ["redrive", "--queue", url, "--rate", "50"], env=environment)
    assert result.exit_code == 0, result.output
    assert fake.started == {"SourceArn": f"arn:aws:sqs:{REGION}:1:dead", "MaxNumberOfMessagesPerSecond": 50}
    assert [line for line in result.output.splitlines() if "moved" in line] == [
        "3 of about 7 messages moved",
        "7 of about 7 messages moved",
        "Done: 7 messages moved",
    ]


def test_a_move_that_sqs_ends_early_is_a_failure() -> None:
    with scripted_server(FakeSqs(task("FAILED", 3)).answer) as server:
        access = AwsAccess(endpoint_url_sqs=server.url, credentials=Credentials("AKID", "secret"))
        queue = Queue(f"https://sqs.{REGION}.amazonaws.com/1/dead", access)
        with pytest.raises(BadRequest, match="FAILED"):
            list(move_by_task(queue, None, lambda _: None))

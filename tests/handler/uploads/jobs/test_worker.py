"""The worker of a queue: with moto's SQS, through the command and in this process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests import pictures
from tests.stand_ins.moto import REGION, Moto
from tests.stand_ins.queues import TestQueue, topic_of, with_dead_letters
from tests.stand_ins.scripted_http import Reply, scripted_server

from handler.aws import AwsAccess, Credentials
from handler.aws.sdk import SdkRefusal
from handler.aws.sqs import Queue, QueueMessage
from handler.records import open_records
from handler.records.record import record_id
from handler.records.store import RecordFilter
from handler.uploads.jobs.worker import Worker, WorkerOptions, retry_seconds

ROOT = Path(__file__).parents[4]
EVENT = json.loads((ROOT / "tests/events/s3-put.json").read_text("utf-8"))
PRESETS = '{"thumb": {"resize": {"width": 40}, "toFormat": "webp"}}'


def s3_event(bucket: str, key: str, sequencer: str = "0A") -> str:
    (record,) = EVENT["Records"]
    details = {"bucket": {"name": bucket}, "object": {"key": key, "sequencer": sequencer, "eTag": "e", "size": 1}}
    return json.dumps({"Records": [{**record, "s3": {**record["s3"], **details}}]})


def wait_until(condition: Callable[[], bool], seconds: float = 300) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "the condition does not become true"
        time.sleep(0.05)


@contextmanager
def worker_process(queue: TestQueue, environment: Mapping[str, str], *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", "from handler.cli import main; main()", "worker", "--queue", queue.url, *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src"), **environment},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def settings(moto: Moto, source: str, output: str, **more: str) -> dict[str, str]:
    return {
        "SOURCE_BUCKETS": source, "OUTPUT_BUCKET": output, "PRESETS": PRESETS, "UPLOAD_PRESETS": "thumb",
        "AWS_ENDPOINT_URL": moto.url, "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret", **more,
    }  # fmt: skip


def keys(moto: Moto, bucket: str) -> set[str]:
    return {entry["Key"] for entry in moto.s3.list_objects_v2(Bucket=bucket).get("Contents", ())}


def test_the_command_processes_a_queue_and_ends_at_sigterm(moto: Moto) -> None:
    names = [f"{number}.jpg" for number in range(4)]
    source, output = moto.bucket(**{name: pictures.jpeg() for name in names}), moto.bucket()
    queue, dead = with_dead_letters(moto, 5)
    queue.send(*(s3_event(source, name) for name in names), "not an event")
    environment = settings(moto, source, output, UPLOAD_MAX_ATTEMPTS="3")
    with worker_process(queue, environment, "--jobs", "2", "--wait", "1") as process:
        wait_until(lambda: queue.visible == 0 and queue.hidden == 1 and len(keys(moto, output)) == 4)
        process.send_signal(signal.SIGTERM)
        log, _ = process.communicate(timeout=60)
    assert process.returncode == 0, log
    assert "4 messages processed, 1 failed" in log
    assert "UPLOAD_MAX_ATTEMPTS is 3, and the queue's maxReceiveCount 5" in log
    assert keys(moto, output) == {f"thumb/{source}/{name}" for name in names}
    assert dead.visible == 0


def test_each_final_state_is_announced_once(moto: Moto, tmp_path: Path) -> None:
    source, output = moto.bucket(**{"cat.jpg": pictures.jpeg(), "text.jpg": b"not an image"}), moto.bucket()
    uploads, notices = TestQueue(moto), TestQueue(moto)
    topic = topic_of(moto, notices)
    events = [s3_event(source, "cat.jpg", "0A"), s3_event(source, "text.jpg", "0B")]
    deleted = s3_event(source, "cat.jpg", "0C").replace("ObjectCreated:Put", "ObjectRemoved:Delete")
    environment = settings(moto, source, output, RECORDS=f"sqlite:///{tmp_path}/records.db", NOTIFICATION_TOPIC=topic)
    with worker_process(uploads, environment, "--jobs", "3", "--wait", "1"):
        uploads.send(*events, *events)
        wait_until(lambda: uploads.left == 0 and notices.visible == 2)
        # A message of the operator API has the variant rendered again, which is announced already.
        variant = f"thumb/{source}/cat.jpg"
        moto.s3.delete_object(Bucket=output, Key=variant)
        uploads.send(json.dumps({"task": "reprocess", "records": [record_id(source, "cat.jpg")]}))
        wait_until(lambda: uploads.left == 0 and variant in keys(moto, output))
        assert notices.visible == 2
        uploads.send(*events, deleted, deleted)
        wait_until(lambda: uploads.left == 0 and notices.visible == 3)
    received = [json.loads(message["Message"]) for message in notices.json()]
    assert sorted((notice["type"], notice["data"]["key"]) for notice in received) == [
        ("image.deleted", "cat.jpg"),
        ("image.ready", "cat.jpg"),
        ("image.rejected", "text.jpg"),
    ]
    (rejected,) = [notice["data"] for notice in received if notice["type"] == "image.rejected"]
    assert rejected["error"]["code"]
    assert "got something else" in rejected["error"]["message"]
    (ready,) = [notice["data"] for notice in received if notice["type"] == "image.ready"]
    assert [variant["key"] for variant in ready["variants"]] == [f"thumb/{source}/cat.jpg"]


@pytest.mark.slow
def test_what_a_killed_worker_has_left_is_processed_by_the_next_one(moto: Moto, tmp_path: Path) -> None:
    names = [f"{number}.jpg" for number in range(20)]
    source, output = moto.bucket(**{name: pictures.jpeg() for name in names}), moto.bucket()
    queue, dead = with_dead_letters(moto, 9)
    queue.send(*(s3_event(source, name) for name in names))
    environment = settings(moto, source, output, RECORDS=f"sqlite:///{tmp_path}/records.db")
    options = ("--jobs", "2", "--wait", "1", "--visibility", "3")
    for done in (3, 9):
        with worker_process(queue, environment, *options) as process:
            wait_until(lambda: len(keys(moto, output)) >= done)  # noqa: B023 - called before `done` changes
            process.kill()
    with worker_process(queue, environment, *options) as process:
        wait_until(lambda: queue.left == 0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    records = open_records(environment["RECORDS"], AwsAccess())
    found = records.page(RecordFilter(), "", 100).records
    records.close()
    assert {(record.key, record.status, len(record.variants)) for record in found} == {
        (name, "ready", 1) for name in names
    }
    assert (len(keys(moto, output)), dead.visible) == (20, 0)


def test_the_command_answers_probes(moto: Moto) -> None:
    import urllib.request

    queue = TestQueue(moto)
    port = free_port()
    environment = settings(moto, moto.bucket(), moto.bucket())  # no dead-letter queue: a warning
    with worker_process(queue, environment, "--wait", "1", "--health", f"127.0.0.1:{port}") as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("Processing"):
                break
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_health", timeout=30) as answer:
            assert json.load(answer) == {"status": "ok"}
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_ready", timeout=30) as answer:
            assert json.load(answer) == {"status": "ready"}
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_metrics", timeout=30) as answer:
            metrics = answer.read()
        assert b"image_handler_worker_in_flight 0\n" in metrics
        assert b"image_handler_worker_notices_given_up_total 0\n" in metrics


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--health", "8081"), "must be HOST:PORT"),
        (("--queue", "uploads"), "must be the URL of a queue"),
        (("--jobs", "0"), "--jobs"),
    ],
)
def test_invalid_options_are_refused(moto: Moto, options: Sequence[str], message: str) -> None:
    from click.testing import CliRunner

    from handler.cli.commands import group

    result = CliRunner().invoke(group, ["worker", "--queue", "http://localhost/1/q", *options])
    assert result.exit_code == 2
    assert message in result.output


class CountingQueue(Queue):
    """A queue that remembers for how long its messages were hidden."""

    def __init__(self, url: str, aws: AwsAccess) -> None:
        super().__init__(url, aws)
        self.hidden: list[tuple[str, int]] = []
        self.limits: list[int] = []

    def hide(self, messages: Sequence[QueueMessage], seconds: int) -> None:
        self.hidden += [(message.body, seconds) for message in messages]
        super().hide(messages, seconds)

    def receive(self, limit: int, visibility_seconds: int) -> list[QueueMessage]:
        self.limits.append(limit)
        time.sleep(0.02)  # moto does not wait for messages
        return super().receive(limit, visibility_seconds)


Handle = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Running:
    """A worker on a thread of its own."""

    def __init__(self, moto: Moto, queue: TestQueue, handle: Handle, **options: Any) -> None:
        self.queue = CountingQueue(queue.url, moto.access)
        self.worker = Worker(self.queue, handle, WorkerOptions(**options))
        self.finished: list[bool] = []
        self._thread = threading.Thread(target=lambda: self.finished.append(self.worker.run()))
        self._thread.start()

    def stop(self) -> bool:
        self.worker.stop()
        self._thread.join(60)
        return self.finished[0]


def body_of(event: Mapping[str, Any]) -> str:
    (record,) = event["Records"]
    assert record["eventSource"] == "aws:sqs"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    return str(record["body"])


def test_a_failed_message_is_left_to_the_queue_and_the_others_are_deleted(moto: Moto) -> None:
    queue = TestQueue(moto)
    queue.send("a", "raises", "fails", "b")

    def handle(event: Mapping[str, Any]) -> Mapping[str, Any]:
        body = body_of(event)
        if body == "raises":
            raise RuntimeError("out of order")
        return {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}] if body == "fails" else []}

    running = Running(moto, queue, handle, jobs=4)
    wait_until(lambda: running.worker.counts.processed == 2 and running.worker.counts.failed == 2)
    assert running.stop()
    assert (queue.visible, queue.hidden) == (0, 2)
    assert sorted(running.queue.hidden) == [("fails", 10), ("raises", 10)]


def test_no_more_messages_are_received_than_can_be_processed(moto: Moto) -> None:
    queue = TestQueue(moto)
    queue.send(*map(str, range(12)))
    active, peaks, lock = [0], [0], threading.Lock()

    def handle(event: Mapping[str, Any]) -> Mapping[str, Any]:
        with lock:
            active[0] += 1
            peaks.append(active[0])
        time.sleep(0.02)
        with lock:
            active[0] -= 1
        return {"batchItemFailures": []}

    running = Running(moto, queue, handle, jobs=3)
    wait_until(lambda: running.worker.counts.processed == 12)
    assert running.stop()
    assert max(peaks) <= 3
    assert set(running.queue.limits) <= {1, 2, 3}


def test_a_message_stays_hidden_while_it_is_processed(moto: Moto) -> None:
    queue, release = TestQueue(moto), threading.Event()
    queue.send("long")

    def handle(event: Mapping[str, Any]) -> Mapping[str, Any]:
        release.wait(60)
        return {"batchItemFailures": []}

    running = Running(moto, queue, handle, jobs=1, visibility=6)
    wait_until(lambda: len(running.queue.hidden) >= 2)
    assert set(running.queue.hidden) == {("long", 6)}
    release.set()
    assert running.stop()
    assert (queue.visible, queue.hidden, running.worker.counts.processed) == (0, 0, 1)


def test_a_stop_waits_for_what_is_being_processed(moto: Moto) -> None:
    queue, begun, release = TestQueue(moto), threading.Event(), threading.Event()
    queue.send("a")

    def handle(event: Mapping[str, Any]) -> Mapping[str, Any]:
        begun.set()
        release.wait(60)
        return {"batchItemFailures": []}

    running = Running(moto, queue, handle, jobs=2)
    assert begun.wait(60)
    running.worker.stop()
    queue.send("after the stop")
    release.set()
    assert running.stop()
    assert running.worker.counts.processed == 1
    assert queue.bodies() == ["after the stop"]


def test_what_does_not_end_in_time_is_returned_to_the_queue(moto: Moto) -> None:
    queue, begun, release = TestQueue(moto), threading.Event(), threading.Event()
    queue.send("endless")

    def handle(event: Mapping[str, Any]) -> Mapping[str, Any]:
        begun.set()
        release.wait(60)
        return {"batchItemFailures": []}

    running = Running(moto, queue, handle, jobs=1, grace=0.0)
    assert begun.wait(60)
    assert not running.stop()
    release.set()
    assert running.queue.hidden == [("endless", 0)]


def test_a_queue_that_does_not_answer_is_asked_again() -> None:
    empty = Reply(200, b"{}", {"Content-Type": "application/x-amz-json-1.0"})
    replies = iter([Reply(500, b"{}")] * 3)
    with scripted_server(lambda _: next(replies, empty)) as server:
        access = AwsAccess(region=REGION, credentials=Credentials("AKID", "secret"))
        worker = Worker(Queue(f"{server.url}/1/q", access), lambda _: {}, WorkerOptions())
        thread = threading.Thread(target=worker.run)
        thread.start()
        wait_until(lambda: len(server.asked) > 4)
        worker.stop()
        thread.join(60)
    assert not thread.is_alive()
    assert worker.counts.errors >= 1


def test_a_queue_that_does_not_exist_ends_the_worker_at_once(moto: Moto) -> None:
    queue = Queue(f"{moto.url}/123456789012/missing", moto.access)
    with pytest.raises(SdkRefusal, match="NonExistentQueue"):
        Worker(queue, lambda _: {}, WorkerOptions()).run()


def test_a_busy_worker_is_active_as_long_as_a_message_may_take(moto: Moto) -> None:
    queue, begun, release = TestQueue(moto), threading.Event(), threading.Event()
    queue.send("long")

    def handle(event: Mapping[str, Any]) -> Mapping[str, Any]:
        begun.set()
        release.wait(60)
        return {"batchItemFailures": []}

    running = Running(moto, queue, handle, jobs=1)
    assert begun.wait(60)
    wait_until(lambda: not running.worker.is_active(0.2))
    assert running.worker.is_active(3600)
    release.set()
    assert running.stop()


def test_sweeps_run_from_time_to_time_and_may_fail(moto: Moto) -> None:
    queue, events = TestQueue(moto), []
    queue.send("a")

    def handle(event: Mapping[str, Any]) -> Mapping[str, Any]:
        events.append(event)
        if "task" in event:
            raise RuntimeError("the database is down")
        return {"batchItemFailures": []}

    running = Running(moto, queue, handle, jobs=1, sweep=0.05)
    wait_until(lambda: events.count({"task": "sweep"}) >= 2 and running.worker.counts.processed == 1)
    assert running.stop()


def test_the_pause_after_a_failure_grows() -> None:
    assert [retry_seconds(count) for count in (1, 2, 3, 5, 8, 1000)] == [10, 20, 40, 160, 900, 900]

"""Uploads: every form of event and of answer, from S3's and EventBridge's to batches of messages and jobs."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pyvips
from tests.client import Client
from tests.handler.uploads.studio import Studio, shade_of
from tests.stand_ins.moto import Moto

from handler.core.errors import BadRequest, Forbidden, HandlerError, UpstreamError
from handler.entrypoints.uploads.entrypoint import UploadEntrypoint
from handler.entrypoints.uploads.events import ObjectChange, changes_in, is_upload_event
from handler.storage.sources import read_locations, source_of
from handler.uploads.copies import CopyPurge
from handler.uploads.recovery import Sweep
from imaging import Deadline, ObjectRef

EVENTS = Path(__file__).parents[2] / "events"
CAFE = ObjectChange("photos", "café/a b+100%.jpg", "0055AED6DCD90281E5")
OTHERS = ("function-url", "http-api-2.0", "http-api-1.0", "rest-api")
PLACES = read_locations("photos,shop=s3://shop-bucket/media")


def event_of(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
    return event


def s3_event(
    sequencer: str, key: str = "cat.jpg", bucket: str = "photos", name: str = "ObjectCreated:Put", **more: str
) -> dict[str, Any]:
    facts = {"bucket": {"name": bucket}, "object": {"key": key, "size": 3, "sequencer": sequencer, **more}}
    return {"Records": [{"eventSource": "aws:s3", "eventName": name, "s3": facts}]}


def batch_of(*events: object, count: int = 1) -> dict[str, Any]:
    bodies = [event if isinstance(event, str) else json.dumps(event) for event in events]
    return {
        "Records": [
            {"messageId": f"m{n}", "eventSource": "aws:sqs", "body": body,
             "attributes": {"ApproximateReceiveCount": str(count)}}
            for n, body in enumerate(bodies)
        ]
    }  # fmt: skip


def entrypoint(studio: Studio, output_bucket: str = "out") -> UploadEntrypoint:
    return UploadEntrypoint(
        pipeline=studio.pipeline,
        source_of=lambda bucket, key: source_of(bucket, key, PLACES),
        sweep=Sweep(studio.pipeline, timedelta(seconds=60)),
        output_bucket=output_bucket,
    )


def refused_in(answer: dict[str, object]) -> list[dict[str, str]]:
    refused = answer["refused"]
    assert isinstance(refused, list)
    return refused


@pytest.fixture
def studio() -> Studio:
    """Without a database: the sequencers of the variants alone order the events."""
    studio = Studio()
    studio.put(40, ObjectRef("photos", "cat.jpg"))
    studio.put(50, ObjectRef("photos", CAFE.key))
    return studio


@pytest.mark.parametrize("name", ["s3-put", "eventbridge-object-created", "sns-s3-put", "minio-put"])
def test_an_event_and_its_object(name: str, studio: Studio) -> None:
    assert is_upload_event(event_of(name))
    assert changes_in(event_of(name)) == [CAFE]
    assert entrypoint(studio).handle(event_of(name), Deadline()) == {
        "stored": [f"thumb/photos/{CAFE.key}", f"large/photos/{CAFE.key}"],
        "kept": [],
        "refused": [],
        "deleted": [],
    }
    body, attributes = studio.output.objects[f"thumb/photos/{CAFE.key}"]
    assert (shade_of(body), attributes.content_type, attributes.cache_control) == (50, "image/png", "max-age=60")
    assert attributes.metadata["sequencer"] == CAFE.sequencer.lstrip("0")
    assert len(attributes.metadata["cache-tag"]) == 32


@pytest.mark.parametrize("name", ["sqs-s3-put", "sqs-eventbridge-object-created", "sqs-sns-s3-put"])
def test_an_event_in_a_message(name: str, studio: Studio) -> None:
    assert is_upload_event(event_of(name))
    assert entrypoint(studio).handle(event_of(name), Deadline()) == {"batchItemFailures": []}
    assert sorted(studio.output.objects) == [f"large/photos/{CAFE.key}", f"thumb/photos/{CAFE.key}"]


@pytest.mark.parametrize("name", ["s3-test-event", "sqs-s3-test-event"])
def test_the_test_event_asks_for_nothing(name: str, studio: Studio) -> None:
    assert is_upload_event(event_of(name))
    entrypoint(studio).handle(event_of(name), Deadline())
    assert studio.output.objects == {}


@pytest.mark.parametrize("name", OTHERS)
def test_http_events_are_none_of_this(name: str) -> None:
    assert not is_upload_event(event_of(name))


@pytest.mark.parametrize(
    "event", [{}, {"imageKey": "cat.jpg"}, {"source": "aws.events", "detail-type": "Scheduled Event"}, {"task": "x"}]
)
def test_other_events_are_none_of_this(event: dict[str, Any]) -> None:
    assert not is_upload_event(event)


def with_record(**fields: object) -> dict[str, Any]:
    """Return S3's event with a second record, in which these fields are changed."""
    event = s3_event("1")
    return {"Records": [*event["Records"], {**event["Records"][0], **fields}]}


UNKNOWN_RECORDS = [
    {"Records": []},
    {"Records": None},
    {"Records": 5},
    {"Records": ["x"]},
    {"Records": [{}]},
    {"Records": {"eventSource": "aws:sqs"}},
    {"Records": [{"eventSource": "aws:dynamodb", "eventName": "INSERT", "dynamodb": {}}]},
    with_record(eventSource="aws:kinesis"),
    with_record(eventSource=None),
    with_record(eventName=3),
    with_record(s3={"bucket": {"name": "photos"}}),
    {"Records": [{"EventSource": "aws:sns", "Sns": {"Type": "SubscriptionConfirmation", "Message": "…"}}]},
    {"Records": [{"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": "no JSON"}}]},
    {"Records": [{"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": "[" * 10_000}}]},
    {"Records": [{"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": "[1]"}}]},
    {"Records": [{"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": 5}}]},
    {"Records": [{"EventSource": "aws:sns", "Sns": {}}]},
]


@pytest.mark.parametrize("event", UNKNOWN_RECORDS)
def test_records_that_are_not_of_an_upload_raise(event: dict[str, Any], tmp_path: Path) -> None:
    """An error object as an answer would count as success with S3, SNS and Lambda's asynchronous invocations."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    folders = {"SOURCE_BUCKETS": f"p=file://{tmp_path}/in", "OUTPUT_BUCKET": f"o=file://{tmp_path}/out"}
    client = Client({**folders, "PRESETS": '{"thumb": "width=20"}', "UPLOAD_PRESETS": "thumb"})
    with pytest.raises(BadRequest):
        client.invoke(event)


@pytest.mark.parametrize("event", UNKNOWN_RECORDS)
def test_a_message_that_is_not_of_an_upload_fails(event: dict[str, Any], studio: Studio) -> None:
    answer = entrypoint(studio).handle(batch_of(event, s3_event("1")), Deadline())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}


@pytest.mark.parametrize("raw", ["false", "true"])
def test_events_through_a_topic_and_a_queue(raw: str, moto: Moto, studio: Studio) -> None:
    """SNS puts the event into a notification of its own, unless raw delivery is switched on."""
    topic = moto.client("sns").create_topic(Name=f"uploads-{raw}")["TopicArn"]
    sqs = moto.client("sqs")
    queue = sqs.create_queue(QueueName=f"uploads-{raw}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    attributes = {"RawMessageDelivery": raw}
    moto.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    moto.client("sns").publish(TopicArn=topic, Message=json.dumps(event_of("s3-put")))
    body = sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"]
    assert ("Records" in json.loads(body)) == (raw == "true")
    assert entrypoint(studio).handle(batch_of(body), Deadline()) == {"batchItemFailures": []}
    assert sorted(studio.output.objects) == [f"large/photos/{CAFE.key}", f"thumb/photos/{CAFE.key}"]


@pytest.mark.parametrize("name", ["s3:ObjectCreated:CompleteMultipartUpload", "ObjectCreated:Put"])
@pytest.mark.parametrize("store", ["minio:s3", "ceph:s3"])
def test_stores_that_speak_the_protocol_of_s3(store: str, name: str) -> None:
    created, deleted = ObjectChange("photos", "cat.jpg", "1"), ObjectChange("photos", "cat.jpg", "1", "deleted")
    assert changes_in(with_record(eventSource=store, eventName=name)) == [created, created]
    assert changes_in(with_record(eventSource=store, eventName="s3:ObjectRemoved:Delete")) == [created, deleted]


@pytest.mark.parametrize(
    ("name", "version", "kind"),
    [
        ("ObjectRemoved:Delete", None, "deleted"),
        ("ObjectRemoved:Delete", "null", "deleted"),
        ("ObjectRemoved:Delete", "3HL4kqtJlcpXrof3", None),
        ("ObjectRemoved:DeleteMarkerCreated", "3HL4kqtJlcpXrof3", "deleted"),
        ("LifecycleExpiration:Delete", None, "deleted"),
        ("LifecycleExpiration:DeleteMarkerCreated", "3HL4kqtJlcpXrof3", "deleted"),
    ],
)
def test_events_of_deletions(name: str, version: str | None, kind: str | None) -> None:
    """If one version of several is deleted, the event does not tell whether the object is still there."""
    more = {} if version is None else {"versionId": version}
    assert [change.kind for change in changes_in(s3_event("1", name=name, **more))] == [kind]
    event = event_of("eventbridge-object-deleted")
    event["detail"]["deletion-type"] = "Delete Marker Created" if "Marker" in name else "Permanently Deleted"
    event["detail"]["object"].pop("version-id", None)
    event["detail"]["object"] |= {} if version is None else {"version-id": version}
    assert [change.kind for change in changes_in(event)] == [kind]


def test_other_events_of_objects_and_folders_change_nothing() -> None:
    assert changes_in(s3_event("1", name="ObjectTagging:Put")) == []
    assert changes_in({**event_of("eventbridge-object-created"), "detail-type": "Object Tags Added"}) == []
    assert changes_in(s3_event("1", "folder/")) == []


def test_a_deleted_original_takes_its_variants_along(studio: Studio) -> None:
    wired = entrypoint(studio)
    wired.handle(s3_event("1"), Deadline())
    answer = wired.handle(s3_event("2", name="ObjectRemoved:Delete"), Deadline())
    assert (answer["deleted"], studio.output.objects) == (["cat.jpg"], {})


@pytest.mark.parametrize(
    ("encoded", "key"),
    [("a+b.jpg", "a b.jpg"), ("a%2Bb.jpg", "a+b.jpg"), ("100%25.jpg", "100%.jpg"), ("a%252Fb", "a%2Fb")],
)
def test_keys_of_s3_are_form_encoded(encoded: str, key: str) -> None:
    assert changes_in(s3_event("1", encoded))[0].key == key


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}]},
        {"Records": 5},
        {"source": "aws.s3", "detail-type": "Object Created", "detail": {}},
        {"source": "aws.s3", "detail": {}},
        {"source": "aws.ec2", "detail-type": "Object Created", "detail": {}},
        s3_event("no hex"),
        s3_event(""),
    ],
)
def test_what_is_no_event_of_s3(event: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        changes_in(event)


def test_a_source_under_another_name_with_a_prefix(studio: Studio) -> None:
    studio.put(60, ObjectRef("shop", "cat.jpg"))
    entrypoint(studio).handle(s3_event("1", "media/cat.jpg", "shop-bucket"), Deadline())
    assert studio.output.shades()["thumb/shop/cat.jpg"] == 60
    with pytest.raises(Forbidden):
        entrypoint(studio).handle(s3_event("1", "elsewhere/cat.jpg", "shop-bucket"), Deadline())


def test_a_file_that_is_no_image_is_reported_and_done_with(studio: Studio) -> None:
    studio.originals.bodies[ObjectRef("photos", "cat.jpg")] = b"text"
    (refused,) = refused_in(entrypoint(studio).handle(s3_event("1"), Deadline()))
    assert (refused["bucket"], refused["key"], refused["code"]) == ("photos", "cat.jpg", "UnsupportedMediaType")
    assert entrypoint(studio).handle(batch_of(s3_event("2")), Deadline()) == {"batchItemFailures": []}


def test_a_failure_of_one_original_is_raised_after_the_others(studio: Studio) -> None:
    studio.originals.errors[ObjectRef("photos", "cat.jpg")] = [UpstreamError("down")]
    both = {"Records": [*s3_event("1")["Records"], *event_of("s3-put")["Records"]]}
    with pytest.raises(UpstreamError):
        entrypoint(studio).handle(both, Deadline())
    assert sorted(studio.output.objects) == [f"large/photos/{CAFE.key}", f"thumb/photos/{CAFE.key}"]


def test_of_a_batch_only_what_failed_comes_again(studio: Studio) -> None:
    studio.put(60, ObjectRef("photos", "dog.jpg"))
    unlisted = s3_event("1", bucket="unlisted")
    batch = batch_of(s3_event("1"), "no json", unlisted, "[]", '{"other": 1}', s3_event("1", "dog.jpg"), s3_event("1"))
    failed = entrypoint(studio).handle(batch, Deadline())["batchItemFailures"]
    assert failed == [{"itemIdentifier": f"m{n}"} for n in (1, 2, 3, 4)]
    assert sorted(studio.output.objects) == [
        f"{preset}/photos/{key}.jpg" for preset in ("large", "thumb") for key in ("cat", "dog")
    ]


def test_a_fault_of_ours_in_one_message_leaves_the_others(studio: Studio) -> None:
    studio.output.before_put = lambda: 1 // 0
    batch = batch_of(s3_event("1"), s3_event("1"))
    assert entrypoint(studio).handle(batch, Deadline()) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert len(studio.output.objects) == 2


def test_no_time_left(studio: Studio) -> None:
    failed = entrypoint(studio).handle(batch_of(s3_event("1"), s3_event("2")), Deadline(at=0))["batchItemFailures"]
    assert failed == [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]


def test_results_do_not_make_results(studio: Studio) -> None:
    looping = entrypoint(studio)
    with pytest.raises(HandlerError, match="OUTPUT_BUCKET") as refused:
        looping.handle(s3_event("1", bucket="out"), Deadline())
    assert refused.value.code == "Configuration"
    assert looping.handle(batch_of(s3_event("1", bucket="out")), Deadline()) == {
        "batchItemFailures": [{"itemIdentifier": "m0"}]
    }
    assert studio.output.objects == {}


def test_originals_and_results_in_one_bucket(studio: Studio) -> None:
    shared = entrypoint(studio, output_bucket="photos")
    assert shared.handle(s3_event("1"), Deadline())["refused"] == []
    assert len(studio.output.objects) == 2


class Invalidations:
    """Stands for CloudFront: the tags of each invalidation, and errors of the next ones."""

    def __init__(self) -> None:
        self.tags: list[list[str]] = []
        self.errors: list[Exception] = []

    def purge(self, tags: list[str], deadline: Deadline) -> str:
        if self.errors:
            raise self.errors.pop(0)
        self.tags.append(tags)
        return "I1"


def test_a_batch_of_deletions_is_one_invalidation(studio: Studio) -> None:
    cdn = Invalidations()
    studio.copies = CopyPurge(None, cdn)  # type: ignore[arg-type]  # has the one method that is called
    keys = [f"{number}.jpg" for number in range(25)]
    batch = batch_of(*(s3_event("1", key, name="ObjectRemoved:Delete") for key in keys))
    assert entrypoint(studio).handle(batch, Deadline()) == {"batchItemFailures": []}
    assert [len(tags) for tags in cdn.tags] == [25]


def test_messages_come_again_until_the_cdn_has_accepted_the_invalidation(studio: Studio) -> None:
    cdn = Invalidations()
    studio.copies = CopyPurge(None, cdn)  # type: ignore[arg-type]  # has the one method that is called
    cdn.errors = [UpstreamError("too many invalidations")]
    events = [s3_event("1", key, name="ObjectRemoved:Delete") for key in ("a.jpg", "b.jpg")]
    wired = entrypoint(studio)
    failed = wired.handle(batch_of(*events), Deadline())["batchItemFailures"]
    assert failed == [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]
    assert wired.handle(batch_of(*events, count=2), Deadline()) == {"batchItemFailures": []}
    assert [len(tags) for tags in cdn.tags] == [2]


def job_of(schema: str, *keys: str, **arguments: str) -> dict[str, Any]:
    """Return the event of a job of S3 Batch Operations."""
    bucket = {"s3BucketArn": "arn:aws:s3:::photos"} if schema == "1.0" else {"s3Bucket": "photos"}
    tasks = [{"taskId": f"t{n}", "s3Key": key, "s3VersionId": None, **bucket} for n, key in enumerate(keys)]
    job: dict[str, Any] = {"id": "f3cc4f60-61f6-4a2b-8a21-d07600c373ce"}
    if schema == "2.0":
        job["userArguments"] = arguments
    return {"invocationSchemaVersion": schema, "invocationId": "YXNkbGZqYWRmaiBhc2Rmd", "job": job, "tasks": tasks}


@pytest.mark.parametrize("schema", ["1.0", "2.0"])
def test_tasks_of_a_batch_operations_job(schema: str, studio: Studio) -> None:
    studio.originals.bodies[ObjectRef("photos", "text.jpg")] = b"text"
    studio.put(60, ObjectRef("photos", "down.jpg"))
    studio.originals.errors[ObjectRef("photos", "down.jpg")] = [UpstreamError("the store is down")]
    job = job_of(schema, "caf%C3%A9/a+b%2B100%25.jpg", "text.jpg", "down.jpg")
    assert is_upload_event(job)
    answer = entrypoint(studio).handle(job, Deadline())
    assert {name: answer[name] for name in ("invocationSchemaVersion", "invocationId", "treatMissingKeysAs")} == {
        "invocationSchemaVersion": schema,
        "invocationId": "YXNkbGZqYWRmaiBhc2Rmd",
        "treatMissingKeysAs": "PermanentFailure",
    }
    results: Any = answer["results"]
    assert [(each["taskId"], each["resultCode"]) for each in results] == [
        ("t0", "Succeeded"), ("t1", "PermanentFailure"), ("t2", "TemporaryFailure"),
    ]  # fmt: skip
    assert results[0]["resultString"] == "ready: 2 variants stored, 0 kept"
    assert results[1]["resultString"].startswith("UnsupportedMediaType: ")
    assert results[2]["resultString"] == "UpstreamError: the store is down"
    assert sorted(studio.output.objects) == [f"large/photos/{CAFE.key}", f"thumb/photos/{CAFE.key}"]


def test_a_job_renders_what_is_missing_or_what_it_names(studio: Studio) -> None:
    wired = entrypoint(studio)
    wired.handle(s3_event("1"), Deadline())
    written = []
    for arguments in ({}, {"presets": "thumb"}, {"presets": "*"}):
        studio.output.writes.clear()
        wired.handle(job_of("2.0", "cat.jpg", **arguments), Deadline())
        written.append(len(studio.output.writes))
    assert written == [0, 1, 2]


def test_a_job_of_another_schema(studio: Studio) -> None:
    with pytest.raises(BadRequest, match="invocationSchemaVersion"):
        entrypoint(studio).handle({**job_of("1.0", "cat.jpg"), "invocationSchemaVersion": "3.0"}, Deadline())


def test_a_task_without_a_bucket_and_of_another_bucket(studio: Studio) -> None:
    job = job_of("1.0", "cat.jpg", "cat.jpg")
    del job["tasks"][0]["s3BucketArn"]
    job["tasks"][1]["s3BucketArn"] = "arn:aws:s3:::unlisted"
    results: Any = entrypoint(studio).handle(job, Deadline())["results"]
    assert [each["resultCode"] for each in results] == ["PermanentFailure", "TemporaryFailure"]


def test_from_bucket_to_bucket(moto: Moto) -> None:
    """An original in one bucket, the variant in another, through the real entry point."""
    photos, out = moto.bucket(), moto.bucket()
    moto.s3.put_object(Bucket=photos, Key="a b/noise.png", Body=noise(60, 40), CacheControl="max-age=5")
    client = Client(
        {
            "SOURCE_BUCKETS": photos, "OUTPUT_BUCKET": out, "AWS_ENDPOINT_URL": moto.url, "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret", "UPLOAD_PRESETS": "thumb",
            "PRESETS": '{"thumb": {"resize": {"width": 30}, "toFormat": "webp"}}',
        }
    )  # fmt: skip
    event = s3_event("0055AED6DCD90281E5", "a+b/noise.png", photos)
    key = f"thumb/{photos}/a b/noise.png"
    assert client.invoke(event)["stored"] == [key]
    stored = moto.s3.get_object(Bucket=out, Key=key)
    assert (stored["ContentType"], stored["CacheControl"]) == ("image/webp", "max-age=5")
    assert stored["Metadata"]["sequencer"] == "55AED6DCD90281E5"
    assert len(stored["Metadata"]["cache-tag"]) == 32
    image = pyvips.Image.new_from_buffer(stored["Body"].read(), "")
    assert (image.width, image.height, image.get("vips-loader")) == (30, 20, "webpload_buffer")
    assert client.invoke(event)["kept"] == [key]
    client.invoke(s3_event("0055AED6DCD90281E6", "a+b/noise.png", photos, name="ObjectRemoved:Delete"))
    assert "Contents" not in moto.s3.list_objects_v2(Bucket=out)


def noise(width: int, height: int) -> bytes:
    """A PNG."""
    image: bytes = pyvips.Image.gaussnoise(width, height).cast("uchar").write_to_buffer(".png")
    return image


def test_a_key_that_leaves_no_room(studio: Studio) -> None:
    key = "k" * 1020
    studio.put(40, ObjectRef("photos", key))
    (refused,) = refused_in(entrypoint(studio).handle(s3_event("1", key), Deadline()))
    assert refused["code"] == "BadRequest"

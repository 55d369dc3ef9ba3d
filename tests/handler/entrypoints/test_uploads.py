"""Uploads: every form of event, each variant once, and never an older result over a newer one."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from tests.client import Client
from tests.stand_ins.moto import Moto

from handler.entrypoints.upload_events import Upload, is_upload_event, uploads_in
from handler.entrypoints.uploads import UploadEntrypoint
from handler.errors import BadRequest, Forbidden, HandlerError, NotFound, PayloadTooLarge, UpstreamError
from handler.ports import ObjectAttributes, ObjectInfo, ObjectWriter
from handler.render.render import RenderContext, render_here, render_if_changed
from handler.render.results import NotModified, RenderedResult, ResultFacts
from handler.requests.image_request import ImageRequest
from handler.requests.parsed_request import Recipe
from handler.requests.presets import read_recipe
from handler.storage.results import open_results
from handler.storage.sources import open_sources, read_locations, source_of
from imaging import (
    DamagedSource,
    Deadline,
    Limits,
    ObjectRef,
    Output,
    TimeExceeded,
    TooLarge,
    Unavailable,
    UnsupportedSource,
)

EVENTS = Path(__file__).parents[2] / "events"
CAFE = Upload("photos", "café/a b+100%.jpg", "0055AED6DCD90281E5")
MOMENT = datetime(2026, 8, 1, tzinfo=UTC)
OTHERS = ("function-url", "http-api-2.0", "http-api-1.0", "rest-api")


def event_of(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
    return event


def s3_event(sequencer: str, key: str = "cat.jpg", bucket: str = "photos") -> dict[str, Any]:
    facts = {"bucket": {"name": bucket}, "object": {"key": key, "size": 3, "sequencer": sequencer}}
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": facts}]}


def batch_of(*events: object) -> dict[str, Any]:
    bodies = [event if isinstance(event, str) else json.dumps(event) for event in events]
    return {
        "Records": [{"messageId": f"m{n}", "eventSource": "aws:sqs", "body": body} for n, body in enumerate(bodies)]
    }


def facts_of(body: bytes) -> ResultFacts:
    return ResultFacts(body.hex(), MOMENT, cache_control="max-age=60", tags=("tag1", "tag2"))


@dataclass
class Studio:
    """Originals that a test changes, and the `render` that makes pictures of them."""

    originals: dict[ObjectRef, bytes] = field(default_factory=dict)
    refusals: dict[int | None, Exception] = field(default_factory=dict)
    made: list[ImageRequest] = field(default_factory=list)
    while_drawing: Callable[[], object] = lambda: None

    def render(self, request: ImageRequest, deadline: Deadline) -> RenderedResult:
        """Make the original, named after its preset's quality."""
        body = self._body(request, deadline)
        self.made.append(request)
        hook, self.while_drawing = self.while_drawing, lambda: None
        hook()
        return RenderedResult(facts_of(body), body, "image/webp")

    def render_if_changed(self, request: ImageRequest, deadline: Deadline, etag: str) -> RenderedResult | NotModified:
        facts = facts_of(self._body(request, deadline))
        return NotModified(facts) if facts.etag == etag else self.render(request, deadline)

    def _body(self, request: ImageRequest, deadline: Deadline) -> bytes:
        deadline.check()
        assert isinstance(request.source, ObjectRef)
        if refusal := self.refusals.get(request.output.quality):
            raise refusal
        if request.source not in self.originals:
            raise NotFound("gone")
        return b"%s at %s" % (self.originals[request.source], str(request.output.quality).encode())


PRESETS = {"thumb": Recipe(output=Output(quality=10)), "large": Recipe(output=Output(quality=90))}
PLACES = read_locations("photos,shop=s3://shop-bucket/media")


@dataclass
class Memory:
    """Results as S3 keeps them: the ETag is made of the bytes alone."""

    kept: dict[str, tuple[bytes, str, Mapping[str, str]]] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    before_put: Callable[[], object] = lambda: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def head(self, key: str) -> ObjectInfo | None:
        with self.lock:
            if key not in self.kept:
                return None
            body, content_type, metadata = self.kept[key]
            return ObjectInfo(ObjectRef("out", key), len(body), body.hex(), MOMENT, "", content_type, metadata)

    def put(self, key: str, body: bytes, attributes: ObjectAttributes, *, replaces: str | None) -> bool:
        hook, self.before_put = self.before_put, lambda: None
        hook()
        with self.lock:
            if (self.kept[key][0].hex() if key in self.kept else None) != replaces:
                return False
            self.kept[key] = (body, attributes.content_type, attributes.metadata)
            self.writes.append(key)
            return True


def entrypoint(
    studio: Studio, results: ObjectWriter, presets: Mapping[str, Recipe] = PRESETS, output_bucket: str = "out"
) -> UploadEntrypoint:
    return UploadEntrypoint(
        render=studio.render,
        render_if_changed=studio.render_if_changed,
        presets=presets,
        results=results,
        output_bucket=output_bucket,
        source_of=lambda bucket, key: source_of(bucket, key, PLACES),
    )


def refused_in(answer: dict[str, object]) -> list[dict[str, str]]:
    refused = answer["refused"]
    assert isinstance(refused, list)
    return refused


@pytest.fixture
def studio() -> Studio:
    return Studio({ObjectRef("photos", "cat.jpg"): b"cat", ObjectRef("photos", CAFE.key): b"cafe"})


@pytest.mark.parametrize("name", ["s3-put", "eventbridge-object-created", "sns-s3-put", "minio-put"])
def test_an_event_and_its_object(name: str, studio: Studio) -> None:
    assert is_upload_event(event_of(name))
    assert uploads_in(event_of(name)) == [CAFE]
    results = Memory()
    assert entrypoint(studio, results).handle(event_of(name), Deadline()) == {
        "stored": [f"thumb/photos/{CAFE.key}", f"large/photos/{CAFE.key}"],
        "kept": [],
        "refused": [],
    }
    body, content_type, metadata = results.kept[f"thumb/photos/{CAFE.key}"]
    assert (body, content_type) == (b"cafe at 10", "image/webp")
    assert metadata == {"sequencer": CAFE.sequencer, "cache-tag": "tag1,tag2"}


@pytest.mark.parametrize("name", ["sqs-s3-put", "sqs-eventbridge-object-created", "sqs-sns-s3-put"])
def test_an_event_in_a_message(name: str, studio: Studio) -> None:
    assert is_upload_event(event_of(name))
    results = Memory()
    assert entrypoint(studio, results).handle(event_of(name), Deadline()) == {"batchItemFailures": []}
    assert sorted(results.kept) == [f"large/photos/{CAFE.key}", f"thumb/photos/{CAFE.key}"]


@pytest.mark.parametrize("name", ["s3-test-event", "sqs-s3-test-event"])
def test_the_test_event_asks_for_nothing(name: str, studio: Studio) -> None:
    assert is_upload_event(event_of(name))
    results = Memory()
    entrypoint(studio, results).handle(event_of(name), Deadline())
    assert results.kept == {}


@pytest.mark.parametrize("name", OTHERS)
def test_http_events_are_none_of_this(name: str) -> None:
    assert not is_upload_event(event_of(name))


@pytest.mark.parametrize(
    "event", [{}, {"imageKey": "cat.jpg"}, {"source": "aws.events", "detail-type": "Scheduled Event"}]
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
    answer = entrypoint(studio, Memory()).handle(batch_of(event, s3_event("1")), Deadline())
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
    results = Memory()
    assert entrypoint(studio, results).handle(batch_of(body), Deadline()) == {"batchItemFailures": []}
    assert sorted(results.kept) == [f"large/photos/{CAFE.key}", f"thumb/photos/{CAFE.key}"]


@pytest.mark.parametrize("name", ["s3:ObjectCreated:CompleteMultipartUpload", "ObjectCreated:Put"])
@pytest.mark.parametrize("store", ["minio:s3", "ceph:s3"])
def test_stores_that_speak_the_protocol_of_s3(store: str, name: str) -> None:
    event = with_record(eventSource=store, eventName=name)
    assert uploads_in(event) == [Upload("photos", "cat.jpg", "1")] * 2
    assert uploads_in(with_record(eventSource=store, eventName="s3:ObjectRemoved:Delete")) == uploads_in(s3_event("1"))


def test_only_objects_that_were_created() -> None:
    removed = s3_event("1")
    removed["Records"][0]["eventName"] = "ObjectRemoved:Delete"
    assert uploads_in(removed) == []
    deleted = {**event_of("eventbridge-object-created"), "detail-type": "Object Deleted"}
    assert uploads_in(deleted) == []
    assert uploads_in(s3_event("1", "folder/")) == []


@pytest.mark.parametrize(
    ("encoded", "key"),
    [("a+b.jpg", "a b.jpg"), ("a%2Bb.jpg", "a+b.jpg"), ("100%25.jpg", "100%.jpg"), ("a%252Fb", "a%2Fb")],
)
def test_keys_of_s3_are_form_encoded(encoded: str, key: str) -> None:
    assert uploads_in(s3_event("1", encoded))[0].key == key


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
        uploads_in(event)


def test_a_source_under_another_name_with_a_prefix(studio: Studio) -> None:
    studio.originals[ObjectRef("shop", "cat.jpg")] = b"shop cat"
    results = Memory()
    entrypoint(studio, results).handle(s3_event("1", "media/cat.jpg", "shop-bucket"), Deadline())
    assert results.kept["thumb/shop/cat.jpg"][0] == b"shop cat at 10"
    with pytest.raises(Forbidden):
        entrypoint(studio, results).handle(s3_event("1", "elsewhere/cat.jpg", "shop-bucket"), Deadline())


def test_the_same_event_again_stores_nothing(studio: Studio) -> None:
    results = Memory()
    answers = [entrypoint(studio, results).handle(s3_event("0A"), Deadline()) for _ in range(3)]
    assert answers[-1]["kept"] == ["thumb/photos/cat.jpg", "large/photos/cat.jpg"]
    assert len(results.writes) == 2
    assert len(studio.made) == 2


@pytest.mark.parametrize(
    ("older", "newer"),
    [("0A", "0B"), ("0a", "0B"), ("9", "10"), ("0055AED6DCD90281E5", "55AED6DCD90281E6"), ("FF", "0100")],
)
def test_an_older_event_gives_way(studio: Studio, older: str, newer: str) -> None:
    cat = ObjectRef("photos", "cat.jpg")
    for order in (((newer, b"new"), (older, b"old")), ((older, b"old"), (newer, b"new"))):
        results = Memory()
        for sequencer, original in order:
            studio.originals[cat] = original
            entrypoint(studio, results).handle(s3_event(sequencer), Deadline())
        body, _, metadata = results.kept["thumb/photos/cat.jpg"]
        assert (body, metadata["sequencer"]) == (b"new at 10", newer)


def test_a_picture_that_someone_else_put_there_is_replaced(studio: Studio) -> None:
    results = Memory(
        {"thumb/photos/cat.jpg": (b"by hand", "", {}), "large/photos/cat.jpg": (b"", "", {"sequencer": "?"})}
    )
    entrypoint(studio, results).handle(s3_event("01"), Deadline())
    assert results.kept["thumb/photos/cat.jpg"][0] == b"cat at 10"


@pytest.mark.parametrize("there", [None, "0"], ids=["nothing there", "an older one there"])
@pytest.mark.parametrize("moment", ["drawing", "writing"])
def test_an_older_event_that_is_overtaken(studio: Studio, moment: str, there: str | None) -> None:
    """Between looking and writing, the newer event stores its picture."""
    results = Memory()
    if there:
        entrypoint(studio, results).handle(s3_event(there), Deadline())
        studio.originals[ObjectRef("photos", "cat.jpg")] = b"other cat"
    cat = ObjectRef("photos", "cat.jpg")
    one = {"thumb": PRESETS["thumb"]}

    def overtake() -> None:
        studio.originals[cat] = b"new"
        entrypoint(studio, results, one).handle(s3_event("2"), Deadline())

    if moment == "drawing":
        studio.while_drawing = overtake
    else:
        results.before_put = overtake
    assert entrypoint(studio, results, one).handle(s3_event("1"), Deadline())["kept"] == ["thumb/photos/cat.jpg"]
    assert results.kept["thumb/photos/cat.jpg"][0] == b"new at 10"
    assert results.kept["thumb/photos/cat.jpg"][2]["sequencer"] == "2"


def test_an_original_that_was_put_back_hides_nothing(studio: Studio) -> None:
    """X is stored. Y comes, and X again; the last event is done while the one before it draws. S3's ETags are equal."""
    results = Memory()
    cat = ObjectRef("photos", "cat.jpg")
    one = {"thumb": PRESETS["thumb"]}
    studio.originals[cat] = b"X"
    entrypoint(studio, results, one).handle(s3_event("1"), Deadline())

    def put_back() -> None:
        studio.originals[cat] = b"X"
        entrypoint(studio, results, one).handle(s3_event("3"), Deadline())

    studio.originals[cat] = b"Y"
    results.before_put = put_back
    entrypoint(studio, results, one).handle(s3_event("2"), Deadline())
    assert results.kept["thumb/photos/cat.jpg"][0] == b"X at 10"


@given(
    versions=st.lists(st.sampled_from([b"X", b"Y", b"Z"]), min_size=1, max_size=5),
    order=st.randoms(use_true_random=False),
    copies=st.integers(1, 3),
)
def test_in_any_order_and_however_often(versions: list[bytes], order: random.Random, copies: int) -> None:
    """Each upload is told several times, in any order and at any time after it: the last one's picture stands."""
    studio, results = Studio(), Memory()
    cat = ObjectRef("photos", "cat.jpg")
    pending: list[str] = []
    for number, version in enumerate(versions):
        studio.originals[cat] = version
        pending += [f"{number + 1:X}"] * copies
        order.shuffle(pending)
        for _ in range(order.randrange(len(pending))):
            entrypoint(studio, results).handle(s3_event(pending.pop()), Deadline())
    for sequencer in pending:
        entrypoint(studio, results).handle(s3_event(sequencer), Deadline())
    assert results.kept["thumb/photos/cat.jpg"][0] == versions[-1] + b" at 10"
    assert len(results.writes) <= 2 * len(versions)


@pytest.mark.parametrize("kind", ["memory", "folder", "moto"])
@pytest.mark.parametrize("seed", range(3))
def test_many_functions_at_once(
    kind: str, seed: int, studio: Studio, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Originals X, Y, X, … each told twice, in any order, to six threads, while the last of them still come."""
    results: ObjectWriter = Memory()
    if kind == "folder":
        results = open_results(f"out={tmp_path.as_uri()}")
    if kind == "moto":
        moto: Moto = request.getfixturevalue("moto")
        results = open_results(moto.bucket(), aws=moto.access)
    cat, shuffled = ObjectRef("photos", "cat.jpg"), random.Random(seed)
    one = {"thumb": PRESETS["thumb"]}

    def tell(sequencer: int) -> None:
        entrypoint(studio, results, one).handle(s3_event(f"{sequencer:X}"), Deadline())

    with ThreadPoolExecutor(6) as pool:
        told = []
        for first in (1, 6, 11):
            for number in range(first, first + 5):
                studio.originals[cat] = b"X" if number % 2 else b"Y"
            events = [number for number in range(first, first + 5) for _ in range(2)]
            shuffled.shuffle(events)
            told += [pool.submit(tell, number) for number in events]
        for each in told:
            each.result()
    assert bytes_of(results, kind, tmp_path, request) == b"X at 10"


def bytes_of(results: ObjectWriter, kind: str, folder: Path, request: pytest.FixtureRequest) -> bytes:
    key = "thumb/photos/cat.jpg"
    if isinstance(results, Memory):
        return results.kept[key][0]
    if kind == "folder":
        return (folder / key).read_bytes()
    moto: Moto = request.getfixturevalue("moto")
    seen = results.head(key)
    assert seen
    return open_sources(seen.ref.bucket, limit=100, aws=moto.access).get(ObjectRef("", key)).read()


LASTING = [
    DamagedSource("cut"),
    UnsupportedSource("text"),
    TooLarge("pixels"),
    PayloadTooLarge("bytes"),
    NotFound("deleted since"),
    BadRequest("a key of 1,025 bytes"),
]
PASSING = [
    UpstreamError("down"),
    TimeExceeded("late"),
    Unavailable("no model"),
    Forbidden("no rights"),
    HandlerError("?"),
]


@pytest.mark.parametrize("refusal", LASTING, ids=lambda error: type(error).__name__)
def test_what_will_not_pass_is_told_and_done_with(studio: Studio, refusal: Exception) -> None:
    results = Memory()
    studio.refusals[10] = refusal
    answer = entrypoint(studio, results).handle(s3_event("1"), Deadline())
    assert answer["stored"] == ["large/photos/cat.jpg"]
    told = refused_in(answer)[0]
    assert (told["preset"], told["key"], told["message"]) == ("thumb", "cat.jpg", str(refusal))
    assert entrypoint(studio, results).handle(batch_of(s3_event("2")), Deadline()) == {"batchItemFailures": []}


@pytest.mark.parametrize("refusal", PASSING, ids=lambda error: type(error).__name__)
def test_what_may_pass_is_raised_after_the_rest_is_done(studio: Studio, refusal: Exception) -> None:
    results = Memory()
    studio.refusals[10] = refusal
    with pytest.raises(type(refusal)):
        entrypoint(studio, results).handle(s3_event("1"), Deadline())
    assert list(results.kept) == ["large/photos/cat.jpg"]
    studio.refusals.clear()
    assert entrypoint(studio, results).handle(s3_event("1"), Deadline()) == {
        "stored": ["thumb/photos/cat.jpg"],
        "kept": ["large/photos/cat.jpg"],
        "refused": [],
    }


def test_of_a_batch_only_what_failed_comes_again(studio: Studio) -> None:
    results = Memory()
    studio.originals[ObjectRef("photos", "dog.jpg")] = b"dog"
    unlisted = s3_event("1", bucket="unlisted")
    batch = batch_of(s3_event("1"), "no json", unlisted, "[]", '{"other": 1}', s3_event("1", "dog.jpg"), s3_event("1"))
    failed = entrypoint(studio, results).handle(batch, Deadline())["batchItemFailures"]
    assert failed == [{"itemIdentifier": f"m{n}"} for n in (1, 2, 3, 4)]
    assert sorted(results.kept) == [
        f"{preset}/photos/{key}.jpg" for preset in ("large", "thumb") for key in ("cat", "dog")
    ]


def test_a_fault_of_ours_in_one_message_leaves_the_others(studio: Studio) -> None:
    results = Memory()
    results.before_put = lambda: 1 // 0
    batch = batch_of(s3_event("1"), s3_event("1"))
    assert entrypoint(studio, results).handle(batch, Deadline()) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert len(results.kept) == 2


def test_no_time_left(studio: Studio) -> None:
    batch = batch_of(s3_event("1"), s3_event("2"))
    failed = entrypoint(studio, Memory()).handle(batch, Deadline(at=0))["batchItemFailures"]
    assert failed == [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]


def test_a_race_that_is_never_won_ends_in_time(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Memory, "put", lambda *_, **__: False)
    with pytest.raises(TimeExceeded):
        entrypoint(studio, Memory()).handle(s3_event("1"), Deadline.after(0.05))


def test_results_do_not_make_results(studio: Studio) -> None:
    results = Memory()
    looping = entrypoint(studio, results, output_bucket="photos")
    with pytest.raises(HandlerError, match="OUTPUT_BUCKET") as refused:
        looping.handle(s3_event("1"), Deadline())
    assert refused.value.code == "Configuration"
    assert looping.handle(batch_of(s3_event("1")), Deadline()) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert results.kept == {}


def test_from_bucket_to_bucket(moto: Moto) -> None:
    """The whole way: an original in one bucket, the real `render`, the variation in another."""
    photos, out = moto.bucket(), moto.bucket()
    moto.s3.put_object(Bucket=photos, Key="a b/noise.png", Body=noise(60, 40), CacheControl="max-age=5")
    sources = open_sources(photos, limit=10**6, aws=moto.access)
    context = RenderContext(sources, Limits(), "1", MOMENT)
    uploads = UploadEntrypoint(
        render=lambda request, deadline: render_here(request, context, deadline),
        render_if_changed=lambda request, deadline, etag: render_if_changed(request, context, deadline, etag),
        presets={"thumb": read_recipe({"resize": {"width": 30}, "toFormat": "webp"})},
        results=open_results(out, aws=moto.access, sources=sources.locations),
        output_bucket=out,
        source_of=lambda bucket, key: source_of(bucket, key, sources.locations),
    )
    event = s3_event("0055AED6DCD90281E5", "a+b/noise.png", photos)
    assert uploads.handle(event, Deadline.after(20))["stored"] == [f"thumb/{photos}/a b/noise.png"]
    stored = moto.s3.get_object(Bucket=out, Key=f"thumb/{photos}/a b/noise.png")
    assert stored["ContentType"] == "image/webp"
    assert stored["CacheControl"] == "max-age=5"
    assert stored["Metadata"]["sequencer"] == "0055AED6DCD90281E5"
    assert len(stored["Metadata"]["cache-tag"]) == 32
    picture = pyvips.Image.new_from_buffer(stored["Body"].read(), "")
    assert (picture.width, picture.height, picture.get("vips-loader")) == (30, 20, "webpload_buffer")
    assert uploads.handle(event, Deadline.after(20))["kept"] == [f"thumb/{photos}/a b/noise.png"]


def noise(width: int, height: int) -> bytes:
    """A PNG."""
    picture: bytes = pyvips.Image.gaussnoise(width, height).cast("uchar").write_to_buffer(".png")
    return picture


def test_a_key_that_leaves_no_room(studio: Studio, tmp_path: Path) -> None:
    key = "k" * 1020
    studio.originals[ObjectRef("photos", key)] = b"cat"
    answer = entrypoint(studio, open_results(f"out={tmp_path.as_uri()}")).handle(s3_event("1", key), Deadline())
    assert [told["code"] for told in refused_in(answer)] == ["BadRequest", "BadRequest"]

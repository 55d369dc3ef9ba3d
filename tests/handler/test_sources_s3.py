"""S3 that refuses, fails, dawdles or lies elsewhere; and the keys that need another client."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import obstore
import pytest
from msgspec.structs import replace
from obstore.store import S3Store
from tests.stand_ins.moto import Moto
from tests.stand_ins.rclone import rclone_server
from tests.stand_ins.scripted_http import ParsedRequest, Reply, ScriptedServer, scripted_server

from handler.aws import AwsAccess, Credentials
from handler.core.errors import Forbidden, HandlerError, NotFound, PayloadTooLarge, UpstreamError
from handler.storage.sources import Sources, open_sources
from handler.storage.sources.cloud import CloudSource
from handler.storage.sources.locations import read_location
from handler.storage.sources.s3 import S3Bucket
from imaging import ObjectRef

CAT = ObjectRef("", "cat.jpg")
ODD = ObjectRef("", "cats//cat.jpg")
ERROR = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
ETAG = {"ETag": '"e1"', "Last-Modified": "Sat, 01 Aug 2026 10:00:00 GMT"}


@pytest.fixture
def store() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


def sources_at(store: ScriptedServer, *, timeout: float = 5, limit: int = 10_000, region: str = "us-east-1") -> Sources:
    aws = AwsAccess(region=region, endpoint_url_s3=store.url, credentials=Credentials("AKID", "secret", "session"))
    return open_sources("photos", limit=limit, aws=aws, timeout=timeout)


@pytest.mark.parametrize("ref", [CAT, ODD], ids=["plain", "odd"])
@pytest.mark.parametrize("head", [False, True], ids=["get", "head"])
@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (403, Forbidden, 403),
        (401, Forbidden, 403),
        (404, NotFound, 404),
        (301, UpstreamError, 502),
        (500, UpstreamError, 502),
    ],
)
def test_an_error_of_the_store(
    store: ScriptedServer, ref: ObjectRef, status: int, kind: type[HandlerError], said: int, head: bool
) -> None:
    # S3 names the region of a bucket with a 403 or a 301 that has the header; a 301 without is the end of botocore.
    store.script = lambda asked: Reply(403 if asked.path == "/photos" else status, ERROR)
    sources = sources_at(store)
    started = time.monotonic()
    with pytest.raises(kind) as refused:
        (sources.head if head else sources.get)(ref)
    assert refused.value.status == said
    # obstore would go on for 180 s by itself; a busy machine takes its time.
    assert time.monotonic() - started < 60
    assert "127.0.0.1" not in refused.value.message
    assert "localhost" not in refused.value.message
    assert refused.value.detail


def test_a_403_lists_the_possible_causes(store: ScriptedServer) -> None:
    store.script = lambda _: Reply(403, ERROR)
    with pytest.raises(Forbidden) as refused:
        sources_at(store).get(CAT)
    assert refused.value.code == "ImageBucket::CannotAccessBucket"
    assert "or the key does not exist" in refused.value.message
    assert "s3:ListBucket" in refused.value.detail


def test_a_short_failure_is_overcome(store: ScriptedServer) -> None:
    answers = [Reply(503), Reply(500), Reply(200, b"cat", ETAG)]
    store.script = lambda _: answers.pop(0)
    assert sources_at(store).get(CAT).read() == b"cat"


@pytest.mark.parametrize("ref", [CAT, ODD], ids=["plain", "odd"])
def test_a_store_that_does_not_answer_in_time(store: ScriptedServer, ref: ObjectRef) -> None:
    store.script = lambda _: Reply(before=100)
    sources = sources_at(store, timeout=0.4)
    started = time.monotonic()
    with pytest.raises(UpstreamError) as refused:
        sources.get(ref)
    assert refused.value.status == 504
    assert time.monotonic() - started < 60


def test_nobody_listens() -> None:
    aws = AwsAccess(endpoint_url_s3="http://127.0.0.1:1", credentials=Credentials("AKID", "secret"))
    with pytest.raises(UpstreamError) as refused:
        open_sources("photos", limit=1, aws=aws, timeout=5).get(CAT)
    assert refused.value.status == 502


def test_a_body_that_is_cut_is_fetched_on_from_there(store: ScriptedServer) -> None:
    body = bytes(range(200))

    def script(asked: ParsedRequest) -> Reply:
        if found := re.fullmatch(r"bytes=(\d+)-(\d+)?", asked.headers.get("range", "")):
            first = int(found[1])
            return Reply(206, body[first:], {**ETAG, "Content-Range": f"bytes {first}-199/200"})
        return Reply(200, body, ETAG, sent=50)

    store.script = script
    assert sources_at(store).get(CAT).read() == body


@pytest.mark.parametrize("ref", [CAT, ODD], ids=["plain", "odd"])
def test_a_body_that_stays_cut(store: ScriptedServer, ref: ObjectRef) -> None:
    store.script = lambda _: Reply(200, b"x" * 200, ETAG, sent=50)
    stored = sources_at(store).get(ref)
    with pytest.raises(UpstreamError) as refused:
        stored.read()
    assert refused.value.status == 502


@pytest.mark.parametrize("ref", [CAT, ODD], ids=["plain", "odd"])
def test_a_large_object_is_not_read(store: ScriptedServer, ref: ObjectRef) -> None:
    store.script = lambda _: Reply(200, b"x" * 5_000_000, ETAG)
    stored = sources_at(store, limit=4_999_999).get(ref)
    assert stored.info.size == 5_000_000
    with pytest.raises(PayloadTooLarge):
        stored.read()


def test_credentials_and_session_travel_with_the_request(store: ScriptedServer) -> None:
    store.script = lambda _: Reply(200, b"cat", ETAG)
    sources_at(store, region="eu-central-1").get(CAT).read()
    (asked,) = store.asked
    assert asked.path == "/photos/cat.jpg"
    assert "Credential=AKID/" in asked.headers["authorization"]
    assert "/eu-central-1/s3/aws4_request" in asked.headers["authorization"]
    assert asked.headers["x-amz-security-token"] == "session"


def test_credentials_of_the_environment_as_lambda_sets_them(
    store: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "FROM-LAMBDA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "lambda-session")
    store.script = lambda _: Reply(200, b"cat", ETAG)
    aws = AwsAccess(region="eu-west-1", endpoint_url_s3=store.url)
    for ref in (CAT, ODD):
        open_sources("photos", limit=10, aws=aws).get(ref).read()
    for asked in store.asked:
        assert "Credential=FROM-LAMBDA/" in asked.headers["authorization"]
        assert asked.headers["x-amz-security-token"] == "lambda-session"


def in_frankfurt(wrong: int) -> Callable[[ParsedRequest], Reply]:
    """A bucket that answers signatures for eu-central-1, and others with a status."""

    def script(asked: ParsedRequest) -> Reply:
        if asked.method == "HEAD" and asked.path == "/photos":
            return Reply(403, headers={"x-amz-bucket-region": "eu-central-1"})
        if "/eu-central-1/" in asked.headers.get("authorization", ""):
            return Reply(200, b"cat", ETAG)
        return Reply(wrong, b"<Error><Code>PermanentRedirect</Code></Error>", {"x-amz-bucket-region": "eu-central-1"})

    return script


@pytest.mark.parametrize("wrong", [301, 307, 400])
def test_the_region_is_asked_once_and_kept(store: ScriptedServer, wrong: int) -> None:
    store.script = in_frankfurt(wrong)
    sources = sources_at(store, region="us-east-1")
    for _ in range(3):
        assert sources.get(CAT).read() == b"cat"
    assert sources.head(CAT).size == 3
    asked_for_region = [asked for asked in store.asked if asked.path == "/photos"]
    assert len(asked_for_region) == 1
    assert "authorization" not in asked_for_region[0].headers
    assert [asked.path for asked in store.asked].count("/photos/cat.jpg") == 5


def test_many_at_once_ask_for_the_region_once(store: ScriptedServer) -> None:
    store.script = in_frankfurt(301)
    sources = sources_at(store, region="us-east-1")
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: sources.get(CAT).read(), range(16))) == [b"cat"] * 16
    assert [asked.path for asked in store.asked].count("/photos") == 1


def test_a_store_that_knows_no_regions_is_asked_once(store: ScriptedServer) -> None:
    store.script = lambda _: Reply(400, ERROR)
    sources = sources_at(store)
    for _ in range(3):
        with pytest.raises(UpstreamError):
            sources.get(CAT)
    assert [asked.path for asked in store.asked].count("/photos") == 1


def test_a_source_has_its_own_region_and_endpoint(store: ScriptedServer) -> None:
    store.script = lambda _: Reply(200, b"cat", ETAG)
    aws = AwsAccess(region="eu-west-1", endpoint_url="http://127.0.0.1:1", credentials=Credentials("AKID", "secret"))
    spec = f"shop=s3://photos/of/the shop?region=garage&endpoint={store.url}"
    sources = open_sources(spec, limit=10, aws=aws)
    stored = sources.get(CAT)
    assert stored.info.ref == ("shop", "cat.jpg")
    stored.read()
    sources.get(ODD).read()
    assert [asked.path for asked in store.asked] == [
        "/photos/of/the%20shop/cat.jpg",
        "/photos/of/the%20shop/cats//cat.jpg",
    ]
    assert "/garage/s3/" in store.asked[0].headers["authorization"]


@pytest.mark.parametrize(
    ("bucket", "region", "url"),
    [
        ("photos", "eu-west-1", "https://photos.s3.eu-west-1.amazonaws.com"),
        ("photos.example.com", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/photos.example.com"),
        ("Legacy_Photos", "", "https://s3.us-east-1.amazonaws.com/Legacy_Photos"),
        ("photos", "cn-north-1", "https://photos.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_addresses_of_aws(bucket: str, region: str, url: str) -> None:
    """As obstore itself would sign them; nothing is sent."""
    opened = S3Bucket(read_location(bucket), AwsAccess(region=region, credentials=Credentials("AKID", "secret")), 1)

    def sign(store: object) -> str:
        assert isinstance(store, S3Store)
        return obstore.sign(store, "GET", "cat.jpg", timedelta(seconds=9))

    assert opened.call(sign).partition("?")[0] == f"{url}/cat.jpg"


def test_facts_that_s3_keeps_with_an_object(moto: Moto) -> None:
    name = moto.bucket()
    for key in ("cat.jpg", "cats//cat.jpg"):
        moto.s3.put_object(
            Bucket=name,
            Key=key,
            Body=b"cat",
            CacheControl="max-age=60",
            ContentType="image/jpeg",
            Metadata={"credit": "me"},
        )
        for info in (
            open_sources(name, limit=10, aws=moto.access).get(ObjectRef("", key)).info,
            open_sources(name, limit=10, aws=moto.access).head(ObjectRef("", key)),
        ):
            assert (info.cache_control, info.content_type, info.metadata) == (
                "max-age=60",
                "image/jpeg",
                {"credit": "me"},
            )
            assert info.etag == "d077f244def8a70e5ea758bd8352fcd8"


@pytest.mark.parametrize("key", ["a//b.jpg", "/a.jpg", "folder/", "bell\x07.jpg", "//"])
def test_keys_that_obstore_refuses_or_mangles(moto: Moto, key: str) -> None:
    name = moto.bucket(**{key: b"odd", "a/b.jpg": b"plain", "a.jpg": b"plain", "folder": b"plain"})
    sources = open_sources(name, limit=10, aws=moto.access)
    assert sources.get(ObjectRef("", key)).read() == b"odd"
    assert sources.head(ObjectRef("", key)).size == 3
    assert key in [info.ref.key for info in sources.list("", "")]


def test_odd_keys_under_a_prefix(moto: Moto) -> None:
    name = moto.bucket(**{"shop//a.jpg": b"odd", "shop/b.jpg": b"plain", "c.jpg": b"outside"})
    sources = open_sources(f"shop=s3://{name}/shop", limit=10, aws=moto.access)
    assert sources.get(ObjectRef("", "/a.jpg")).read() == b"odd"
    assert [info.ref.key for info in sources.list("", "")] == ["/a.jpg", "b.jpg"]
    with pytest.raises(NotFound):
        sources.get(ObjectRef("", "c.jpg"))


def test_a_bucket_that_does_not_exist(moto: Moto) -> None:
    sources = open_sources("no-such-bucket", limit=10, aws=moto.access)
    for ask in (sources.get, sources.head):
        with pytest.raises(NotFound):
            ask(CAT)
    with pytest.raises(NotFound):
        list(sources.list("", ""))


def test_a_wrong_signature_is_refused_by_a_server_that_checks(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("rclone")
    (folder / "photos").mkdir()
    (folder / "photos" / "cat.jpg").write_bytes(b"cat")
    with rclone_server(folder) as aws:
        assert open_sources("photos", limit=10, aws=aws).get(CAT).read() == b"cat"
        wrong = replace(aws, credentials=Credentials("rclone-key", "another"))
        with pytest.raises(Forbidden):
            open_sources("photos", limit=10, aws=wrong).get(CAT)


def test_a_cloud_without_a_second_client_has_no_odd_keys(moto: Moto) -> None:
    sources = open_sources(moto.bucket(cat=b"cat"), limit=10, aws=moto.access)
    opened = sources.open(sources.locations[0].name)
    assert isinstance(opened, CloudSource)
    opened._boto_fallback = None
    with pytest.raises(NotFound):
        sources.get(ODD)
    assert [info.ref.key for info in sources.list("", "ca")] == ["cat"]


GARBAGE = [
    Reply(200, b"cat", {"ETag": '"e"', "Last-Modified": "yesterday"}),
    Reply(200, b"cat", {"ETag": '"e"'}),
    Reply(200, b"cat", {**ETAG, "Last-Modified": "Sat, 01 Aug 99999 10:00:00 GMT"}),
    Reply(200, b"<Error><Code>", ETAG, has_length=False),
    Reply(400, b"<Error><Code>\xff"),
    Reply(599, b"\xff" * 1000),
    Reply(200, b"<ListBucketResult><Contents><Key>cat.jpg</Key><Size>many</Size></Contents></ListBucketResult>"),
    Reply(200, b"<ListBucketResult><Contents><Key>cat.jpg</Key></Contents></ListBucketResult>"),
    Reply(200, b"<ListBucketResult><CommonPrefixes><Prefixed/></CommonPrefixes></ListBucketResult>"),
    Reply(200, b"[]"),
]


@pytest.mark.parametrize("reply", GARBAGE, ids=range(len(GARBAGE)))
@pytest.mark.parametrize("ref", [CAT, ODD], ids=["plain", "odd"])
def test_an_answer_that_is_none(store: ScriptedServer, ref: ObjectRef, reply: Reply) -> None:
    """Whatever comes of it, an object or a refusal: it is never an exception of a library."""
    store.script = lambda _: reply
    sources = sources_at(store)
    for ask in (
        lambda: sources.get(ref).read(),
        lambda: sources.head(ref),
        lambda: list(sources.list("", "ca")),
        lambda: sources.page("", "ca", "", 10),
    ):
        with contextlib.suppress(HandlerError):
            ask()

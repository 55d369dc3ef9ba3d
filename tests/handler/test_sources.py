"""What every kind of source has in common, over real protocols: S3 twice (moto, rclone) and a folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unicodedata import normalize

import pytest
from tests.stand_ins.moto import Moto
from tests.stand_ins.rclone import rclone_server

from handler.core.errors import Forbidden, HandlerError, NotFound, PayloadTooLarge
from handler.storage.sources import Sources, open_sources, origin_of, read_locations
from imaging import ObjectRef

KINDS = ("moto", "rclone", "folder")
# rclone keeps files: `a/` is `a` to it, and one normal form of Unicode the other.
EXACT = pytest.mark.parametrize("policy", ["moto", "folder"], indirect=True)
ODD_NAMES = (
    "a b.jpg", "a%20b.jpg", "100%.jpg", "a+b.jpg", "a%2Fb", "what?.jpg", "#1.jpg", '"', "`", "back\\slash.jpg",
    "😀.jpg",
    normalize("NFC", "é.jpg"), normalize("NFD", "é.jpg"), "[x]{y}*.jpg", "~&=;:@$,!()'<>|^", "deep/er/cat.jpg",
)  # fmt: skip
CAT = b"the bytes of a cat"


class Policy:
    """One source of a kind, into which a test puts objects."""

    def __init__(self, put: Callable[[str, bytes], object], reopen: Callable[[int], Sources]) -> None:
        self.put = put
        self.reopen = reopen
        self.sources = reopen(1000)


@pytest.fixture(params=KINDS)
def policy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Policy]:
    def into_folder(folder: Path) -> Callable[[str, bytes], object]:
        def put(key: str, body: bytes) -> None:
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_bytes(body)

        return put

    if request.param == "folder":
        yield Policy(into_folder(tmp_path), lambda limit: open_sources(f"pictures={tmp_path.as_uri()}", limit=limit))
    elif request.param == "rclone":
        (tmp_path / "pictures").mkdir()
        with rclone_server(tmp_path) as aws:
            yield Policy(
                into_folder(tmp_path / "pictures"), lambda limit: open_sources("pictures", limit=limit, aws=aws)
            )
    else:
        moto: Moto = request.getfixturevalue("moto")
        name = moto.bucket()

        def put(key: str, body: bytes) -> None:
            moto.s3.put_object(Bucket=name, Key=key, Body=body)

        yield Policy(put, lambda limit: open_sources(f"pictures=s3://{name}", limit=limit, aws=moto.access))


def test_an_object_and_its_facts(policy: Policy) -> None:
    policy.put("cat.jpg", CAT)
    stored = policy.sources.get(ObjectRef("", "cat.jpg"))
    assert stored.info.ref == ("pictures", "cat.jpg")
    assert stored.info.size == len(CAT)
    assert stored.info.etag
    assert '"' not in stored.info.etag
    assert (
        datetime.now(UTC) - timedelta(minutes=5) < stored.info.last_modified < datetime.now(UTC) + timedelta(minutes=1)
    )
    assert stored.read() == CAT
    head = policy.sources.head(ObjectRef("pictures", "cat.jpg"))
    assert (head.size, head.etag) == (stored.info.size, stored.info.etag)


def test_another_content_has_another_etag(policy: Policy) -> None:
    policy.put("cat.jpg", CAT)
    before = policy.sources.head(ObjectRef("", "cat.jpg")).etag
    policy.put("cat.jpg", CAT[::-1])
    assert policy.sources.head(ObjectRef("", "cat.jpg")).etag != before


def test_odd_keys(policy: Policy) -> None:
    for name in ODD_NAMES:
        policy.put(name, name.encode())
    for name in ODD_NAMES:
        assert policy.sources.get(ObjectRef("", name)).read() == name.encode(), name
        assert policy.sources.head(ObjectRef("", name)).ref.key == name
    assert {info.ref.key for info in policy.sources.list("", "")} == set(ODD_NAMES)


@EXACT
def test_the_other_normal_form_only_after_the_one_that_was_asked(policy: Policy) -> None:
    composed, decomposed = normalize("NFC", "Zoë.jpg"), normalize("NFD", "Zoë.jpg")
    policy.put(decomposed, b"decomposed")
    stored = policy.sources.get(ObjectRef("", composed))
    assert stored.read() == b"decomposed"
    assert stored.info.ref.key == decomposed
    policy.put(composed, b"composed")
    assert policy.sources.get(ObjectRef("", composed)).read() == b"composed"
    assert policy.sources.get(ObjectRef("", decomposed)).read() == b"decomposed"


@pytest.mark.parametrize(
    "key", ["", "missing.jpg", "..", "../cat.jpg", "a/../cat.jpg", "./cat.jpg", "cat.jpg/.", "\ud800", "k" * 1025]
)  # fmt: skip
def test_keys_that_lead_to_nothing(policy: Policy, key: str) -> None:
    policy.put("cat.jpg", CAT)
    for ask in (policy.sources.get, policy.sources.head):
        with pytest.raises(NotFound) as refused:
            ask(ObjectRef("", key))
        assert refused.value.code == "NoSuchKey"


@EXACT
@pytest.mark.parametrize("key", ["/", "cat.jpg/", "/cat.jpg", "//cat.jpg", "a//cat.jpg"])
def test_slashes_are_part_of_the_key(policy: Policy, key: str) -> None:
    policy.put("cat.jpg", CAT)
    policy.put("a/cat.jpg", CAT)
    with pytest.raises(NotFound):
        policy.sources.get(ObjectRef("", key))


def test_the_largest_object(policy: Policy) -> None:
    policy.put("largest", b"x" * 1000)
    policy.put("larger", b"x" * 1001)
    assert len(policy.sources.get(ObjectRef("", "largest")).read()) == 1000
    stored = policy.sources.get(ObjectRef("", "larger"))
    assert stored.info.size == 1001
    with pytest.raises(PayloadTooLarge, match="at most 1000 bytes, got 1001"):
        stored.read()


def test_several_chunks_arrive_in_order(policy: Policy) -> None:
    body = bytes(range(256)) * 8_000
    policy.put("large", body)
    assert policy.reopen(len(body)).get(ObjectRef("", "large")).read() == body


def test_an_empty_object(policy: Policy) -> None:
    policy.put("empty", b"")
    assert policy.sources.get(ObjectRef("", "empty")).read() == b""


def test_a_prefix_is_compared_as_text(policy: Policy) -> None:
    for key in ("cats/a.jpg", "cats/b.jpg", "cattle/c.jpg", "dogs/d.jpg", "cats.jpg"):
        policy.put(key, key.encode())

    def keys(prefix: str) -> list[str]:
        return sorted(info.ref.key for info in policy.sources.list("pictures", prefix))

    assert keys("cat") == ["cats.jpg", "cats/a.jpg", "cats/b.jpg", "cattle/c.jpg"]
    assert keys("cats/") == ["cats/a.jpg", "cats/b.jpg"]
    assert keys("cats/b") == ["cats/b.jpg"]
    assert keys("horses") == []
    (only,) = policy.sources.list("pictures", "dogs")
    assert only.size == len("dogs/d.jpg")
    assert only.etag == policy.sources.head(only.ref).etag


def test_a_bucket_that_is_not_listed(policy: Policy) -> None:
    asked = ObjectRef("elsewhere", "cat.jpg")
    for ask in (policy.sources.get, policy.sources.head, policy.sources.resolve):
        with pytest.raises(Forbidden) as refused:
            ask(asked)
        assert refused.value.code == "ImageBucket::CannotAccessBucket"
        assert "elsewhere" in refused.value.message


def test_the_first_is_the_default_and_others_may_be_named(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cat.jpg").write_bytes(name.encode())
    sources = open_sources(f"one={(tmp_path / 'one').as_uri()}, two={(tmp_path / 'two').as_uri()}", limit=100)
    assert sources.get(ObjectRef("", "cat.jpg")).read() == b"one"
    assert sources.get(ObjectRef("two", "cat.jpg")).read() == b"two"
    assert sources.resolve(ObjectRef("", "cat.jpg")) == ("one", "cat.jpg")


def test_no_source_at_all() -> None:
    with pytest.raises(Forbidden, match="no source is configured"):
        open_sources(" ", limit=1).get(ObjectRef("", "cat.jpg"))


PLACES = read_locations(
    "shop=https://Shop.example/media, big=https://shop.example/media/big/, other=https://other.example:8443"
)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://shop.example/media/cat.jpg", ("shop", "cat.jpg")),
        ("https://SHOP.example:443/media/a%20b.jpg", ("shop", "a b.jpg")),
        ("https://shop.example/media/big/cat.jpg", ("big", "cat.jpg")),
        ("https://shop.example/media/bigger/cat.jpg", ("shop", "bigger/cat.jpg")),
        ("https://other.example:8443/cat.jpg", ("other", "cat.jpg")),
        ("https://shop.example/mediator/cat.jpg", None),
        ("https://shop.example/cat.jpg", None),
        ("http://shop.example/media/cat.jpg", ("shop", "cat.jpg")),
        ("http://shop.example:81/media/cat.jpg", None),
        ("https://other.example/cat.jpg", None),
        ("https://shop.example.evil.example/media/cat.jpg", None),
        ("https://shop.example@evil.example/media/cat.jpg", None),
        ("https://user@shop.example/media/cat.jpg", None),
        ("https://shop.example/media/cat.jpg?width=1", None),
        ("https://shop.example/media/cat.jpg#part", None),
        ("https://[/media/cat.jpg", None),
        ("https://shop.example:port/media/cat.jpg", None),
    ],
)
def test_a_url_under_a_listed_origin(address: str, found: tuple[str, str] | None) -> None:
    assert origin_of(address, PLACES) == found


def test_a_key_that_is_a_url_is_resolved() -> None:
    sources = open_sources("photos,shop=https://shop.example/media", limit=1)
    assert sources.resolve(ObjectRef("", "https://shop.example/media/cat.jpg")) == ("shop", "cat.jpg")
    assert sources.resolve(ObjectRef("photos", "https://shop.example/media/cat.jpg")).bucket == "photos"
    with pytest.raises(Forbidden) as refused:
        sources.resolve(ObjectRef("", "https://evil.example/cat.jpg"))
    assert refused.value.code == "ImageBucket::CannotAccessBucket"


def test_nothing_heavy_is_imported_for_a_plain_key(moto: Moto) -> None:
    """Not at import, nor by reading one object."""
    name = moto.bucket(cat=CAT)
    program = f"""
import sys
from handler.aws import AwsAccess, Credentials
from handler.storage.sources import open_sources
from imaging import ObjectRef
assert "obstore" not in sys.modules
aws = AwsAccess(region="eu-west-1", endpoint_url="{moto.url}", credentials=Credentials("AKID", "secret"))
assert open_sources("{name}", limit=100, aws=aws).get(ObjectRef("", "cat")).read() == {CAT!r}
heavy = {{"boto3", "botocore", "botocore.session", "ssl", "http.client", "email", "unicodedata"}}
print(sorted(heavy & set(sys.modules)))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_refusals_are_of_the_declared_kinds(policy: Policy) -> None:
    """Any text at all as a key: an answer or a refusal, never another exception."""
    for key in (
        "\0",
        "a\0b",
        "\n",
        "\x7f",
        "\x80",
        "a" * 300,
        "/".join("abcdef" * 60),
        "%2e%2e/cat",
        "\u202e",
        "\ufffe",
    ):
        with pytest.raises(HandlerError) as refused:
            policy.sources.get(ObjectRef("", key))
        assert refused.value.status in {403, 404}, key

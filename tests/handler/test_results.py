"""Conditional writes over real protocols: S3 (moto), and a folder between threads and processes."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.stand_ins.moto import Moto
from tests.stand_ins.scripted_http import Reply, scripted_server

from handler.aws import AwsAccess, Credentials
from handler.core.errors import BadRequest, UpstreamError
from handler.core.ports import ObjectAttributes
from handler.storage.results import ResultStore, open_results
from handler.storage.sources import read_locations


@pytest.fixture(params=["moto", "folder"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], ResultStore]]:
    """Opens the same store again, as another function would."""
    if request.param == "folder":
        yield lambda: open_results(f"results={tmp_path.as_uri()}")
    else:
        moto: Moto = request.getfixturevalue("moto")
        name = moto.bucket()
        yield lambda: open_results(f"results=s3://{name}", aws=moto.access)


@pytest.fixture
def results(reopen: Callable[[], ResultStore]) -> ResultStore:
    return reopen()


def put(results: ResultStore, key: str, body: bytes, replaces: str | None = None, **metadata: str) -> bool:
    return results.put(key, body, ObjectAttributes("image/webp", "max-age=60", metadata), replaces=replaces)


def test_what_is_kept_with_a_picture(results: ResultStore) -> None:
    assert results.head("thumb/cat.jpg") is None
    assert put(results, "thumb/cat.jpg", b"cat", sequencer="00A1")
    info = results.head("thumb/cat.jpg")
    assert info is not None
    assert (info.size, info.content_type, info.cache_control) == (3, "image/webp", "max-age=60")
    assert info.metadata == {"sequencer": "00A1"}
    assert info.ref == ("results", "thumb/cat.jpg")


def test_what_is_kept_is_read_back(results: ResultStore) -> None:
    assert results.read("_private/cat.json") is None
    put(results, "_private/cat.json", b"{}")
    assert results.read("_private/cat.json") == b"{}"


def test_nothing_is_written_over_what_nobody_saw(results: ResultStore) -> None:
    assert put(results, "cat", b"one", sequencer="1")
    assert not put(results, "cat", b"two", sequencer="2")
    info = results.head("cat")
    assert info
    assert info.metadata["sequencer"] == "1"


def test_only_what_was_seen_is_replaced(results: ResultStore) -> None:
    put(results, "cat", b"one")
    seen = results.head("cat")
    assert seen
    assert put(results, "cat", b"two", seen.etag)
    assert not put(results, "cat", b"three", seen.etag)
    assert not put(results, "dog", b"dog", seen.etag)
    assert results.head("dog") is None


@pytest.mark.parametrize("key", ["a b/é+%?#.jpg", "thumb/photos/a/b/c.jpg", "thumb/photos/😀"])
def test_keys(results: ResultStore, key: str) -> None:
    assert put(results, key, b"cat")
    assert results.head(key)


@pytest.mark.parametrize("key", ["a/../b", "a/./b", "", "k" * 1025])
def test_keys_that_no_store_keeps(results: ResultStore, key: str) -> None:
    with pytest.raises(BadRequest):
        put(results, key, b"cat")
    with pytest.raises(BadRequest):
        results.head(key)


def test_of_many_writers_one_wins(reopen: Callable[[], ResultStore]) -> None:
    stores = [reopen() for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        for key in ("a", "b", "c"):
            won = list(pool.map(lambda n, key=key: put(stores[n % 4], key, b"%d" % n, number=str(n)), range(8)))
            assert won.count(True) == 1
            info = stores[0].head(key)
            assert info
            assert info.metadata["number"] == str(won.index(True))


def test_a_counter_loses_no_step(reopen: Callable[[], ResultStore]) -> None:
    """Each thread reads, adds one and writes, again until it wins."""
    results = reopen()

    def count(_: int) -> None:
        while True:
            seen = results.get("counter")
            next_ = int(seen.read()) + 1 if seen else 1
            if put(results, "counter", b"%d" % next_, seen.info.etag if seen else None):
                return

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(20)))
    assert results.read("counter") == b"20"


@pytest.mark.parametrize("key", ["photos//cat.jpg", "photos/bell\x07.jpg"])
def test_odd_keys_of_s3(moto: Moto, key: str) -> None:
    name = moto.bucket()
    results = open_results(name, aws=moto.access)
    assert results.head(key) is None
    assert put(results, key, b"one", sequencer="1")
    assert not put(results, key, b"two")
    seen = results.head(key)
    assert seen
    assert (seen.metadata, seen.content_type, seen.cache_control) == ({"sequencer": "1"}, "image/webp", "max-age=60")
    assert put(results, key, b"two", seen.etag)
    assert not put(results, key, b"three", seen.etag)
    assert not put(results, "missing//", b"three", seen.etag)
    assert moto.s3.get_object(Bucket=name, Key=key)["Body"].read() == b"two"


@pytest.mark.parametrize("key", ["cat.jpg", "cats//cat.jpg"])
def test_an_output_bucket_that_does_not_exist(moto: Moto, key: str) -> None:
    with pytest.raises(UpstreamError, match="output bucket does not exist"):
        put(open_results("no-such-bucket", aws=moto.access), key, b"cat")


@pytest.mark.parametrize("key", ["cat.jpg", "cats//cat.jpg"])
def test_a_store_that_fails(key: str) -> None:
    with scripted_server(lambda _: Reply(500)) as store:
        aws = AwsAccess(endpoint_url=store.url, credentials=Credentials("AKID", "secret"))
        with pytest.raises(UpstreamError):
            put(open_results("results", aws=aws), key, b"cat")


def test_a_picture_beyond_one_part_of_an_upload(moto: Moto) -> None:
    results = open_results(moto.bucket(), aws=moto.access)
    assert put(results, "large", b"x" * 6_000_000)
    assert not put(results, "large", b"y" * 6_000_000)


@pytest.mark.parametrize("key", [".results/lock", "a//b", "/a", "a/"])
def test_keys_that_a_folder_cannot_keep(tmp_path: Path, key: str) -> None:
    with pytest.raises(BadRequest):
        put(open_results(f"results={tmp_path.as_uri()}"), key, b"cat")


def test_a_folder_where_a_picture_should_be(tmp_path: Path) -> None:
    results = open_results(f"results={tmp_path.as_uri()}")
    put(results, "cats/cat.jpg", b"cat")
    with pytest.raises(UpstreamError):
        put(results, "cats", b"cats", "etag" if (info := results.head("cats")) is None else info.etag)
    with pytest.raises(UpstreamError):
        put(results, "cats/cat.jpg/kitten.jpg", b"kitten")
    assert sorted(path.name for path in (tmp_path / ".results").iterdir()) == ["cats", "lock"]


def test_a_picture_that_someone_else_put_there(tmp_path: Path) -> None:
    (tmp_path / "cat").write_bytes(b"by hand")
    results = open_results(f"results={tmp_path.as_uri()}")
    seen = results.head("cat")
    assert seen
    assert seen.metadata == {}
    assert not put(results, "cat", b"cat")
    assert put(results, "cat", b"cat", seen.etag)


def test_the_same_bytes_again_have_another_etag_in_a_folder(tmp_path: Path) -> None:
    results = open_results(f"results={tmp_path.as_uri()}")
    put(results, "cat", b"cat")
    first = results.head("cat")
    assert first
    put(results, "cat", b"cat", first.etag)
    second = results.head("cat")
    assert second
    assert second.etag != first.etag


def test_the_lock_of_a_folder_holds_between_processes(tmp_path: Path) -> None:
    program = f"""
import json
from handler.core.ports import ObjectAttributes
from handler.storage.results import open_results
results = open_results("results={tmp_path.as_uri()}")
print(json.dumps([results.put(f"k{{n}}", b"x", ObjectAttributes("a/b"), replaces=None) for n in range(40)]))
"""
    processes = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) for _ in range(3)]
    won = [json.loads(process.communicate()[0]) for process in processes]
    assert [sum(each) for each in zip(*won, strict=True)] == [1] * 40


class Killed(BaseException):
    """Ends a process at once."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", ["replace", "mkdir", "unlink", "exists"])
def test_a_write_to_a_folder_that_is_killed_is_there_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, after: bool
) -> None:
    """An object without its metadata would never be removed, because another program could have written it."""
    for fail_at in range(1, 20):
        results = open_results(f"results={tmp_path.as_uri()}")
        old = results.head("a/cat")
        calls = 0
        real = getattr(Path, name)

        def call(path: Path, *args: Any, real: Any = real, fail_at: int = fail_at, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == fail_at and not after:
                raise Killed
            result = real(path, *args, **options)
            if calls == fail_at:
                raise Killed
            return result

        body = f"body {fail_at}".encode()
        with monkeypatch.context() as patched, suppress(Killed):
            patched.setattr(Path, name, call)
            put(results, "a/cat", body, old.etag if old else None, number=str(fail_at))
        found = results.head("a/cat")
        new = {"number": str(fail_at)}
        assert (found.metadata if found else None) in (new, old.metadata if old else None)
        assert (results.read("a/cat") == body) == (found is not None and found.metadata == new)
        if fail_at % 2:
            results.delete(["a/cat"])
            left = [path.name for path in tmp_path.rglob("*") if path.is_file() and path.name != "lock"]
            assert left == []
        elif found:
            assert put(results, "a/cat", body, found.etag, number="0")
        if calls < fail_at:
            return
    pytest.fail("a write takes 20 calls")


def test_the_objects_of_a_whole_folder_are_listed(tmp_path: Path) -> None:
    results = open_results(f"results={tmp_path.as_uri()}")
    assert list(results.list("")) == []
    put(results, "a/cat", b"cat")
    put(results, "dog", b"dog")
    results.link("dog", 1)
    assert [info.ref.key for info in results.list("")] == ["a/cat", "dog"]


@pytest.mark.parametrize("left", [b"", b"x" * 31])
def test_what_a_full_disk_left_of_the_secret_signs_nothing(tmp_path: Path, left: bytes) -> None:
    (tmp_path / ".results").mkdir()
    secret = tmp_path / ".results" / "secret"
    secret.write_bytes(left)
    results = open_results(f"results={tmp_path.as_uri()}")
    until = str(int(time.time()) + 60)
    forged = hmac.new(left, f"cat\n{until}".encode(), hashlib.sha256).hexdigest()
    assert not results.admits("cat", until, forged)
    said = dict(parse_qsl(urlsplit(results.link("cat", 60)).query))
    assert open_results(f"results={tmp_path.as_uri()}").admits("cat", said["until"], said["proof"])
    assert (len(secret.read_bytes()), secret.stat().st_mode & 0o777) == (32, 0o600)


def test_a_disk_that_is_full_when_the_secret_is_made(tmp_path: Path) -> None:
    program = f"""
import resource, signal
from handler.core.errors import UpstreamError
from handler.storage.results import open_results
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
try:
    open_results("results={tmp_path.as_uri()}").link("cat", 60)
except UpstreamError:
    print("refused")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "refused\n", done.stderr
    assert [path.name for path in (tmp_path / ".results").iterdir()] == ["lock"]


@pytest.mark.parametrize("spec", ["", "one,two", "x=gs://bucket", "x=https://host", "a b"])
def test_places_that_results_cannot_be_kept_in(spec: str) -> None:
    with pytest.raises(ValueError, match="OUTPUT_BUCKET"):
        open_results(spec)


def test_results_are_not_kept_in_a_source(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    folder = (tmp_path / "in").as_uri()
    sources = read_locations(f"photos,shop=s3://shop/media?endpoint=https://minio.example,local={folder}")
    for spec in (
        "photos",
        "out=s3://photos/results",
        f"out={folder}",
        f"out={folder}/deep",
        f"out={tmp_path.as_uri()}",
    ):
        with pytest.raises(ValueError, match="OUTPUT_BUCKET must not overlap with SOURCE_BUCKETS"):
            open_results(spec, sources=sources)
    for spec in ("results", "out=s3://shop", f"out={(tmp_path / 'out').as_uri()}"):
        assert open_results(spec, sources=sources).location.name in {"results", "out"}


def test_an_output_bucket_at_the_same_endpoint_as_a_source() -> None:
    sources = read_locations("shop=s3://shop/media?endpoint=https://minio.example")
    with pytest.raises(ValueError, match="`shop`"):
        open_results("out=s3://shop/results?endpoint=https://minio.example", sources=sources)


FULL_DISK = """
import resource, sys
from handler.core.errors import UpstreamError
from handler.storage.results import open_results

results = open_results(sys.argv[1])
def put(key, body, replaces=None):
    return results.put(key, body, ObjectAttributes("image/webp", "no-store"), replaces=replaces)
from handler.core.ports import ObjectAttributes

assert put("kept", b"k" * 5_000)
# No file may be longer from here on; Python ignores the signal, and a write beyond that fails half-way.
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
for key, replaces in (("new", None), ("kept", results.head("kept").etag)):
    try:
        put(key, b"x" * 50_000, replaces)
    except UpstreamError as error:
        assert error.status == 502, error.status
    else:
        raise SystemExit("a write on a full disk succeeded")
assert results.head("new") is None and results.read("new") is None
assert results.read("kept") == b"k" * 5_000
assert put("small", b"s" * 10_000)
"""


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, f"results={tmp_path.as_uri()}"],
        env={"PYTHONPATH": "src", "PATH": "/usr/bin"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert left == [".results/kept.json", ".results/lock", ".results/small.json", "kept", "small"]

"""A results bucket that is slow, hangs or fails: a picture never waits for it for long, and is drawn without it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests import pictures
from tests.client import Client
from tests.handler.detection.test_cache import CAT, Looker
from tests.stand_ins.scripted_http import ParsedRequest, Reply, scripted_server

from handler.aws import AwsAccess, Credentials
from handler.core.circuit_breaker import OPEN_SECONDS, BreakerOpen, CircuitBreaker
from handler.core.errors import NotFound, UpstreamError
from handler.detection.cache import DetectionCache
from handler.storage.result_cache import LOOKUP_SECONDS, STORE_SECONDS
from handler.storage.results import open_results
from imaging import Deadline

AVIF = "/cat.jpg?width=40&format=avif"
LONG = 60.0


def of_half(_: ParsedRequest) -> Reply:
    """A body that stops in the middle, so that the facts of an object are there at once."""
    headers = {
        "ETag": '"e"', "Last-Modified": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()),
        "Content-Type": "image/avif",
    }  # fmt: skip
    return Reply(200, b"x" * 100_000, headers, sent=10)


SCRIPTS: dict[str, Callable[[ParsedRequest], Reply]] = {
    "silent": lambda _: Reply(before=LONG),
    "dripping": lambda _: Reply(between=1),
    "failing": lambda _: Reply(500),
    "busy": lambda _: Reply(503),
    "garbage": lambda _: Reply(200, b"<Error", {"ETag": "x", "Last-Modified": "yesterday"}),
    "half": of_half,
    "redirecting": lambda _: Reply(301),
    "looks up, does not store": lambda asked: Reply(404) if asked.method in {"GET", "HEAD"} else Reply(before=LONG),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cat.jpg").write_bytes(pictures.jpeg())
    return tmp_path


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_the_picture_is_drawn_all_the_same(folder: Path, script: Callable[[ParsedRequest], Reply]) -> None:
    with scripted_server(script) as server:
        client = Client(
            {
                "SOURCE_BUCKETS": f"p=file://{folder}",
                "RESULTS_BUCKET": f"results=s3://shelf?endpoint={server.url}",
                "STORE_RESULTS": "Yes",
                "AWS_ACCESS_KEY_ID": "AKID",
                "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_SESSION_TOKEN": "token",
            }
        )
        started = time.monotonic()
        assert client.get(AVIF).status == 200
        assert time.monotonic() - started < LOOKUP_SECONDS + STORE_SECONDS + 30


def test_a_slow_bucket_is_left_alone_for_a_while(folder: Path) -> None:
    with scripted_server(SCRIPTS["silent"]) as server:
        client = Client(
            {
                "SOURCE_BUCKETS": f"p=file://{folder}",
                "RESULTS_BUCKET": f"results=s3://shelf?endpoint={server.url}",
                "STORE_RESULTS": "Yes",
                "AWS_ACCESS_KEY_ID": "AKID",
                "AWS_SECRET_ACCESS_KEY": "secret",
            }
        )
        assert client.get(AVIF).status == 200
        asked = len(server.asked)
        assert [client.get(f"/cat.jpg?width={width}&format=avif").status for width in (30, 50)] == [200, 200]
        assert len(server.asked) == asked


def test_what_was_seen_is_kept_without_delay() -> None:
    with scripted_server(SCRIPTS["silent"]) as server:
        aws = AwsAccess(endpoint_url=server.url, credentials=Credentials("AKID", "secret"))
        known, look = DetectionCache(open_results("r", aws=aws)), Looker()
        started = time.monotonic()
        known.of(CAT, "faces", look, Deadline())
        known.of(CAT, "objects", look, Deadline())
        assert time.monotonic() - started < 40
        assert look.count == 2


def test_a_call_ends_in_time_and_the_next_is_not_made() -> None:
    now = [100.0]
    breaker = CircuitBreaker(lambda: now[0])
    assert breaker.call(lambda: "answer", 5) == "answer"
    release = threading.Event()
    with pytest.raises(UpstreamError, match="in time"):
        breaker.call(lambda: release.wait(20), 0.05)
    with pytest.raises(BreakerOpen):
        breaker.call(lambda: "answer", 5)
    now[0] += OPEN_SECONDS
    assert breaker.call(lambda: "answer", 5) == "answer"
    release.set()


def raising(error: BaseException) -> Callable[[], None]:
    def call() -> None:
        raise error

    return call


def test_a_refusal_is_no_failure() -> None:
    breaker = CircuitBreaker(lambda: 0.0)
    with pytest.raises(NotFound):
        breaker.call(raising(NotFound("no such key")), 5)
    assert breaker.call(lambda: 1, 5) == 1
    with pytest.raises(ZeroDivisionError):
        breaker.call(raising(ZeroDivisionError()), 5)
    with pytest.raises(BreakerOpen):
        breaker.call(lambda: 1, 5)


def test_calls_left_behind_are_bounded() -> None:
    now = [0.0]
    breaker = CircuitBreaker(lambda: now[0])
    release = threading.Event()
    threads = threading.active_count()
    for _ in range(100):
        now[0] += OPEN_SECONDS
        with pytest.raises(UpstreamError):
            breaker.call(lambda: release.wait(20), 0.001)
    assert threading.active_count() - threads <= 32
    release.set()
    deadline = time.monotonic() + 20
    while threading.active_count() > threads:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    now[0] += OPEN_SECONDS
    assert breaker.call(lambda: 1, 5) == 1

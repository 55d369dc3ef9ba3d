"""What a server keeps in memory of the results that took no pixels."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests import pictures
from tests.client import Answered, Client
from tests.local_server import SAMPLES, serving

from handler.composition.server import adapt_to_server
from handler.entrypoints.http_call import HttpRequest
from handler.entrypoints.server.at_once import build_at_once
from handler.render.results import RenderedResult, ResultFacts
from handler.requests.image_request import ImageRequest
from handler.storage.recent_results import LIFE_SECONDS, MAX_BODY, MAX_BYTES, RecentResults
from imaging import Deadline, ObjectRef

MODIFIED = datetime(2026, 1, 1, tzinfo=UTC)
STORED = "/cat.jpg?width=40&format=avif"
"""What is stored, because AVIF takes long."""


@pytest.fixture
def client(tmp_path: Path) -> Client:
    for name in ("images", "results"):
        (tmp_path / name).mkdir()
    (tmp_path / "images" / "cat.jpg").write_bytes(pictures.jpeg())
    client = Client({
        "SOURCE_BUCKETS": f"images={(tmp_path / 'images').as_uri()}",
        "STORE_RESULTS": "Yes", "RESULTS_BUCKET": f"results={(tmp_path / 'results').as_uri()}",
    })  # fmt: skip
    client.application = adapt_to_server(client.application)
    return client


def remove_results(tmp_path: Path) -> None:
    for path in (tmp_path / "results" / "private").rglob("*"):
        if path.is_file():
            path.unlink()


def same(one: Answered, other: Answered) -> bool:
    return (one.status, one.headers, one.body) == (other.status, other.headers, other.body)


def test_a_stored_result_is_read_once_and_rendered_never_again(client: Client, tmp_path: Path) -> None:
    first, second = client.get(STORED), client.get(STORED)
    assert same(first, second)
    remove_results(tmp_path)
    third = client.get(STORED)
    assert same(first, third)
    assert not [path for path in (tmp_path / "results" / "private").rglob("*") if path.is_file()]


def test_a_rendered_result_that_is_not_stored_is_rendered_again(client: Client) -> None:
    client.get("/cat.jpg?width=40")
    recent = client.application.http.recent
    assert recent is not None
    assert recent.size == 0
    client.get("/cat.jpg")
    assert 0 < recent.size < MAX_BYTES


@pytest.mark.parametrize("query", ["", "width=40&format=avif"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_in_memory_needs_no_worker_as_long_as_the_file_is_the_same(
    client: Client, tmp_path: Path, query: str, method: str
) -> None:
    http = client.application.http
    at_once = build_at_once(http)
    assert at_once is not None
    request = HttpRequest(method, "/cat.jpg", encoded=True, query=query, headers={})
    assert at_once(request) is None
    assert at_once(request) is None  # it is left to the workers for some seconds from here on
    again = build_at_once(http)
    assert again is not None
    expected = [http.answer(request, Deadline()) for _ in range(2)][1]
    assert again(request) is None
    assert again(request) == expected
    (tmp_path / "images" / "cat.jpg").write_bytes(pictures.png())
    assert again(request) is None
    changed = http.answer(request, Deadline())
    assert changed.headers["ETag"] != expected.headers["ETag"]
    (tmp_path / "images" / "cat.jpg").unlink()
    assert build_at_once(http) is not None
    assert client.get("/cat.jpg").status == 404


def request() -> ImageRequest:
    return ImageRequest(ObjectRef("images", "cat.jpg"))


def result(etag: str, size: int = 10) -> RenderedResult:
    return RenderedResult(ResultFacts(etag, MODIFIED, tags=("tag",)), b"x" * size, "image/jpeg")


def test_it_is_bounded_and_keeps_what_is_used() -> None:
    recent = RecentResults(None)
    first = result("first", MAX_BODY)
    recent.store(request(), first, 1, Deadline())
    for number in range(2 * MAX_BYTES // MAX_BODY):
        recent.store(request(), result(str(number), MAX_BODY), 1, Deadline())
        assert recent.size <= MAX_BYTES
        assert recent.find(first.facts) == first
    assert recent.find(result("0").facts) is None
    recent.store(request(), result("large", MAX_BODY + 1), 1, Deadline())
    assert recent.find(result("large").facts) is None


def test_it_forgets_after_a_while() -> None:
    now = [0.0]
    recent = RecentResults(None, lambda: now[0])
    recent.store(request(), result("a"), 1, Deadline())
    now[0] = LIFE_SECONDS
    assert recent.find(result("a").facts) is not None
    now[0] += 0.1
    assert recent.find(result("a").facts) is None
    assert recent.size == 0


@pytest.mark.parametrize(
    "facts", [ResultFacts("a", MODIFIED, tags=("tag",), is_cacheable=False), ResultFacts("a", MODIFIED)]
)
def test_what_may_differ_next_time_is_not_kept(facts: ResultFacts) -> None:
    recent = RecentResults(None)
    recent.store(request(), RenderedResult(facts, b"x", "image/jpeg"), 1, Deadline())
    assert recent.size == 0


def test_the_server_sends_what_is_in_the_file_now(tmp_path: Path) -> None:
    images = [(SAMPLES / "photos" / name).read_bytes() for name in ("cat.jpg", "coffee.jpg")]
    with serving(tmp_path) as server:
        for number in range(6):
            # Another file in its place, as programs do that write files safely.
            (tmp_path / "new").write_bytes(images[number % 2])
            os.utime(tmp_path / "new", (number, number))
            (tmp_path / "new").rename(tmp_path / "a.jpg")
            answers = [server.ask("/a.jpg") for _ in range(4)]
            assert len({answer.body for answer in answers}) == len({answer.headers["etag"] for answer in answers}) == 1
            head = server.ask("/a.jpg", "HEAD")
            assert (head.body, head.headers["content-length"]) == (b"", str(len(answers[0].body)))
            assert server.ask("/a.jpg", If_None_Match=answers[0].headers["etag"]).status == 304
            assert abs(len(answers[0].body) - len(images[number % 2])) < 20_000
        (tmp_path / "a.jpg").unlink()
        assert server.ask("/a.jpg").status == 404

"""What objects say of caching is never loosened by a URL, in any dialect."""

from __future__ import annotations

import base64
import json

import pytest
from tests import pictures
from tests.client import Client
from tests.stand_ins.scripted_http import ParsedRequest, Reply, scripted_server

from handler.core.http_headers import directives, freshness, is_looser, restricting_directives, strictest

CLOSED = ["private, no-store", "No-Store", "private", "no-cache, max-age=9", 'private="Set-Cookie", max-age=60']
YEAR = "public, max-age=31536000"


def in_json(**said: object) -> str:
    return "/" + base64.urlsafe_b64encode(json.dumps({"key": "closed.png", **said}).encode()).decode()


def addresses(cache_control: str = YEAR) -> list[str]:
    """The ways to set headers: those of an answer that is drawn, and of the original as it is."""
    headers = {"headers": {"cache-control": cache_control, "Expires": "Fri, 31 Dec 2099 23:59:59 GMT"}}
    return [
        in_json(**headers),
        in_json(**headers, edits={"resize": {"width": 3}}),
        "/unsafe/filters:max_age(31536000)/closed.png",
        "/unsafe/3x3/filters:max_age(31536000):max_age(0)/closed.png",
        "/closed.png?expires=20991231T235959Z",
        "/open.png?watermark.key=closed.png",
        "/open.png?watermark.key=closed.png&expires=20991231T235959Z",
    ]


def answers(cache_control: str, paths: list[str]) -> list[dict[str, str]]:
    """Headers of the answers, where closed.png has this Cache-Control and open.png says nothing."""
    body = pictures.png(pictures.scene(8, 8))

    def served(asked: ParsedRequest) -> Reply:
        headers = {"ETag": '"1"', "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT", "Content-Type": "image/png"}
        if asked.path.endswith("closed.png"):
            headers["Cache-Control"] = cache_control
        return Reply(200, body, headers)

    keys = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}
    with scripted_server(served) as server:
        client = Client({"SOURCE_BUCKETS": "shop", "AWS_ENDPOINT_URL": server.url, **keys})
        found = [client.get(path) for path in paths]
    assert {answer.status for answer in found} == {200}, found
    return [{name.lower(): value for name, value in answer.headers.items()} for answer in found]


@pytest.mark.parametrize("cache_control", CLOSED)
def test_a_url_does_not_open_what_an_object_closes(cache_control: str) -> None:
    for headers in answers(cache_control, addresses()):
        said = directives(headers["cache-control"])
        assert set(said) >= set(restricting_directives(cache_control)), headers
        assert "public" not in said
        assert freshness(headers["cache-control"], 9) == 0


@pytest.mark.parametrize("cache_control", ["no-store", "private, no-cache, no-store, max-age=0"])
def test_a_url_may_close_further(cache_control: str) -> None:
    for headers in answers("private", addresses(cache_control)[:2]):
        assert headers["cache-control"] == cache_control


def test_a_url_decides_where_the_object_leaves_it_open() -> None:
    for headers in answers("public, max-age=60", addresses()[:3]):
        assert headers["cache-control"] == YEAR


@pytest.mark.parametrize(
    ("new", "than", "looser"),
    [
        ("public, max-age=9", "private", True),
        ("private", "private", False),
        ('private="X"', "private", True),
        ("private", "private, no-store", True),
        ("no-cache", "private", True),
        ("NO-STORE", "private, no-cache", False),
        ("", "no-cache", True),
        ("", "", False),
        ("public", "public, max-age=1", False),
    ],
)
def test_looser(new: str, than: str, looser: bool) -> None:
    assert is_looser(new, than) is looser


@pytest.mark.parametrize(
    ("own", "others", "expected"),
    [
        ("", [], ""),
        ("public, max-age=9", ["max-age=3", ""], "public, max-age=9"),
        ("public, max-age=9", ["private, max-age=3"], "private"),
        ("no-store", ["private"], "no-store, private"),
        ("private, max-age=9", ["private"], "private, max-age=9"),
        ("", ["no-cache", "no-store"], "no-store, no-cache"),
    ],
)
def test_the_strictest_counts(own: str, others: list[str], expected: str) -> None:
    assert strictest(own, others) == expected

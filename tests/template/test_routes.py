"""The template's behaviours and the local server's pages: the same paths are the service's own in both."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest
from tests.template.cdn import CACHING_DISABLED, Distribution
from tests.template.samples import LEAST
from tests.template.stack import Stack
from tests.template.test_doctor import stack

# Path, origin of the behaviour, whether the edge kept it from the cache, and what the local server answers.
ROUTES = [
    ("/retina.jpg?width=20", "api", False, 200),
    ("/_key/retina.jpg?width=20", "api", False, 200),
    ("/unsafe/20x20/retina.jpg", "api", False, 200),
    ("/_canvas?width=20&height=10&color=red", "api", False, 200),
    ("/nothing.jpg", "api", False, 404),
    ("/_health", "api", False, 200),
    ("/_ready", "api", False, 200),
    ("/_api/openapi.json", "api", True, 200),
    ("/_api/docs", "api", True, 200),
    ("/_docs/", "api", False, 200),
    ("/_docs/signing", "api", False, 200),
    ("/_docs/site/docs.css", "api", False, 200),
    ("/_docs/nothing", "api", False, 404),
    ("/_api/images", "api", True, 401),
    ("/_api/nothing", "api", True, 404),
    ("/_results/0123", "results", False, 404),
    ("/_results/private/x", "results", False, 404),
    ("/_demo/index.html", "demo", False, 200),
    ("/_demo/nothing.js", "demo", False, 404),
    ("/_nothing", "api", False, 404),
]


@pytest.fixture(scope="module")
def cdn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Distribution]:
    with stack(tmp_path_factory.mktemp("routes")) as running:
        yield running


@pytest.mark.parametrize(("address", "origin", "uncached", "status"), ROUTES)
def test_where_it_goes_and_what_comes(
    cdn: Distribution, address: str, origin: str, uncached: bool, status: int
) -> None:
    behaviour = cdn.behaviour(address.partition("?")[0])
    assert behaviour["TargetOriginId"] == origin
    assert (behaviour["CachePolicyId"] == CACHING_DISABLED) is uncached
    host = cdn.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=40)
    connection.request("GET", address)
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.status == status


def test_every_behaviour_is_in_the_table() -> None:
    behaviours = Stack(LEAST).resources["Distribution"]["DistributionConfig"]["CacheBehaviors"]
    for pattern in (behaviour["PathPattern"].removesuffix("*") for behaviour in behaviours):
        assert any(address.startswith(pattern) for address, *_ in ROUTES), pattern

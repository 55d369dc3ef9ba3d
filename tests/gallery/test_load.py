"""Fifty visitors at the same time: nothing but an honest refusal, and nothing that was accepted is lost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from tests import pictures
from tests.gallery.test_limits import serving_gallery
from tests.gallery.visiting import Browser, Reply, over_http
from tests.local_server import Server
from tests.stand_ins.postgres import Postgres

pytestmark = pytest.mark.slow

VISITORS, PICTURES = 50, 10
CUT_OUTS = 12
"""Visitors that cut out one of their pictures; the model takes about a second for each."""
REFUSALS = {(429, "too_many_uploads"), (503, "TooManyRequests")}
_SECONDS = 240
"""After which something hangs."""


class Visit:
    """One visitor, whose tabs are spread over all servers, and what became of each request."""

    def __init__(self, servers: list[Server], number: int) -> None:
        self.browsers = [Browser(over_http(server)) for server in servers]
        self.number = number
        self.kept: set[str] = set()
        self.refused: list[tuple[int, str, bool]] = []
        self.cut_out: list[str] = []

    def run(self) -> None:
        first = self.browsers[0]
        self._send(lambda each: each.ask("GET", "/session"), 0)
        for browser in self.browsers:
            browser.cookie = first.cookie
        for picture in range(PICTURES):
            image = pictures.png(pictures.scene(40 + picture, 30 + self.number))
            reply = self._send(partial(Browser.upload, image=image, name=f"{picture}.png"), picture)
            assert reply.status == 201, reply.body
            self.kept.add(reply.json()["id"])
        if self.number < CUT_OUTS:
            self._cut_out(first)

    def _send(self, send: Callable[[Browser], Reply], turn: int) -> Reply:
        """Send a request until it is not refused, each time after the pause that the answer names."""
        until = time.monotonic() + _SECONDS
        while True:
            reply = send(self.browsers[turn % len(self.browsers)])
            if reply.status not in (429, 503):
                return reply
            self.refused.append((reply.status, reply.code, "retry-after" in reply.headers))
            assert time.monotonic() < until, reply.body
            time.sleep(int(reply.headers.get("retry-after", "1")))

    def _cut_out(self, browser: Browser) -> None:
        picture = browser.wait(min(self.kept))
        assert picture["status"] == "ready"
        result = self._send(lambda each: each.post(f"/pictures/{picture['id']}/results", recipe="cutout"), 0)
        image = self._send(lambda each: each.fetch(result.json()["url"]), self.number)
        assert (image.status, image.headers["content-type"]) == (200, "image/png"), image.body
        self.cut_out.append(result.json()["id"])


def check(visits: list[Visit]) -> None:
    """Check that everything accepted is there, is finished, and belongs to its visitor."""
    refusals = {refused for visit in visits for refused in visit.refused}
    assert refusals <= {(status, code, True) for status, code in REFUSALS}
    until = time.monotonic() + _SECONDS
    for visit in visits:
        for browser in visit.browsers:
            while (found := Counter(each["status"] for each in browser.pictures())) != {"ready": PICTURES}:
                assert set(found) <= {"ready", "processing", "uploading"}, found
                assert time.monotonic() < until, found
                time.sleep(0.2)
            listed = browser.pictures()
            assert {each["id"] for each in listed} == visit.kept
            assert [each["id"] for picture in listed for each in picture["results"]] == visit.cut_out
    everything = [identifier for visit in visits for identifier in visit.kept]
    assert len(set(everything)) == VISITORS * PICTURES


@pytest.fixture(params=["sqlite", "postgresql"])
def servers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Server]]:
    """One server with SQLite, or two with PostgreSQL."""
    # All of them have one address, whose limit is not what is tested here.
    more = {"GALLERY_UPLOADS_PER_HOUR": "100000"}
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        more["RECORDS"] = postgres.create_database()
    with ExitStack() as opened:
        yield [opened.enter_context(serving_gallery(tmp_path, **more)) for _ in range(2 if "RECORDS" in more else 1)]


def test_fifty_visitors_upload_five_hundred_pictures(servers: list[Server]) -> None:
    visits = [Visit(servers, number) for number in range(VISITORS)]
    with ThreadPoolExecutor(VISITORS) as pool:
        for done in [pool.submit(visit.run) for visit in visits]:
            done.result()
    check(visits)

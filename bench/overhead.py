"""What a request costs beside its pixels: processor time of the handler, in this process, without a server."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.client import Client

from bench import extent, goals, pictures
from bench.drive_handler import http_event
from bench.load import MEDIUM, SMALL
from handler.app import answer_call
from handler.composition import wiring
from handler.entrypoints.http_call import HttpRequest, read_http_request
from handler.entrypoints.server.workers import Remaining
from handler.observability.logs import set_log_level
from handler.response import Answer
from imaging import run

ROUNDS, REQUESTS = 7, 40
GOALS = {"304": 0.3, "stored result": 0.5, "small image, beyond pixels": 0.7, "large image, beyond pixels": 0.7}


def _milliseconds(work: Callable[[], Answer], *, status: int, beside: list[float] | None = None) -> float:
    """Return the least processor time of a request in milliseconds, less what `beside` notes meanwhile in seconds."""
    figures = []
    for _ in range(extent.rounds(ROUNDS)):
        del (beside or [])[:]
        started = time.process_time()
        for _ in range(REQUESTS if beside is None else 4):
            if (answer := work()).status != status:
                raise RuntimeError(f"the handler must answer {status}, got {answer.status}")
        spent = time.process_time() - started - sum(beside or [])
        figures.append(spent / (REQUESTS if beside is None else 4) * 1000)
    return min(figures)


def _call(key: str, parameters: dict[str, str], headers: dict[str, str] | None = None) -> Callable[[], Answer]:
    event = http_event(key, parameters, headers)
    request: HttpRequest = read_http_request(event)
    return lambda: answer_call(request, Remaining(time.monotonic() + 29))


def table(_: str) -> Iterator[str]:
    """Yield the lines of the part `overhead`."""
    for picture in (SMALL, MEDIUM):
        pictures.make(picture)
    yield ""
    yield "## Beside the pixels: processor time of a request, handler alone"
    yield ""
    yield "| request | ms | goal, ms | |"
    yield "|---|---|---|---|"
    with tempfile.TemporaryDirectory() as results:
        stores = {"STORE_RESULTS": "Yes", "RESULTS_BUCKET": f"results={Path(results).as_uri()}"}
        for name, figure in _measure(stores):
            goal = GOALS.get(name)
            verdict = goals.note("overhead", f"{name}, ms", figure, goal) if goal else ""
            yield f"| {name} | {figure:.2f} | {goal or ''} | {verdict} |"


def _measure(stores: dict[str, str]) -> Iterator[tuple[str, float]]:
    client = Client({"SOURCE_BUCKETS": f"p={pictures.CACHE.as_uri()}", **stores})
    wiring.use(client.application)
    set_log_level("WARNING")
    etag = _call(SMALL.key, {})().headers["ETag"]
    yield "304", _milliseconds(_call(SMALL.key, {}, {"if-none-match": etag}), status=304)
    yield "unedited original", _milliseconds(_call(SMALL.key, {}), status=200)
    # Stored, as it is drawn from more than 2 MB.
    yield "stored result", _milliseconds(_call(MEDIUM.key, {"width": "800", "format": "webp"}), status=200)
    client = Client({"SOURCE_BUCKETS": f"p={pictures.CACHE.as_uri()}"})
    wiring.use(client.application)
    for name, picture in (("small image, beyond pixels", SMALL), ("large image, beyond pixels", MEDIUM)):
        with _timed_engine() as engine:
            work = _call(picture.key, {"width": "300", "format": "jpeg"})
            yield name, _milliseconds(work, status=200, beside=engine)


@contextmanager
def _timed_engine() -> Iterator[list[float]]:
    """Note the processor seconds of each run of the engine, its threads included."""
    noted: list[float] = []

    def timed(*arguments: Any) -> Any:
        started = time.process_time()
        try:
            return run(*arguments)
        finally:
            noted.append(time.process_time() - started)

    with patch("handler.render.render.run", timed):
        yield noted

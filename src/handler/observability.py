"""One log line and a few metrics for each request; no secrets, no signed addresses."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any

from handler.settings import trace_id

if TYPE_CHECKING:
    from aws_lambda_powertools.logging import Logger

SERVICE = "image-handler"
_log = logging.getLogger(SERVICE)


def log_from(level: str) -> None:
    """What is below that level is not logged."""
    _log.setLevel(level)


@cache
def logger() -> Logger:
    """The service's logger for what does not happen at every request; JSON lines on standard output."""
    from aws_lambda_powertools.logging import Logger  # noqa: PLC0415 - a tenth of a cold start

    level = _log.level or logging.INFO
    made = Logger(service=SERVICE, level=level)
    # What `log_from` said; left to itself, powertools takes TRACE for a wish to hear little.
    _log.setLevel(level)
    return made


_facts: ContextVar[dict[str, Any] | None] = ContextVar("facts", default=None)


def note(**known: object) -> None:
    """Add to the line that the request at work will log; nothing where none is."""
    facts = _facts.get()
    if facts is not None:
        facts.update(known)


@contextmanager
def observed(door: str, **known: Any) -> Iterator[dict[str, Any]]:
    """Log what a door did, how long it took and what it adds to the yielded facts."""
    facts: dict[str, Any] = {"door": door, **known}
    started = time.perf_counter()
    outer = _facts.set(facts)
    try:
        yield facts
    finally:
        _facts.reset(outer)
        facts["milliseconds"] = round((time.perf_counter() - started) * 1000, 1)
        _tell(facts)


def _tell(facts: dict[str, Any]) -> None:
    """The line of a request, in the words and the order of `logger`, which is not imported for its sake."""
    if not (_log.level or logging.INFO) <= logging.INFO:
        return
    now = time.time()
    moment = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(now))},{int(now % 1 * 1000):03d}{time.strftime('%z')}"
    line = {"level": "INFO", "message": "request", "timestamp": moment, "service": SERVICE, **facts}
    if trace := trace_id():
        line["xray_trace_id"] = trace
    sys.stdout.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()

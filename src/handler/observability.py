"""One log line and a few metrics for each request; no secrets, no signed addresses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger


@cache
def logger() -> Logger:
    """The service's logger; JSON lines on standard output."""
    return Logger(service="image-handler")


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
        logger().info("request", extra=facts)

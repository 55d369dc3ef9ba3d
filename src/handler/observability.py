"""One log line and a few metrics for each request; no secrets, no signed addresses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger


@cache
def logger() -> Logger:
    """The service's logger; JSON lines on standard output."""
    return Logger(service="image-handler")


@contextmanager
def observed(door: str, **known: Any) -> Iterator[dict[str, Any]]:
    """Log what a door did, how long it took and what it adds to the yielded facts."""
    facts: dict[str, Any] = {"door": door, **known}
    started = time.perf_counter()
    try:
        yield facts
    finally:
        facts["milliseconds"] = round((time.perf_counter() - started) * 1000, 1)
        logger().info("request", extra=facts)

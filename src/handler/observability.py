"""One log line and a few metrics for each request; no secrets, no signed addresses."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any

from handler.config import trace_id
from handler.redaction import redact_text

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
    made.addFilter(_without_secrets)
    return made


def _without_secrets(record: logging.LogRecord) -> bool:
    """Redact what a record quotes; it is logged in any case."""
    for name in _QUOTING:
        if isinstance(quoting := record.__dict__.get(name), str):
            record.__dict__[name] = redact_text(quoting)
    return True


_facts: ContextVar[dict[str, Any] | None] = ContextVar("facts", default=None)


def add_log_fields(**known: object) -> None:
    """Add to the line that the request at work will log; nothing where none is."""
    facts = _facts.get()
    if facts is not None:
        facts.update(known)


@contextmanager
def log_request(door: str, **known: Any) -> Iterator[dict[str, Any]]:
    """Log what a door did, how long it took and what it adds to the yielded facts."""
    facts: dict[str, Any] = {"door": door, **known}
    started = time.perf_counter()
    outer = _facts.set(facts)
    try:
        yield facts
    finally:
        _facts.reset(outer)
        facts["milliseconds"] = round((time.perf_counter() - started) * 1000, 1)
        _tell(logging.INFO, "request", facts)


def log_exception(facts: dict[str, Any]) -> None:
    """Log the exception that is being handled, and what was known when it came; nothing has to be imported for it."""
    said = {"exception": traceback.format_exc(), "exception_name": type(sys.exception()).__name__}
    _tell(logging.ERROR, "unexpected fault", {**facts, **said})


class _StandardOutput(logging.StreamHandler[Any]):
    """Whatever it is by then. A line that cannot be written is no reason not to answer: `logging` says so on standard
    error.
    """

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stdout

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        with suppress(ValueError):  # standard error may be closed too
            super().handleError(record)


_out = _StandardOutput()
_QUOTING = ("detail", "exception")
"""What may quote an address, of the request or of a store."""


def _tell(level: int, message: str, facts: dict[str, Any]) -> None:
    """A line in the words and the order of `logger`, which is not imported for its sake."""
    if level < (_log.level or logging.INFO):
        return
    now = time.time()
    moment = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(now))},{int(now % 1 * 1000):03d}{time.strftime('%z')}"
    line = {"level": logging.getLevelName(level), "message": message, "timestamp": moment, "service": SERVICE, **facts}
    for name in _QUOTING:
        if isinstance(quoting := line.get(name), str):
            line[name] = redact_text(quoting)
    if trace := trace_id():
        line["xray_trace_id"] = trace
    _out.handle(logging.makeLogRecord({"msg": json.dumps(line, default=str)}))

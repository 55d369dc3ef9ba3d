"""One log line for each request, without secrets and signed URLs, from which CloudWatch reads metrics."""

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
from handler.observability.redaction import redact_text

if TYPE_CHECKING:
    from aws_lambda_powertools.logging import Logger

SERVICE = "image-handler"
_log = logging.getLogger(SERVICE)


def set_log_level(level: str) -> None:
    """Log nothing below a level, such as `WARNING`."""
    _log.setLevel(level)


def logs_requests() -> bool:
    """Whether a line is written for each request; the server has a log of its own for them."""
    return (_log.level or logging.INFO) <= logging.INFO


_metrics_namespace: list[str] = []
_METRICS = (("milliseconds", "Milliseconds"), ("source_bytes", "Bytes"), ("result_bytes", "Bytes"))
"""Fields of the log line that are metrics, and their units. The number of requests is the sample count of each."""
_MAX_FEATURES = 8
"""Features of one request that are counted. Each but the first takes a line of its own."""


def set_metrics_namespace(namespace: str) -> None:
    """Write metrics by feature and by format in this namespace of CloudWatch; none if it is empty."""
    _metrics_namespace[:] = [namespace] if namespace else []


@cache
def logger() -> Logger:
    """Return the service's logger for what does not happen at every request: JSON lines on standard output."""
    from aws_lambda_powertools.logging import Logger  # noqa: PLC0415 - a tenth of a cold start

    level = _log.level or logging.INFO
    powertools_logger = Logger(service=SERVICE, level=level)
    # Keep the level of `set_log_level`: for AWS_LAMBDA_LOG_LEVEL=TRACE powertools would choose a higher one.
    _log.setLevel(level)
    powertools_logger.addFilter(_redact_record)
    return powertools_logger


def _redact_record(record: logging.LogRecord) -> bool:
    """Redact the fields of a record that may quote a URL; return True, because every record is logged."""
    for name in _QUOTING:
        if isinstance(text := record.__dict__.get(name), str):
            record.__dict__[name] = redact_text(text)
    return True


_log_fields: ContextVar[dict[str, Any] | None] = ContextVar("log_fields", default=None)


def add_log_fields(**fields: object) -> None:
    """Add fields to the log line of the current request; do nothing outside of a request."""
    current = _log_fields.get()
    if current is not None:
        current.update(fields)


@contextmanager
def log_request(entrypoint: str, **fields: Any) -> Iterator[dict[str, Any]]:
    """Log one request when the block ends: its entrypoint, its duration and the fields of the yielded dictionary."""
    log_fields: dict[str, Any] = {"entrypoint": entrypoint, **fields}
    started = time.perf_counter()
    outer = _log_fields.set(log_fields)
    try:
        yield log_fields
    finally:
        _log_fields.reset(outer)
        log_fields["milliseconds"] = round((time.perf_counter() - started) * 1000, 1)
        first, *others = _metrics(log_fields) or [{}]
        _write_line(logging.INFO, "request", {**log_fields, **first})
        for metrics in others:
            _write_line(logging.INFO, "metrics", metrics)


def _metrics(log_fields: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the fields of CloudWatch's embedded metric format for each feature of a request that rendered something.

    A document has one value for each dimension, so there is one for each feature. Only the first one has the format,
    which would be counted several times. What the model function rendered is in that function's own log.
    """
    if not _metrics_namespace or "source_bytes" not in log_fields:
        return []
    names = str(log_fields.get("features", "none")).split("+")[:_MAX_FEATURES]
    metrics = [{"Name": name, "Unit": unit} for name, unit in _METRICS]
    documents = []
    for number, name in enumerate(names):
        dimensions = [["feature"]] if number else [["feature"], ["format"]]
        directive = {"Namespace": _metrics_namespace[0], "Dimensions": dimensions, "Metrics": metrics}
        values = {field: log_fields[field] for field, _ in _METRICS}
        about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
        documents.append({"feature": name, **values, "_aws": about})
    return documents


def log_exception(fields: dict[str, Any]) -> None:
    """Log the exception that is being handled, with these fields. Nothing has to be imported for it."""
    exception = {"exception": traceback.format_exc(), "exception_name": type(sys.exception()).__name__}
    _write_line(logging.ERROR, "unexpected fault", {**fields, **exception})


class _StandardOutput(logging.StreamHandler[Any]):
    """Write to what `sys.stdout` is at that moment. If it cannot be written to, the request is answered all the same,
    and `logging` reports the failure on standard error.
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
"""Fields that may quote a URL of the request or of a store."""


def _write_line(level: int, message: str, fields: dict[str, Any]) -> None:
    """Write a JSON line with the same names in the same order as `logger`, without importing powertools."""
    if level < (_log.level or logging.INFO):
        return
    now = time.time()
    moment = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(now))},{int(now % 1 * 1000):03d}{time.strftime('%z')}"
    line = {"level": logging.getLevelName(level), "message": message, "timestamp": moment, "service": SERVICE, **fields}
    for name in _QUOTING:
        if isinstance(text := line.get(name), str):
            line[name] = redact_text(text)
    if trace := trace_id():
        line["xray_trace_id"] = trace
    _out.handle(logging.makeLogRecord({"msg": json.dumps(line, default=str)}))

"""Jobs of S3 Batch Operations that invoke the upload function: process each task's object and answer its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_plus

from handler.core.errors import BadRequest, HandlerError
from handler.entrypoints.uploads.events import ObjectChange
from handler.observability.logs import logger
from handler.uploads.outcome import Outcome
from imaging import FeatureError

_SCHEMAS = ("1.0", "2.0")
_SUCCEEDED, _TEMPORARY, _PERMANENT = "Succeeded", "TemporaryFailure", "PermanentFailure"
_MAX_RESULT = 1024
"""Characters of a result; S3 writes it into the job's report."""


Process = Callable[[ObjectChange, frozenset[str] | None], Outcome]
"""Processes a changed object, and renders these presets again: None means all, and no names only what is missing."""


def answer_tasks(event: Mapping[str, Any], process: Process, finish: Callable[[], None]) -> dict[str, object]:
    """Process the tasks of an event of schema 1.0 or 2.0, then finish. Raise BadRequest for another event."""
    schema = event["invocationSchemaVersion"]
    if schema not in _SCHEMAS:
        raise BadRequest(f"`invocationSchemaVersion` must be one of {', '.join(_SCHEMAS)}, got {schema!r:.20}")
    presets = _read_presets(event)
    results = [_answer_task(task, presets, process) for task in event["tasks"]]
    try:
        finish()
    except HandlerError as error:
        results = [(_TEMPORARY, f"{error.code}: {error.message}") for _ in results]
    return {
        "invocationSchemaVersion": schema,
        "treatMissingKeysAs": _PERMANENT,
        "invocationId": event["invocationId"],
        "results": [
            {"taskId": task["taskId"], "resultCode": code, "resultString": text[:_MAX_RESULT]}
            for task, (code, text) in zip(event["tasks"], results, strict=True)
        ],
    }


def _read_presets(event: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the presets to render again: the job's argument `presets`, a comma list or `*` (schema 2.0).

    Without the argument only what is missing is rendered; None means all presets.
    """
    arguments = event.get("job", {}).get("userArguments") or {}
    names = str(arguments.get("presets", ""))
    return None if names.strip() == "*" else frozenset(name.strip() for name in names.split(",") if name.strip())


def _answer_task(task: Mapping[str, Any], presets: frozenset[str] | None, process: Process) -> tuple[str, str]:
    """Return the result code of a task and the text for the job's report."""
    try:
        bucket = task.get("s3Bucket") or task["s3BucketArn"].rpartition(":")[2]
        change = ObjectChange(bucket, unquote_plus(task["s3Key"]), "", None)
    except (KeyError, TypeError, AttributeError) as error:
        return _PERMANENT, f"BadRequest: the task must name a bucket and a key ({error!r})"
    try:
        outcome = process(change, presets)
    except (FeatureError, HandlerError) as error:
        return _TEMPORARY, f"{error.code}: {error.message}"
    except Exception:  # noqa: BLE001 - the other tasks of the event must not be repeated for this one
        logger().exception("a task failed", extra={"task": task.get("taskId")})
        return _TEMPORARY, "InternalError: the original could not be processed"
    if outcome.error is not None:
        return _PERMANENT, f"{outcome.error.code}: {outcome.error.message}"
    return _SUCCEEDED, f"{outcome.status}: {len(outcome.stored)} variants stored, {len(outcome.kept)} kept"

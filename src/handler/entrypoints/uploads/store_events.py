"""Events that stores post over HTTP: in S3's shape, as MinIO and Ceph send them, or in that of Cloudflare R2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from handler.core.errors import BadRequest
from handler.requests.strict_json import loads

MAX_EVENTS = 1_000
"""Records of one request."""
_R2_ACTIONS = {
    "PutObject": "ObjectCreated:Put",
    "CopyObject": "ObjectCreated:Copy",
    "CompleteMultipartUpload": "ObjectCreated:CompleteMultipartUpload",
    "DeleteObject": "ObjectRemoved:Delete",
    "LifecycleDeletion": "ObjectRemoved:Delete",
}
_EXPECTED = "the body must be an event of S3 in JSON, with `Records`, or an event of Cloudflare R2, or a list of them"


def parse_events(body: bytes) -> list[dict[str, Any]]:
    """Return the events in a body, each with one record in S3's shape, in their order. Raise BadRequest."""
    try:
        content = loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise BadRequest(_EXPECTED, detail=repr(error)) from error
    try:
        records = list(_records_of(content))
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise BadRequest(_EXPECTED, detail=repr(error)) from error
    if len(records) > MAX_EVENTS:
        raise BadRequest(f"the body must have at most {MAX_EVENTS} events, got {len(records)}")
    return [{"Records": [record]} for record in records]


def _records_of(content: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(content, list):
        for event in content:
            yield from _records_of(event)
    elif content.get("Event") == "s3:TestEvent":
        return
    elif "action" in content:
        yield from _record_of_r2(content)
    else:
        yield from map(_with_sequencer, content["Records"])


def _record_of_r2(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the record of an event of R2, which has neither sequencers nor encoded keys; none for other actions."""
    name = _R2_ACTIONS.get(event["action"])
    if name is not None:
        found = {"bucket": {"name": event["bucket"]}, "object": {"key": quote_plus(event["object"]["key"])}}
        record = {"eventSource": "cloudflare:s3", "eventName": name, "eventTime": event["eventTime"], "s3": found}
        yield _with_sequencer(record)


def _with_sequencer(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a record with a sequencer: that of the store or, if it sends none, the time of the event."""
    details = record["s3"]
    if details["object"].get("sequencer"):
        return record
    moment = datetime.fromisoformat(record["eventTime"])
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    nanoseconds = (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1_000
    known = {**details["object"], "sequencer": f"{nanoseconds:018X}"}
    return {**record, "s3": {**details, "object": known}}

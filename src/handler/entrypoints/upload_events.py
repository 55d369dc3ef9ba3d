"""Events that report an upload: from S3, from EventBridge, and either of them in an SQS message."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from handler.errors import BadRequest

_HEX = re.compile("[0-9A-Fa-f]+")


class Upload(msgspec.Struct, frozen=True):
    """A created object, as its event describes it."""

    bucket: str
    key: str
    sequencer: str


def is_upload_event(event: Mapping[str, Any]) -> bool:
    """Whether an event comes from S3, from EventBridge about S3, or from a queue with such events."""
    records = event.get("Records")
    if isinstance(records, list) and records and isinstance(records[0], Mapping):
        return records[0].get("eventSource") in {"aws:s3", "aws:sqs"}
    return event.get("source") == "aws.s3" or event.get("Event") == "s3:TestEvent"


def uploads_in(event: Mapping[str, Any]) -> list[Upload]:
    """Return the created objects of an event; none for a test event, for other kinds of events and for folders.

    Raise BadRequest for an event that is not S3's.
    """
    if event.get("Event") == "s3:TestEvent":
        return []
    try:
        if event.get("source") == "aws.s3":
            found = _parse_eventbridge(event)
        else:
            found = [upload for record in event["Records"] for upload in _parse_s3(record)]
    except (KeyError, TypeError, AttributeError) as error:
        raise BadRequest("the event must be an object event of S3 or EventBridge", detail=repr(error)) from error
    for upload in found:
        if not is_sequencer(upload.sequencer):
            raise BadRequest(f"`sequencer` must be hexadecimal, got `{upload.sequencer}`")
    return [upload for upload in found if not upload.key.endswith("/")]


def is_sequencer(text: str) -> bool:
    """Whether a text is a sequencer of S3, which orders the events of an object."""
    return bool(_HEX.fullmatch(text))


def _parse_s3(record: Mapping[str, Any]) -> Iterator[Upload]:
    if record["eventSource"] == "aws:s3" and record["eventName"].startswith("ObjectCreated:"):
        details = record["s3"]
        # Only S3's own events encode the key like a form: a plus is a space.
        yield Upload(details["bucket"]["name"], unquote_plus(details["object"]["key"]), details["object"]["sequencer"])


def _parse_eventbridge(event: Mapping[str, Any]) -> list[Upload]:
    if event["detail-type"] != "Object Created":
        return []
    details = event["detail"]
    return [Upload(details["bucket"]["name"], details["object"]["key"], details["object"]["sequencer"])]


def is_batch(event: Mapping[str, Any]) -> bool:
    """Whether an upload event is a batch of SQS messages."""
    return any(record.get("eventSource") == "aws:sqs" for record in event.get("Records", ()))


def parse_message(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the event in the body of an SQS record. Raise BadRequest if the body is not an event."""
    try:
        event = json.loads(record["body"])
    except ValueError as error:
        raise BadRequest("the message must be JSON", detail=repr(error)) from error
    if not isinstance(event, Mapping):
        raise BadRequest("the message must be an event of S3 or EventBridge")
    return event

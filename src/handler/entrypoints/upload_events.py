"""The events that tell of an upload: from S3, from EventBridge, and either of them in an SQS message."""

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
    """An object that was created, as its event names it."""

    bucket: str
    key: str
    sequencer: str


def is_upload_event(event: Mapping[str, Any]) -> bool:
    """Whether an event comes from S3, from EventBridge about S3, or from a queue that holds such."""
    records = event.get("Records")
    if isinstance(records, list) and records and isinstance(records[0], Mapping):
        return records[0].get("eventSource") in {"aws:s3", "aws:sqs"}
    return event.get("source") == "aws.s3" or event.get("Event") == "s3:TestEvent"


def uploads_in(event: Mapping[str, Any]) -> list[Upload]:
    """The objects that S3 says were created; none for a test event, other events and folders. BadRequest if it is no
    event of S3."""
    if event.get("Event") == "s3:TestEvent":
        return []
    try:
        if event.get("source") == "aws.s3":
            found = _of_eventbridge(event)
        else:
            found = [upload for record in event["Records"] for upload in _of_s3(record)]
    except (KeyError, TypeError, AttributeError) as error:
        raise BadRequest("the event must be one of S3 or EventBridge about an object", detail=repr(error)) from error
    for upload in found:
        if not is_sequencer(upload.sequencer):
            raise BadRequest(f"`sequencer` must be hexadecimal, got `{upload.sequencer}`")
    return [upload for upload in found if not upload.key.endswith("/")]


def is_sequencer(text: str) -> bool:
    """Whether a text can say where an event stands among those of its object."""
    return bool(_HEX.fullmatch(text))


def _of_s3(record: Mapping[str, Any]) -> Iterator[Upload]:
    if record["eventSource"] == "aws:s3" and record["eventName"].startswith("ObjectCreated:"):
        facts = record["s3"]
        # Form-encoded here, and only here: a plus is a space.
        yield Upload(facts["bucket"]["name"], unquote_plus(facts["object"]["key"]), facts["object"]["sequencer"])


def _of_eventbridge(event: Mapping[str, Any]) -> list[Upload]:
    if event["detail-type"] != "Object Created":
        return []
    facts = event["detail"]
    return [Upload(facts["bucket"]["name"], facts["object"]["key"], facts["object"]["sequencer"])]


def is_batch(event: Mapping[str, Any]) -> bool:
    """Whether an upload event is a batch of SQS messages."""
    return any(record.get("eventSource") == "aws:sqs" for record in event.get("Records", ()))


def message_of(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The event in the body of an SQS record. BadRequest if there is none."""
    try:
        said = json.loads(record["body"])
    except ValueError as error:
        raise BadRequest("the message must be JSON", detail=repr(error)) from error
    if not isinstance(said, Mapping):
        raise BadRequest("the message must be an event of S3 or EventBridge")
    return said

"""Events that report an upload, and what they come in.

They are written by S3, by a store that speaks its protocol such as MinIO, or by EventBridge. SNS and SQS pass them on
in messages; behind SNS and SQS both, an SQS message holds the SNS message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from handler.errors import BadRequest

_HEX = re.compile("[0-9A-Fa-f]+")
_STORE = re.compile("[a-z]+:s3")
"""`aws:s3`, `minio:s3` and the like: MinIO and Ceph send S3's events under their own names."""
_OBJECT_EVENT = "the event must be an object event of S3 or EventBridge"


class Upload(msgspec.Struct, frozen=True):
    """A created object, as its event describes it."""

    bucket: str
    key: str
    sequencer: str


def is_upload_event(event: Mapping[str, Any]) -> bool:
    """Return whether an event comes from S3, from EventBridge about S3, or has records, whichever service sends them.

    No caller reads the answer to records. The upload entrypoint raises for those that it does not know, so that the
    sender counts a failure.
    """
    return "Records" in event or event.get("source") == "aws.s3" or event.get("Event") == "s3:TestEvent"


def uploads_in(event: Mapping[str, Any]) -> list[Upload]:
    """Return the created objects of an event; none for a test event, for other kinds of events and for folders.

    Raise BadRequest for an event that is not S3's.
    """
    try:
        found = list(_parse(event))
    except (KeyError, TypeError, AttributeError) as error:
        raise BadRequest(_OBJECT_EVENT, detail=repr(error)) from error
    for upload in found:
        if not is_sequencer(upload.sequencer):
            raise BadRequest(f"`sequencer` must be hexadecimal, got `{upload.sequencer}`")
    return [upload for upload in found if not upload.key.endswith("/")]


def is_sequencer(text: str) -> bool:
    """Whether a text is a sequencer of S3, which orders the events of an object."""
    return bool(_HEX.fullmatch(text))


def _parse(event: Mapping[str, Any]) -> Iterator[Upload]:
    if event.get("Event") == "s3:TestEvent":
        return
    if event.get("Type") == "Notification":
        yield from _parse(_loads(event["Message"]))
    elif "detail-type" in event:
        yield from _parse_eventbridge(event)
    elif not event["Records"]:
        raise BadRequest(_OBJECT_EVENT, detail="no records")
    else:
        for record in event["Records"]:
            if record.get("EventSource") == "aws:sns":  # SNS writes this name with a capital
                yield from _parse(record["Sns"])
            else:
                yield from _parse_s3(record)


def _parse_s3(record: Mapping[str, Any]) -> Iterator[Upload]:
    if not _STORE.fullmatch(record["eventSource"]):
        raise BadRequest(_OBJECT_EVENT, detail=f"a record of {record['eventSource']!r}")
    # MinIO writes `s3:ObjectCreated:Put`.
    if record["eventName"].removeprefix("s3:").startswith("ObjectCreated:"):
        details = record["s3"]
        # Only events of stores encode the key like a form: a plus is a space.
        yield Upload(details["bucket"]["name"], unquote_plus(details["object"]["key"]), details["object"]["sequencer"])


def _parse_eventbridge(event: Mapping[str, Any]) -> Iterator[Upload]:
    if event["source"] != "aws.s3":
        raise BadRequest(_OBJECT_EVENT, detail=f"an event of {event['source']!r}")
    if event["detail-type"] == "Object Created":
        details = event["detail"]
        yield Upload(details["bucket"]["name"], details["object"]["key"], details["object"]["sequencer"])


def is_batch(event: Mapping[str, Any]) -> bool:
    """Return whether an upload event is a batch of SQS messages."""
    records = event.get("Records")
    return isinstance(records, list) and any(
        isinstance(record, Mapping) and record.get("eventSource") == "aws:sqs" for record in records
    )


def parse_message(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the event in the body of an SQS record. Raise BadRequest if the body is not an event."""
    return _loads(record["body"])


def _loads(text: str) -> Mapping[str, Any]:
    try:
        event = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest("the message must be JSON", detail=repr(error)) from error
    if not isinstance(event, Mapping):
        raise BadRequest("the message must be an event of S3 or EventBridge")
    return event

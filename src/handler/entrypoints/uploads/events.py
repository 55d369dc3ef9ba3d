"""Events that report a change of an original, and what they come in.

They are written by S3, by a store that speaks its protocol such as MinIO, by EventBridge, or by GuardDuty after a scan.
SNS and SQS pass them on in messages; behind SNS and SQS both, an SQS message holds the SNS message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from handler.core.errors import BadRequest
from handler.uploads.change import REPROCESS, Kind, is_sequencer

_STORE = re.compile("[a-z]+:s3")
"""`aws:s3`, `minio:s3` and the like: MinIO and Ceph send S3's events under their own names."""
_OBJECT_EVENT = "the event must be an object event of S3 or EventBridge"
_CREATED, _DELETED = "ObjectCreated:", ("ObjectRemoved:", "LifecycleExpiration:")
"""Beginnings of S3's names of events."""
_MAX_RECORDS = 10
"""Records of one such message: as many originals as an attempt can process, because each attempt processes all."""
_SCAN_RESULT = "GuardDuty Malware Protection Object Scan Result"


class ObjectChange(msgspec.Struct, frozen=True):
    """A changed object, as its event describes it."""

    bucket: str
    key: str
    sequencer: str
    """Empty in an event of GuardDuty, which does not know it."""
    kind: Kind | None = "created"
    """None if the event does not tell what the bucket shows now: after a scan, or if one of several versions of an
    object was deleted.
    """


def is_upload_event(event: Mapping[str, Any]) -> bool:
    """Return whether an event concerns originals, or has records, whichever service sends them.

    No caller reads the answer to records. The upload entrypoint raises for those that it does not know, so that the
    sender counts a failure.
    """
    is_notice = event.get("source") in ("aws.s3", "aws.guardduty") or event.get("Event") == "s3:TestEvent"
    return "Records" in event or is_notice or is_sweep(event) or is_batch_job(event)


def is_sweep(event: Mapping[str, Any]) -> bool:
    """Return whether EventBridge Scheduler asks for a sweep: `{"task": "sweep"}`."""
    return event.get("task") == "sweep"


def is_batch_job(event: Mapping[str, Any]) -> bool:
    """Return whether an event has tasks of a job of S3 Batch Operations."""
    return "invocationSchemaVersion" in event and "tasks" in event


def is_reprocess(event: Mapping[str, Any]) -> bool:
    """Return whether a message has originals processed again, as the operator API sends it to the queue."""
    return event.get("task") == REPROCESS


def records_in(event: Mapping[str, Any]) -> list[str]:
    """Return the IDs of the records whose originals are processed again, each once. Raise BadRequest."""
    records = event.get("records")
    is_valid = isinstance(records, list) and all(isinstance(record, str) and record for record in records)
    if not is_valid or not records or len(records) > _MAX_RECORDS:
        raise BadRequest(f"`records` must be a list of 1 to {_MAX_RECORDS} IDs of records, got {records!r:.80}")
    return list(dict.fromkeys(records))


def changes_in(event: Mapping[str, Any]) -> list[ObjectChange]:
    """Return the changed objects of an event; none for a test event, for other kinds of events and for folders.

    Raise BadRequest for an event that is not S3's.
    """
    try:
        found = list(_parse(event))
    except (KeyError, TypeError, AttributeError) as error:
        raise BadRequest(_OBJECT_EVENT, detail=repr(error)) from error
    for change in found:
        texts = (change.bucket, change.key, change.sequencer)
        if not all(isinstance(text, str) for text in texts) or not change.bucket or not change.key:
            raise BadRequest(_OBJECT_EVENT, detail=f"{texts!r:.200}")
        if not is_sequencer(change.sequencer) and not (change.kind is None and not change.sequencer):
            raise BadRequest(f"`sequencer` must be 1 to 64 hexadecimal digits, got `{change.sequencer[:80]}`")
    return [change for change in found if not change.key.endswith("/")]


def _parse(event: Mapping[str, Any]) -> Iterator[ObjectChange]:
    if event.get("Event") == "s3:TestEvent":
        return
    if event.get("Type") == "Notification":
        yield from _parse(_loads(event["Message"]))
    elif event.get("detail-type") == _SCAN_RESULT and event["source"] == "aws.guardduty":
        details = event["detail"]["s3ObjectDetails"]
        yield ObjectChange(details["bucketName"], details["objectKey"], "", None)
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


def _parse_s3(record: Mapping[str, Any]) -> Iterator[ObjectChange]:
    if not _STORE.fullmatch(record["eventSource"]):
        raise BadRequest(_OBJECT_EVENT, detail=f"a record of {record['eventSource']!r}")
    name = record["eventName"].removeprefix("s3:")  # MinIO writes `s3:ObjectCreated:Put`
    if not name.startswith((_CREATED, *_DELETED)):
        return
    details = record["s3"]
    found = details["object"]
    kind: Kind | None = "created"
    if not name.startswith(_CREATED):
        kind = _kind_of_deletion(found.get("versionId"), is_marker=name.endswith("DeleteMarkerCreated"))
    # Only events of stores encode the key like a form: a plus is a space.
    yield ObjectChange(details["bucket"]["name"], unquote_plus(found["key"]), found["sequencer"], kind)


def _parse_eventbridge(event: Mapping[str, Any]) -> Iterator[ObjectChange]:
    if event["source"] != "aws.s3":
        raise BadRequest(_OBJECT_EVENT, detail=f"an event of {event['source']!r}")
    if event["detail-type"] not in ("Object Created", "Object Deleted"):
        return
    details = event["detail"]
    found = details["object"]
    kind: Kind | None = "created"
    if event["detail-type"] == "Object Deleted":
        is_marker = details.get("deletion-type") == "Delete Marker Created"
        kind = _kind_of_deletion(found.get("version-id"), is_marker=is_marker)
    yield ObjectChange(details["bucket"]["name"], found["key"], found["sequencer"], kind)


def _kind_of_deletion(version: object, *, is_marker: bool) -> Kind | None:
    """Return `deleted`, or None if one version was deleted for good: others may be there."""
    return None if version and version != "null" and not is_marker else "deleted"


def is_batch(event: Mapping[str, Any]) -> bool:
    """Return whether an upload event is a batch of SQS messages."""
    records = event.get("Records")
    return isinstance(records, list) and any(
        isinstance(record, Mapping) and record.get("eventSource") == "aws:sqs" for record in records
    )


def parse_message(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the event in the body of an SQS record. Raise BadRequest if the body is not an event."""
    return _loads(record["body"])


def count_of(record: Mapping[str, Any]) -> int:
    """Return how often an SQS record has been delivered, this time included."""
    count = record.get("attributes", {}).get("ApproximateReceiveCount", "1")
    return int(count) if str(count).isdigit() else 1


def _loads(text: str) -> Mapping[str, Any]:
    try:
        event = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest("the message must be JSON", detail=repr(error)) from error
    if not isinstance(event, Mapping):
        raise BadRequest("the message must be an event of S3 or EventBridge, or a task")
    return event

"""Events of CloudFormation's custom resource, which fills the demo bucket with the demo page, or empties it.

Every event is answered at its ResponseURL, because the stack waits for the answer. Every principal that may invoke the
function can send such an event. Therefore only the form of CloudFormation's own events is accepted, the answer is sent
to S3 alone, and only the bucket in DEMO_BUCKET is changed.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from handler.aws import AwsAccess
from handler.aws.client import send
from handler.errors import BadRequest, Forbidden, HandlerError, NotFound
from handler.observability import logger
from handler.pages.demo_site import DemoSite
from handler.storage.results import open_results
from imaging import Deadline, FeatureError

_CALL_SECONDS = 10.0
_PAUSES = (0.0, 1.0, 3.0)
"""Seconds to wait before each attempt to answer."""
_RESPONSE_URL = re.compile(
    r"https://(?:[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\.)?s3(?:[.-](?:dualstack\.)?[a-z]{2,4}(?:-[a-z]+){1,2}-[0-9]{1,2})?"
    r"\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu)/[!-~]*[?&](?:X-Amz-)?Signature=[!-~]+"
)
"""A presigned URL of S3, in any region of the partitions aws, aws-us-gov, aws-cn and aws-eusc."""
_ARN = r"arn:aws[a-z-]*:cloudformation:[a-z0-9-]+:[0-9]{12}:stack/[^/\s]+/[^/\s]+"
_REQUIRED: Mapping[str, str] = {
    "RequestType": "Create|Update|Delete",
    "ResponseURL": _RESPONSE_URL.pattern,
    "StackId": _ARN,
    "RequestId": r"[A-Za-z0-9-]{1,128}",
    "ResourceType": r"Custom::[A-Za-z0-9_@-]{1,60}|AWS::CloudFormation::CustomResource",
    "LogicalResourceId": r"[A-Za-z0-9]{1,255}",
}
"""The fields that every event has, each with the pattern of its text."""
_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,100}/?")
_OPTIONAL = {"ServiceToken", "PhysicalResourceId", "OldResourceProperties", "ResourceProperties"}


def handle(
    event: Mapping[str, Any], demo_bucket: str, access: Callable[[], AwsAccess], deadline: Deadline
) -> dict[str, object]:
    """Process an event, send the answer to its ResponseURL, and return the answer. `access` builds the access to AWS.

    Raise BadRequest for an event that is not CloudFormation's, without sending anything.
    """
    _check_event(event)
    properties = event["ResourceProperties"]
    answer: dict[str, object] = {
        "Status": "SUCCESS",
        # Another bucket has another id, so CloudFormation sends a Delete event for the old one.
        "PhysicalResourceId": event.get("PhysicalResourceId") or f"demo-{properties.get('Bucket')}",
        **{name: event.get(name) for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    try:
        if event["RequestType"] != "Delete":
            answer["PhysicalResourceId"] = f"demo-{properties.get('Bucket')}"
        prefix = properties.get("Prefix")
        if properties.get("Bucket") != demo_bucket or not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
            raise Forbidden(
                f"the bucket must be {demo_bucket!r}, with a prefix such as _demo/, got {properties!r:.200}"
            )
        _update_bucket(str(event["RequestType"]), properties, access(), deadline)
    except Exception as error:  # noqa: BLE001 - every failure is reported to the stack
        logger().exception("the demo bucket could not be updated", extra={"request": event.get("RequestType")})
        answer |= {"Status": "FAILED", "Reason": _describe(error)}
    _send(str(event["ResponseURL"]), answer)
    return answer


def _check_event(event: Mapping[str, Any]) -> None:
    """Raise BadRequest for an event without the form of CloudFormation's custom resource events."""
    for name, pattern in _REQUIRED.items():
        value = event.get(name)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            expected = "a presigned https URL of S3" if name == "ResponseURL" else f"of the form {pattern}"
            raise BadRequest(f"`{name}` of a CloudFormation event must be {expected}, got {value!r:.200}")
    if others := event.keys() - _REQUIRED.keys() - _OPTIONAL:
        raise BadRequest(f"a CloudFormation event must not have other fields, got {sorted(others)!r:.200}")
    if not isinstance(event.get("ResourceProperties"), Mapping):
        raise BadRequest("`ResourceProperties` of a CloudFormation event must be an object")
    has_id = isinstance(event.get("PhysicalResourceId"), str)
    if has_id is (event["RequestType"] == "Create"):
        raise BadRequest("`PhysicalResourceId` must be a text with Update and Delete, and be absent with Create")


def _update_bucket(request: str, properties: Mapping[str, Any], aws: AwsAccess, deadline: Deadline) -> None:
    bucket, prefix = str(properties["Bucket"]), str(properties["Prefix"])
    site = DemoSite(open_results(f"demo=s3://{bucket}", "Bucket", aws=aws), f"{prefix.rstrip('/')}/")
    if request == "Delete":
        try:
            site.empty()
        except NotFound:
            logger().info("the demo bucket does not exist any more")
        return
    logger().info("the demo bucket is filled", extra={"files": site.fill(deadline)})


def _describe(error: Exception) -> str:
    if isinstance(error, HandlerError | FeatureError):
        return f"{error.message} ({error.detail})"[:1000]
    return f"{type(error).__name__}: {error}"[:1000]


def _send(url: str, answer: Mapping[str, object]) -> None:
    """PUT the answer to a presigned URL, with an empty Content-Type because the signature covers none."""
    body = json.dumps(answer).encode()
    failure = "no attempt"
    for pause in _PAUSES:
        time.sleep(pause)
        try:
            status = send("PUT", url, body, {"Content-Type": ""}, _CALL_SECONDS).status
        except OSError as error:
            failure = repr(error)
        else:
            if status < 300:
                return
            failure = str(status)
    logger().error("CloudFormation could not be answered", extra={"detail": failure})

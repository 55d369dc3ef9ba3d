"""CloudFormation's events: it asks for the demo bucket to be filled or emptied, and waits to be told how that went.

Whatever happens, an answer goes to the event's ResponseURL: without one the stack would hang. Whoever may invoke the
function can send such an event, so only one in CloudFormation's own form is accepted, the answer goes to S3 alone, and
no other bucket than that in DEMO_BUCKET is touched.
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
"""Seconds before each try to answer."""
_RESPONSE_URL = re.compile(
    r"https://(?:[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\.)?s3(?:[.-](?:dualstack\.)?[a-z]{2,4}(?:-[a-z]+){1,2}-[0-9]{1,2})?"
    r"\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu)/[!-~]*[?&](?:X-Amz-)?Signature=[!-~]+"
)
"""A presigned address of S3, in any region of the partitions aws, aws-us-gov, aws-cn and aws-eusc."""
_ARN = r"arn:aws[a-z-]*:cloudformation:[a-z0-9-]+:[0-9]{12}:stack/[^/\s]+/[^/\s]+"
_FORM: Mapping[str, str] = {
    "RequestType": "Create|Update|Delete",
    "ResponseURL": _RESPONSE_URL.pattern,
    "StackId": _ARN,
    "RequestId": r"[A-Za-z0-9-]{1,128}",
    "ResourceType": r"Custom::[A-Za-z0-9_@-]{1,60}|AWS::CloudFormation::CustomResource",
    "LogicalResourceId": r"[A-Za-z0-9]{1,255}",
}
"""What every event has, as texts."""
_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,100}/?")
_FURTHER = {"ServiceToken", "PhysicalResourceId", "OldResourceProperties", "ResourceProperties"}


def handle(
    event: Mapping[str, Any], demo_bucket: str, access: Callable[[], AwsAccess], deadline: Deadline
) -> dict[str, object]:
    """Do what the event asks and answer it; the answer is given back too. `access`: how AWS is reached.

    Raises BadRequest for an event that is not CloudFormation's; nothing is sent anywhere then.
    """
    _check_form(event)
    properties = event["ResourceProperties"]
    answer: dict[str, object] = {
        "Status": "SUCCESS",
        # Another bucket is another resource: CloudFormation then has the old one emptied.
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
        _work(str(event["RequestType"]), properties, access(), deadline)
    except Exception as error:  # noqa: BLE001 - whatever it is, the stack has to hear of it
        logger().exception("the demo bucket", extra={"request": event.get("RequestType")})
        answer |= {"Status": "FAILED", "Reason": _told(error)}
    _answer(str(event["ResponseURL"]), answer)
    return answer


def _check_form(event: Mapping[str, Any]) -> None:
    """BadRequest for an event that has not the form of CloudFormation's events of custom resources."""
    for name, pattern in _FORM.items():
        value = event.get(name)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            expected = "a presigned https address of S3" if name == "ResponseURL" else f"of the form {pattern}"
            raise BadRequest(f"`{name}` of an event of CloudFormation must be {expected}, got {value!r:.200}")
    if others := event.keys() - _FORM.keys() - _FURTHER:
        raise BadRequest(f"an event of CloudFormation must hold nothing else, got {sorted(others)!r:.200}")
    if not isinstance(event.get("ResourceProperties"), Mapping):
        raise BadRequest("`ResourceProperties` of an event of CloudFormation must be an object")
    is_known = isinstance(event.get("PhysicalResourceId"), str)
    if is_known is (event["RequestType"] == "Create"):
        raise BadRequest("`PhysicalResourceId` must be given, as a text, with Update and Delete alone")


def _work(request: str, properties: Mapping[str, Any], aws: AwsAccess, deadline: Deadline) -> None:
    bucket, prefix = str(properties["Bucket"]), str(properties["Prefix"])
    site = DemoSite(open_results(f"demo=s3://{bucket}", "Bucket", aws=aws), f"{prefix.rstrip('/')}/")
    if request == "Delete":
        try:
            site.empty()
        except NotFound:
            logger().info("the demo bucket is gone already")
        return
    logger().info("the demo bucket is filled", extra={"files": site.fill(deadline)})


def _told(error: Exception) -> str:
    if isinstance(error, HandlerError | FeatureError):
        return f"{error.message} ({error.detail})"[:1000]
    return f"{type(error).__name__}: {error}"[:1000]


def _answer(address: str, answer: Mapping[str, object]) -> None:
    """PUT to a presigned address, for which no type of content was signed."""
    body = json.dumps(answer).encode()
    failure = "no try"
    for pause in _PAUSES:
        time.sleep(pause)
        try:
            status = send("PUT", address, body, {"Content-Type": ""}, _CALL_SECONDS).status
        except OSError as error:
            failure = repr(error)
        else:
            if status < 300:
                return
            failure = str(status)
    logger().error("CloudFormation could not be answered", extra={"detail": failure})

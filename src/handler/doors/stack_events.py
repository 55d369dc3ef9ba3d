"""CloudFormation's events: it asks for the demo bucket to be filled or emptied, and waits to be told how that went.

Whatever happens, an answer goes to the event's ResponseURL: without one the stack would hang.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from features import Deadline, FeatureError
from handler.aws import AwsAccess
from handler.aws.client import send
from handler.demo_site import DemoSite
from handler.errors import HandlerError, NotFound
from handler.observability import logger
from handler.results import open_results

_CALL_SECONDS = 10.0
_PAUSES = (0.0, 1.0, 3.0)
"""Seconds before each try to answer."""


def handle(event: Mapping[str, Any], access: Callable[[], AwsAccess], deadline: Deadline) -> dict[str, object]:
    """Do what the event asks and answer it; the answer is given back too. `access`: how AWS is reached."""
    properties = event.get("ResourceProperties") or {}
    answer: dict[str, object] = {
        "Status": "SUCCESS",
        # Another bucket is another resource: CloudFormation then has the old one emptied.
        "PhysicalResourceId": event.get("PhysicalResourceId") or f"demo-{properties.get('Bucket')}",
        **{name: event.get(name) for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    try:
        if event["RequestType"] != "Delete":
            answer["PhysicalResourceId"] = f"demo-{properties['Bucket']}"
        _work(str(event["RequestType"]), properties, access(), deadline)
    except Exception as error:  # noqa: BLE001 - whatever it is, the stack has to hear of it
        logger().exception("the demo bucket", extra={"request": event.get("RequestType")})
        answer |= {"Status": "FAILED", "Reason": _told(error)}
    _answer(str(event["ResponseURL"]), answer)
    return answer


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

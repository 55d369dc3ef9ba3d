"""Sends a message to a queue of SQS with one signed request, without an SDK."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from handler.aws import AwsAccess
from handler.aws.client import call
from handler.aws.queue_address import QueueAddress
from handler.aws.signing import AwsRequest
from handler.core.errors import UpstreamError
from imaging import Deadline

_CODE = "UploadQueue"


def send_message(url: str, content: Mapping[str, object], aws: AwsAccess, deadline: Deadline) -> str:
    """Send a message in JSON to a queue by its URL, without retries, and return the message's ID.

    Raise UpstreamError with status 504 on a timeout, and 502 for any other failure.
    """
    address = QueueAddress(url)
    body = json.dumps({"QueueUrl": url, "MessageBody": json.dumps(content)}).encode()
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessage"}
    request = AwsRequest("sqs", address.region(aws), address.endpoint(aws), body, headers)
    deadline.check()
    try:
        reply = call(request, aws, deadline.left())
    except TimeoutError as error:
        message = "the queue of uploads does not answer in time"
        raise UpstreamError(message, code=_CODE, detail=repr(error), status=HTTPStatus.GATEWAY_TIMEOUT) from error
    except OSError as error:
        raise _failed(repr(error)) from error
    detail = f"{reply.status} {reply.body[:300].decode(errors='replace')}"
    if reply.status != HTTPStatus.OK:
        raise _failed(detail)
    try:
        return str(json.loads(reply.body)["MessageId"])
    except (ValueError, RecursionError, LookupError, TypeError) as error:
        raise _failed(detail) from error


def _failed(detail: str) -> UpstreamError:
    return UpstreamError("the queue of uploads has not accepted the message", code=_CODE, detail=detail)

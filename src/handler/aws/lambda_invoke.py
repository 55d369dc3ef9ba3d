"""The function for heavy work: a second one of the same image, with memory and concurrency of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from handler.aws import AwsAccess
from handler.aws.client import Reply, call
from handler.aws.signing import AwsRequest
from handler.errors import UpstreamError
from imaging import Deadline

_SHAPES = (
    {"statusCode", "headers", "body", "isBase64Encoded"},
    {"image", "contentType"},
    {"status", "code", "message"},
)
"""Of answers: to HTTP, to an event that brings its picture along, and the refusal of one."""
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_TIMED_OUT = "Sandbox.Timedout"
_CODE = "HeavyFunction"


def invoke(name: str, event: Mapping[str, Any], aws: AwsAccess, deadline: Deadline) -> dict[str, Any]:
    """The answer of the function of that name to an event, asked once. UpstreamError: 503 when it is busy, 504 when it
    is late, 502 when it fails."""
    url = f"{aws.functions}/2015-03-31/functions/{quote(name, safe='')}/invocations"
    headers = {"Content-Type": "application/json", "X-Amz-Invocation-Type": "RequestResponse"}
    request = AwsRequest("lambda", aws.home, url, json.dumps(event).encode(), headers)
    deadline.check()
    try:
        reply = call(request, aws, deadline.left())
    except TimeoutError as error:
        raise _late(str(error)) from error
    except OSError as error:
        raise _failed(str(error)) from error
    return _answer(reply)


def _answer(reply: Reply) -> dict[str, Any]:
    told = f"{reply.status} {reply.body[:500].decode(errors='replace')}"
    if reply.status in _BUSY:
        message = "the function for heavy work has too much to do"
        headers = {"Retry-After": "5"}
        raise UpstreamError(message, code=_CODE, detail=told, status=HTTPStatus.SERVICE_UNAVAILABLE, headers=headers)
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise _failed(told) from error
    if reply.headers.get("x-amz-function-error"):
        is_late = isinstance(said, dict) and said.get("errorType") == _TIMED_OUT
        raise (_late if is_late else _failed)(told)
    if reply.status != HTTPStatus.OK or not isinstance(said, dict) or said.keys() not in _SHAPES:
        raise _failed(told)
    return said


def _late(detail: str) -> UpstreamError:
    message = "the function for heavy work does not answer in time"
    return UpstreamError(message, code=_CODE, detail=detail, status=HTTPStatus.GATEWAY_TIMEOUT)


def _failed(detail: str) -> UpstreamError:
    return UpstreamError("the function for heavy work does not answer as it should", code=_CODE, detail=detail)

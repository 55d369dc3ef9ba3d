"""Invokes the function for expensive work: a second one of the same image, with its own memory and concurrency."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from handler.aws import AwsAccess
from handler.aws.client import Reply, call
from handler.aws.signing import AwsRequest
from handler.core.errors import UpstreamError
from imaging import Deadline

_SHAPES = (
    {"statusCode", "headers", "body", "isBase64Encoded"},
    {"image", "contentType"},
    {"status", "code", "message"},
)
"""Fields of its answers: to HTTP, to an event with an inline image, and the error answer to such an event."""
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_TIMED_OUT = "Sandbox.Timedout"
_CODE = "HeavyFunction"


def invoke(name: str, event: Mapping[str, Any], aws: AwsAccess, deadline: Deadline) -> dict[str, Any]:
    """Return a function's answer to an event, without retries.

    Raise UpstreamError with status 503 if the function is busy, 504 on a timeout, and 502 for any other failure.
    """
    url = f"{aws.functions}/2015-03-31/functions/{quote(name, safe='')}/invocations"
    headers = {"Content-Type": "application/json", "X-Amz-Invocation-Type": "RequestResponse"}
    request = AwsRequest("lambda", aws.home, url, json.dumps(event).encode(), headers)
    deadline.check()
    try:
        reply = call(request, aws, deadline.left())
    except TimeoutError as error:
        raise _timed_out(str(error)) from error
    except OSError as error:
        raise _failed(str(error)) from error
    return _parse_answer(reply)


def _parse_answer(reply: Reply) -> dict[str, Any]:
    detail = f"{reply.status} {reply.body[:500].decode(errors='replace')}"
    if reply.status in _BUSY:
        message = "the function for expensive work is busy"
        headers = {"Retry-After": "5"}
        raise UpstreamError(message, code=_CODE, detail=detail, status=HTTPStatus.SERVICE_UNAVAILABLE, headers=headers)
    try:
        answer = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise _failed(detail) from error
    if reply.headers.get("x-amz-function-error"):
        is_late = isinstance(answer, dict) and answer.get("errorType") == _TIMED_OUT
        raise (_timed_out if is_late else _failed)(detail)
    if reply.status != HTTPStatus.OK or not isinstance(answer, dict) or answer.keys() not in _SHAPES:
        raise _failed(detail)
    return answer


def _timed_out(detail: str) -> UpstreamError:
    message = "the function for expensive work does not answer in time"
    return UpstreamError(message, code=_CODE, detail=detail, status=HTTPStatus.GATEWAY_TIMEOUT)


def _failed(detail: str) -> UpstreamError:
    message = "the function for expensive work has failed or has returned an invalid answer"
    return UpstreamError(message, code=_CODE, detail=detail)

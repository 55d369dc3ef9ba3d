"""Calls AWS for a sender."""

from __future__ import annotations

from http import HTTPStatus

from handler.aws import AwsAccess
from handler.aws.client import call
from handler.aws.signing import AwsRequest
from handler.core.errors import UpstreamError
from handler.notifications.sender import SendError


def call_aws(request: AwsRequest, aws: AwsAccess, seconds: float) -> bytes:
    """Return the body of an answer with status 200. Raise SendError for every other answer, and without an answer."""
    try:
        reply = call(request, aws, seconds)
    except UpstreamError as error:
        raise SendError(error.detail or error.message) from error
    except OSError as error:
        raise SendError(f"{request.service} does not answer: {error!r}") from error
    if reply.status != HTTPStatus.OK:
        raise SendError(f"{request.service} answers {reply.status}: {reply.body[:300].decode(errors='replace')}")
    return reply.body

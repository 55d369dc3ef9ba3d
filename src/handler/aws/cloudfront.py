"""Purges variants from CloudFront by the cache tags of their originals."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from http import HTTPStatus

import msgspec

from handler.aws import AwsAccess
from handler.aws.client import Reply, call
from handler.aws.signing import AwsRequest
from handler.core.errors import UpstreamError
from imaging import Deadline

_BODY = (
    '<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Paths><Quantity>{count}</Quantity>'
    "<Items>{items}</Items></Paths><CallerReference>{reference}</CallerReference></InvalidationBatch>"
)
_CALL_SECONDS = 10.0
_PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds to wait before each retry while too many invalidations are in progress."""


class Distribution(msgspec.Struct, frozen=True):
    """A CloudFront distribution."""

    id: str
    aws: AwsAccess

    def purge(self, tags: Sequence[str], deadline: Deadline) -> str:
        """Invalidate all objects with one of these tags. Return the invalidation's id. Raise UpstreamError."""
        items = "".join(f"<Path>#{tag}</Path>" for tag in tags)
        body = _BODY.format(count=len(tags), items=items, reference=os.urandom(16).hex()).encode()
        # CloudFront has no region, but requests to it are signed for this one.
        region = "cn-northwest-1" if self.aws.home.startswith("cn-") else "us-east-1"
        url = f"{self.aws.cloudfront}/2020-05-31/distribution/{self.id}/invalidation"
        request = AwsRequest("cloudfront", region, url, body, {"Content-Type": "application/xml"})
        reply = self._call(request, deadline)
        for pause in _PAUSES:
            if _element_text("Code", reply.body) != "TooManyInvalidationsInProgress" or deadline.left() <= pause:
                break
            time.sleep(pause)
            reply = self._call(request, deadline)
        if reply.status != HTTPStatus.CREATED:
            raise _describe_refusal(reply)
        return _element_text("Id", reply.body)

    def _call(self, request: AwsRequest, deadline: Deadline) -> Reply:
        try:
            return call(request, self.aws, max(0.1, min(_CALL_SECONDS, deadline.left())))
        except TimeoutError as error:
            message = "CloudFront does not answer in time"
            raise UpstreamError(message, detail=str(error), status=HTTPStatus.GATEWAY_TIMEOUT) from error
        except OSError as error:
            raise UpstreamError("CloudFront does not answer as it should", detail=str(error)) from error


def _describe_refusal(reply: Reply) -> UpstreamError:
    detail = f"{reply.status} {reply.body[:500].decode(errors='replace')}"
    if _element_text("Code", reply.body) in ("TooManyInvalidationsInProgress", "Throttling"):
        message = "CloudFront has too many invalidations in progress"
        headers = {"Retry-After": "60"}
        return UpstreamError(message, detail=detail, status=HTTPStatus.SERVICE_UNAVAILABLE, headers=headers)
    return UpstreamError("CloudFront has refused the invalidation", detail=detail)


def _element_text(name: str, body: bytes) -> str:
    """Return the text of the first element of a name; empty without such an element."""
    found = re.search(rf"<{name}>([^<]*)</{name}>".encode(), body)
    return found[1].decode(errors="replace") if found else ""

"""The URL of a queue of SQS, or of a service with the same API: its region, and where its API is called."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import msgspec

from handler.aws import AwsAccess

_REGION = re.compile(r"(?:^|\.)([a-z]{2}(?:-[a-z]+)+-\d+)\.")


class QueueAddress(msgspec.Struct, frozen=True):
    """The URL of a queue, such as https://sqs.eu-west-1.amazonaws.com/111122223333/name."""

    url: str

    @property
    def is_amazons(self) -> bool:
        """Whether SQS itself serves the queue, not a compatible service."""
        return self._host.endswith((".amazonaws.com", ".amazonaws.com.cn"))

    def region(self, aws: AwsAccess) -> str:
        """Return the region that the URL names, or the own one."""
        found = _REGION.search(self._host)
        return found[1] if found else aws.home

    def endpoint(self, aws: AwsAccess) -> str:
        """Return the configured endpoint of SQS, or that of the URL."""
        address = urlsplit(self.url)
        configured = aws.endpoint_url_sqs or (aws.endpoint_url if self.is_amazons else "")
        return configured or f"{address.scheme}://{address.netloc}"

    @property
    def _host(self) -> str:
        return urlsplit(self.url).hostname or ""

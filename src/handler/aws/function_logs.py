"""What Lambda writes into the logs of its functions: how long it took to start an instance."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

from handler.aws import AwsAccess
from handler.aws.sdk import sdk_client, sdk_errors

_MAX_EVENTS = 10_000
_REPORT = re.compile(r"REPORT RequestId: .*?\b(?P<kind>Init|Restore) Duration: (?P<milliseconds>[0-9.]+) ms", re.DOTALL)


def start_times(log_group: str, kind: str, days: int, aws: AwsAccess) -> list[float]:
    """Return how many milliseconds each initialisation (`Init`) or restore of a snapshot (`Restore`) has taken.

    Of the last `days`, at most 10,000 of them. Raise SdkError.
    """
    with sdk_errors():
        client = sdk_client(
            "logs", aws, region=aws.home, endpoint=aws.endpoint_url,
            connect_timeout=5.0, read_timeout=30.0, attempts=3,
        )  # fmt: skip
        pages = client.get_paginator("filter_log_events").paginate(
            logGroupName=log_group,
            filterPattern=f'"{kind} Duration"',
            startTime=int((time.time() - days * 86_400) * 1000),
            PaginationConfig={"MaxItems": _MAX_EVENTS},
        )
        return [*_durations((event["message"] for page in pages for event in page["events"]), kind)]


def _durations(messages: Iterator[str], kind: str) -> Iterator[float]:
    for message in messages:
        found = _REPORT.match(message)
        if found and found["kind"] == kind:
            yield float(found["milliseconds"])

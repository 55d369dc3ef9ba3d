"""Has originals processed again by another function or worker, through the queue from which it takes uploads."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from handler.aws import AwsAccess
from handler.aws.sqs_send import send_message
from handler.uploads.change import REPROCESS
from imaging import Deadline


class ReprocessQueue(msgspec.Struct, frozen=True):
    """The queue of uploads, by its URL."""

    url: str
    aws: AwsAccess

    def send(self, records: Sequence[str], deadline: Deadline) -> dict[str, object]:
        """Queue the originals of these records. Return the message with its ID in the queue. Raise UpstreamError."""
        message: dict[str, object] = {"task": REPROCESS, "records": list(records)}
        return {**message, "message": send_message(self.url, message, self.aws, deadline)}

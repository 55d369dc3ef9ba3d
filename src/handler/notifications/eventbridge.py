"""Sends notices to an EventBridge bus."""

from __future__ import annotations

import msgspec

from handler.aws import AwsAccess
from handler.aws.signing import AwsRequest
from handler.notifications.call import call_aws
from handler.notifications.payload import Message
from handler.notifications.sender import SendError

SOURCE = "image-handler"
"""The source of the events, by which rules choose them."""


class EventBus(msgspec.Struct, frozen=True):
    """A bus, by its name or ARN."""

    bus: str
    aws: AwsAccess
    name: str = "eventbridge"

    def send(self, message: Message, seconds: float) -> None:
        """Put a notice on the bus. Raise SendError."""
        notice = message.notice
        entry = {
            "Source": SOURCE,
            "DetailType": notice.type,
            "Detail": message.body.decode(),
            "EventBusName": self.bus,
            "Time": notice.time.timestamp(),
        }
        # An ARN names its region: arn:aws:events:eu-west-1:111122223333:event-bus/name
        region = self.bus.split(":")[3] if self.bus.startswith("arn:") else self.aws.home
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AWSEvents.PutEvents"}
        url = self.aws.endpoint("events", region)
        request = AwsRequest("events", region, url, msgspec.json.encode({"Entries": [entry]}), headers)
        body = call_aws(request, self.aws, seconds)
        try:
            answer = msgspec.json.decode(body, type=_PutEvents)
        except msgspec.DecodeError as error:
            raise SendError(f"the answer of EventBridge cannot be read: {error}") from error
        if answer.FailedEntryCount:
            # The status is 200 all the same.
            raise SendError(f"EventBridge has refused the event: {body[:300].decode(errors='replace')}")


class _PutEvents(msgspec.Struct):
    """The answer of PutEvents."""

    FailedEntryCount: int

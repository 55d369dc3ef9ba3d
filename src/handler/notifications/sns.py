"""Sends notices to an SNS topic."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import msgspec

from handler.aws import AwsAccess
from handler.aws.signing import AwsRequest
from handler.notifications.call import call_aws
from handler.notifications.payload import Message

_SUBJECT_LENGTH = 100
_NO_SUBJECT = re.compile(r"[^ -~]")


class SnsTopic(msgspec.Struct, frozen=True):
    """A topic. Its subscribers can filter by the message attributes `type` and `source`."""

    arn: str
    aws: AwsAccess
    name: str = "sns"

    def send(self, message: Message, seconds: float) -> None:
        """Publish a notice. Raise SendError."""
        # An ARN names its region: arn:aws:sns:eu-west-1:111122223333:name
        region = self.arn.split(":")[3]
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        url = self.aws.endpoint("sns", region)
        request = AwsRequest("sns", region, url, urlencode(self._parameters(message)).encode(), headers)
        call_aws(request, self.aws, seconds)

    def _parameters(self, message: Message) -> dict[str, str]:
        notice = message.notice
        parameters = {
            "Action": "Publish",
            "Version": "2010-03-31",
            "TopicArn": self.arn,
            "Message": message.body.decode(),
            # The subject of an e-mail: printable ASCII on one line.
            "Subject": _NO_SUBJECT.sub("?", f"{notice.type}: {notice.record.key}")[:_SUBJECT_LENGTH],
        }
        attributes = {"type": notice.type, "source": notice.record.source, "id": notice.id}
        for number, (name, value) in enumerate(attributes.items(), 1):
            prefix = f"MessageAttributes.entry.{number}."
            parameters[f"{prefix}Name"] = name
            parameters[f"{prefix}Value.DataType"] = "String"
            parameters[f"{prefix}Value.StringValue"] = value
        if self.arn.endswith(".fifo"):
            # The notices of one original stay in order, and the topic itself ignores repetitions.
            parameters |= {"MessageGroupId": notice.record.id, "MessageDeduplicationId": notice.id}
        return parameters

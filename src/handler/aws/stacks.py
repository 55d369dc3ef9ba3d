"""What a CloudFormation stack tells of itself."""

from __future__ import annotations

from handler.aws import AwsAccess
from handler.aws.sdk import sdk_client, sdk_errors


def stack_outputs(name: str, aws: AwsAccess) -> dict[str, str]:
    """Return the outputs of a stack. Raise SdkError."""
    with sdk_errors():
        client = sdk_client(
            "cloudformation", aws, region=aws.home, endpoint=aws.endpoint_url,
            connect_timeout=5.0, read_timeout=30.0, attempts=3,
        )  # fmt: skip
        stack = client.describe_stacks(StackName=name)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}

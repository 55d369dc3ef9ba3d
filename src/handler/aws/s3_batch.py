"""Creates a job of S3 Batch Operations that invokes a function for each object."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from handler.aws import AwsAccess
from handler.aws.sdk import sdk_client, sdk_errors

REPORTS = "batch"
"""Prefix of the reports, to which the role may write."""
_INVENTORY = "S3InventoryReport_CSV_20161130"


class BatchJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job of S3 Batch Operations."""

    account: str
    """Number of the account that owns the job and the bucket."""
    function: str
    """ARN of the function that is invoked."""
    role: str
    """ARN of the role with which S3 reads the list, invokes the function and writes the report."""
    bucket: str
    """The bucket with the originals."""
    prefix: str = ""
    manifest: str = ""
    """s3://bucket/key of the manifest of an inventory; empty: S3 itself lists the bucket."""
    report_bucket: str
    arguments: dict[str, str]
    """What the function gets with each task."""
    description: str
    starts: bool = False
    """Whether the job starts by itself; else it waits until somebody confirms it."""

    def create(self, aws: AwsAccess) -> str:
        """Create the job and return its ID. Raise SdkError."""
        with sdk_errors():
            answer = _client("s3control", aws).create_job(
                AccountId=self.account,
                ConfirmationRequired=not self.starts,
                ClientRequestToken=uuid.uuid4().hex,
                Description=self.description[:256],
                Priority=10,
                RoleArn=self.role,
                Operation={
                    "LambdaInvoke": {
                        "FunctionArn": self.function,
                        "InvocationSchemaVersion": "2.0",
                        "UserArguments": self.arguments,
                    }
                },
                Report={
                    "Bucket": f"arn:{self._partition}:s3:::{self.report_bucket}",
                    "Format": "Report_CSV_20180820",
                    "Enabled": True,
                    "Prefix": REPORTS,
                    "ReportScope": "FailedTasksOnly",
                },
                **(self._inventory(aws) if self.manifest else self._generator()),
            )
            return str(answer["JobId"])

    @property
    def _partition(self) -> str:
        """`aws`, or another one such as `aws-cn`."""
        return self.function.split(":")[1]

    def _inventory(self, aws: AwsAccess) -> dict[str, Any]:
        """Return the parameters for an inventory."""
        bucket, _, key = self.manifest.removeprefix("s3://").partition("/")
        etag = _client("s3", aws).head_object(Bucket=bucket, Key=key)["ETag"].strip('"')
        location = {"ObjectArn": f"arn:{self._partition}:s3:::{bucket}/{key}", "ETag": etag}
        return {"Manifest": {"Spec": {"Format": _INVENTORY}, "Location": location}}

    def _generator(self) -> dict[str, Any]:
        """Return the parameters with which S3 lists the bucket by itself."""
        generator: dict[str, Any] = {
            "ExpectedBucketOwner": self.account,
            "SourceBucket": f"arn:{self._partition}:s3:::{self.bucket}",
            "EnableManifestOutput": False,
        }
        if self.prefix:
            generator["Filter"] = {"KeyNameConstraint": {"MatchAnyPrefix": [self.prefix]}}
        return {"ManifestGenerator": {"S3JobManifestGenerator": generator}}


def _client(service: str, aws: AwsAccess) -> Any:
    configured = {"s3": aws.s3, "s3control": aws.endpoint_url_s3_control or aws.endpoint_url}
    endpoint = configured.get(service, aws.endpoint_url)
    paths = {"s3": {"addressing_style": "path"}} if endpoint and service == "s3" else {}
    return sdk_client(
        service, aws, region=aws.home, endpoint=endpoint, connect_timeout=5.0, read_timeout=30.0, attempts=3, **paths
    )

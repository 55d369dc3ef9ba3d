"""A stand-in of CloudFormation makes what it can of the stack, and deletes it again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.stand_ins.moto import Moto
from tests.template.samples import LEAST, UPLOADS
from tests.template.stack import Stack, template

# The stand-in makes none of these, or skips them in silence.
UNKNOWN = (
    "AWS::ApiGatewayV2::",
    "AWS::CloudFront::",
    "AWS::Lambda::Permission",
    "AWS::SecretsManager::",
    "AWS::S3::BucketPolicy",
    "Custom::",
    "AWS::SQS::QueuePolicy",
    "AWS::Logs::QueryDefinition",
    "AWS::SNS::TopicPolicy",
)


def creatable(parameters: dict[str, str]) -> dict[str, Any]:
    """The part of the stack that the stand-in knows, resolved but for the names and ARNs of what it makes."""
    types = {name: about["Type"] for name, about in template()["Resources"].items()}
    known = {name for name, kind in types.items() if not kind.startswith(UNKNOWN)}
    made = Stack(parameters, linked=known).resources
    resources = {name: {"Type": types[name], "Properties": said} for name, said in made.items() if name in known}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


@pytest.mark.parametrize("name", ["least", "uploads"])
def test_the_stack_is_made_and_deleted(moto: Moto, name: str) -> None:
    parameters = LEAST if name == "least" else {**LEAST, **UPLOADS}
    cloudformation = moto.client("cloudformation")
    body = json.dumps(creatable(parameters))
    cloudformation.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
    (made,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    assert made["StackStatus"] == "CREATE_COMPLETE"
    said = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    # It names no alarm and no metric filter.
    names = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in said if "LogicalResourceId" in each}
    wanted = {name for name in json.loads(body)["Resources"] if not name.endswith(("Alarm", "Filter"))}
    assert wanted <= set(names)
    assert ("UploadQueue" in names) is (name == "uploads")
    _look_at(moto, names)
    cloudformation.delete_stack(StackName=name)
    summaries = cloudformation.list_stacks()["StackSummaries"]
    left = [each["StackName"] for each in summaries if each["StackStatus"] != "DELETE_COMPLETE"]
    assert left == []


def _look_at(moto: Moto, names: dict[str, str]) -> None:
    bucket = names["ResultsBucket"]
    encryption = moto.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert encryption[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    function = moto.client("lambda").get_function(FunctionName=names["Function"])["Configuration"]
    assert (function["Timeout"], function["MemorySize"]) == (30, 1769)
    assert function["Environment"]["Variables"]["SOURCE_BUCKETS"].startswith(LEAST["SourceBuckets"])
    policies = moto.client("iam").list_role_policies(RoleName=names["FunctionRole"])["PolicyNames"]
    assert policies == ["work"]
    if "UploadQueue" in names:
        (mapping,) = moto.client("lambda").list_event_source_mappings(FunctionName=names["UploadFunction"])[
            "EventSourceMappings"
        ]
        assert mapping["EventSourceArn"].endswith(names["UploadQueue"].rpartition("/")[2])
        queue = moto.client("sqs").get_queue_attributes(QueueUrl=names["UploadQueue"], AttributeNames=["All"])
        assert json.loads(queue["Attributes"]["RedrivePolicy"])["maxReceiveCount"] == 5
        rule = moto.client("events").list_targets_by_rule(Rule=names["UploadRule"])["Targets"]
        assert rule[0]["Arn"].endswith(queue["Attributes"]["QueueArn"].rpartition(":")[2])

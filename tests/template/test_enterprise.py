"""What organisations demand of a stack: their own key, their network, and buckets of other accounts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.template.policies import Ask, allows
from tests.template.samples import LEAST, UPLOADS, VALUES, stacks
from tests.template.stack import ACCOUNT, Stack

GUIDE = (Path(__file__).parents[2] / "docs" / "operate.md").read_text(encoding="utf-8")
KEY = VALUES["DataKeyArn"][0]
SUBNETS, GROUP = VALUES["SubnetIds"][0], VALUES["SecurityGroupIds"][0]
EVERYTHING = stacks()["everything, created buckets"]
UNENCRYPTED = {"DemoBucket", "AccessLogBucket"}
"""Buckets that keep S3's own key: one is public, and CloudFront writes to the other."""


def policy_in_guide(first: str) -> list[dict[str, Any]]:
    """Return the statements of the policy in docs/operate.md whose first statement has this Sid."""
    for block in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL):
        if f'"Sid": "{first}"' in block:
            statements: list[dict[str, Any]] = json.loads(block)
            return statements
    raise AssertionError(f"docs/operate.md has no policy with {first}")


def test_everything_that_is_stored_is_encrypted_with_the_key() -> None:
    stack = Stack({**EVERYTHING, "DataKeyArn": KEY})
    for name, bucket in stack.of_type("AWS::S3::Bucket").items():
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        found = rule["ServerSideEncryptionByDefault"].get("KMSMasterKeyID")
        assert found == (None if name in UNENCRYPTED else KEY), name
    for name, queue in stack.of_type("AWS::SQS::Queue").items():
        assert (queue["KmsMasterKeyId"], "SqsManagedSseEnabled" in queue) == (KEY, False), name
    assert {group["KmsKeyId"] for group in stack.of_type("AWS::Logs::LogGroup").values()} == {KEY}
    assert {secret["KmsKeyId"] for secret in stack.of_type("AWS::SecretsManager::Secret").values()} == {KEY}
    assert stack.resources["Records"]["SSESpecification"]["KMSMasterKeyId"] == KEY
    assert stack.resources["Notices"]["KmsMasterKeyId"] == KEY
    assert KEY not in json.dumps(Stack({**EVERYTHING, "DataKeyArn": ""}).resources)


def test_the_key_s_policy_in_the_guide_lets_the_services_of_the_stack_use_it() -> None:
    statements = policy_in_guide("LogsUseIt")
    group = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/pictures"
    for principal, action, context in (
        ("logs.eu-central-1.amazonaws.com", "kms:GenerateDataKey", {"kms:EncryptionContext:aws:logs:arn": group}),
        ("events.amazonaws.com", "kms:GenerateDataKey", {"aws:SourceAccount": "123456789012"}),
        (
            "cloudfront.amazonaws.com",
            "kms:Decrypt",
            {"aws:SourceArn": "arn:aws:cloudfront::123456789012:distribution/E1ABCDEFGHIJKL"},
        ),
    ):
        assert allows(statements, Ask(action, "*", principal, context)), principal
        assert not allows(statements, Ask(action, "*", principal, {})), principal
        assert not allows(statements, Ask("kms:ScheduleKeyDeletion", "*", principal, context)), principal


def test_the_functions_of_the_image_run_in_the_subnets() -> None:
    stack = Stack({**EVERYTHING, "SubnetIds": SUBNETS, "SecurityGroupIds": GROUP})
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        network = {"SubnetIds": SUBNETS.split(","), "SecurityGroupIds": [GROUP]}
        # The provider and the authorizer call AWS's services alone, and must answer whatever the network is.
        assert function.get("VpcConfig") == (network if function.get("PackageType") == "Image" else None), name
    assert not any("VpcConfig" in function for function in Stack(LEAST).of_type("AWS::Lambda::Function").values())


def test_the_policy_of_a_bucket_in_another_account_lets_the_roles_read() -> None:
    roles = Stack({**LEAST, **UPLOADS}).outputs["RoleArns"].split(",")
    assert roles == [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("FunctionRole", "HeavyRole", "UploadRole")]
    text = json.dumps(policy_in_guide("ReadOriginals")).replace('["ROLE_ARN"]', json.dumps(roles))
    statements = json.loads(text)
    bucket = "arn:aws:s3:::their-photos"
    for role in roles:
        assert allows(statements, Ask("s3:GetObject", f"{bucket}/cat.jpg", role))
        assert allows(statements, Ask("s3:ListBucket", bucket, role))
        assert not allows(statements, Ask("s3:PutObject", f"{bucket}/cat.jpg", role))
    assert not allows(statements, Ask("s3:GetObject", f"{bucket}/cat.jpg", f"arn:aws:iam::{ACCOUNT}:role/another"))

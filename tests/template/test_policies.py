"""Who may do what: each role and each bucket, what is allowed and what is not."""

from __future__ import annotations

import json

import pytest
from tests.template.policies import Ask, allows, resource_statements, role_statements
from tests.template.samples import GALLERY, LEAST, OWN_UPLOADS, SECRET, UPLOADS, VALUES, stacks
from tests.template.stack import ACCOUNT, REGION, STACK_ID, Stack

RESULTS = "arn:aws:s3:::resultsbucket"
HERE = f"{REGION}:{ACCOUNT}"
SECRETS = f"arn:aws:secretsmanager:{HERE}:secret"
CDN = "cloudfront.amazonaws.com"
OURS = f"arn:aws:cloudfront::{ACCOUNT}:distribution/EDISTRIBUTION"
TLS = {"aws:SecureTransport": "true"}
EVERYTHING = stacks()["everything"]

FUNCTION_MAY = [
    ("s3:GetObject", "arn:aws:s3:::photos/cat.jpg"),
    ("s3:GetObject", "arn:aws:s3:::other.photos/deep/cat.jpg"),
    ("s3:ListBucket", "arn:aws:s3:::photos"),
    ("s3:ListBucket", "arn:aws:s3:::other.photos"),
    *(
        (f"s3:{verb}Object", f"{RESULTS}/{part}/x")
        for part in ("private", "public", "detections")
        for verb in ("Get", "Put", "Delete")
    ),
    ("s3:ListBucket", RESULTS),
    ("secretsmanager:GetSecretValue", f"{SECRETS}:OriginSecret-AbCdEf"),
    ("secretsmanager:GetSecretValue", f"{SECRETS}:OperatorToken-AbCdEf"),
    ("rekognition:DetectFaces", "*"),
    ("rekognition:DetectLabels", "*"),
    ("rekognition:DetectModerationLabels", "*"),
    ("rekognition:DetectText", "*"),
    ("logs:CreateLogStream", f"arn:aws:logs:{HERE}:log-group:/logs/FunctionLogs:log-stream:a"),
    ("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/logs/FunctionLogs:log-stream:a"),
    ("xray:PutTraceSegments", "*"),
]
TRACED = {**LEAST, "Tracing": "Yes"}
ORDINARY_MAY = [
    ("lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:HeavyWorker"),
    ("cloudfront:CreateInvalidation", OURS),
]
FUNCTION_MAY_NOT = [
    ("s3:GetObject", "arn:aws:s3:::photos2/cat.jpg"),
    ("s3:GetObject", "arn:aws:s3:::variations/cat.jpg"),
    ("s3:PutObject", "arn:aws:s3:::photos/cat.jpg"),
    ("s3:DeleteObject", "arn:aws:s3:::photos/cat.jpg"),
    ("s3:PutObject", "arn:aws:s3:::variations/cat.jpg"),
    ("s3:ListBucket", "arn:aws:s3:::strangers"),
    ("s3:ListAllMyBuckets", "*"),
    ("s3:GetObject", f"{RESULTS}/elsewhere"),
    ("s3:PutBucketPolicy", RESULTS),
    ("s3:PutObjectAcl", f"{RESULTS}/public/x"),
    ("secretsmanager:GetSecretValue", f"{SECRETS}:somebody-AbCdEf"),
    ("secretsmanager:GetSecretValue", f"{SECRETS}:SignatureSecret-AbCdEf"),
    ("secretsmanager:PutSecretValue", f"{SECRETS}:OperatorToken-AbCdEf"),
    ("rekognition:SearchFacesByImage", "*"),
    ("rekognition:CreateCollection", "*"),
    ("cloudfront:CreateInvalidation", f"arn:aws:cloudfront::{ACCOUNT}:distribution/EOTHER"),
    ("cloudfront:UpdateDistribution", OURS),
    ("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/logs/ApiLogs:log-stream:a"),
    ("logs:CreateLogGroup", f"arn:aws:logs:{HERE}:log-group:/logs/FunctionLogs"),
    ("kms:Decrypt", f"arn:aws:kms:{HERE}:key/1-2"),
    ("sqs:ReceiveMessage", f"arn:aws:sqs:{HERE}:UploadQueue"),
    ("lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:Function"),
    ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/FunctionRole"),
]
TABLE = f"arn:aws:dynamodb:{HERE}:table/Records"
RECORD_ACTIONS = ("GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem", "Query")
QUEUE = f"arn:aws:sqs:{HERE}:UploadQueue"
NAMED = f"{SECRETS}:signing/key-AbCdEf"
WITH = [
    # parameters, action, resource, allowed
    ({"OperatorApi": "No"}, "secretsmanager:GetSecretValue", f"{SECRETS}:OperatorToken-AbCdEf", False),
    ({"EnableSignature": "Yes"}, "secretsmanager:GetSecretValue", f"{SECRETS}:SignatureSecret-AbCdEf", True),
    ({"EnableSignature": "Yes", "SecretId": "signing/key"}, "secretsmanager:GetSecretValue", NAMED, True),
    ({"EnableSignature": "Yes", "SecretId": "signing/key"}, "secretsmanager:GetSecretValue", f"{NAMED}9", False),
    ({"EnableSignature": "Yes", "SecretId": "signing"}, "secretsmanager:GetSecretValue", NAMED, False),
    ({"EnableSignature": "Yes", "SecretId": SECRET}, "secretsmanager:GetSecretValue", SECRET, True),
    ({"EnableSignature": "No", "SecretId": SECRET}, "secretsmanager:GetSecretValue", SECRET, False),
    ({"KmsKeyArns": VALUES["KmsKeyArns"][0]}, "kms:Decrypt", f"arn:aws:kms:{HERE}:key/3", True),
    ({"KmsKeyArns": VALUES["KmsKeyArns"][0]}, "kms:Decrypt", f"arn:aws:kms:{HERE}:key/4", False),
    ({"KmsKeyArns": VALUES["KmsKeyArns"][0]}, "kms:Encrypt", f"arn:aws:kms:{HERE}:key/3", False),
    (UPLOADS, "s3:PutObject", "arn:aws:s3:::variations/thumb/photos/cat.jpg", False),
    (UPLOADS, "s3:PutObject", "arn:aws:s3:::photos/cat.jpg", False),
    (UPLOADS, "sqs:ReceiveMessage", QUEUE, False),
    ({"ExistingDistributionId": "E1ABCDEFGHIJKL"}, "cloudfront:CreateInvalidation", OURS, False),
    (
        {"ExistingDistributionId": "E1ABCDEFGHIJKL"},
        "cloudfront:CreateInvalidation",
        f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1ABCDEFGHIJKL",
        True,
    ),
]


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [(*may, True) for may in FUNCTION_MAY] + [(*may_not, False) for may_not in FUNCTION_MAY_NOT],
)
def test_the_function(action: str, resource: str, allowed: bool) -> None:
    for role in ("FunctionRole", "HeavyRole"):
        meant = resource.replace("FunctionLogs", "HeavyLogs") if role == "HeavyRole" else resource
        assert allows(role_statements(Stack(TRACED), role), Ask(action, meant)) is allowed
        assert not allows(role_statements(Stack(LEAST), role), Ask("xray:PutTraceSegments", "*"))


@pytest.mark.parametrize(("action", "resource"), ORDINARY_MAY)
def test_the_ordinary_function_alone_hands_over_and_withdraws(action: str, resource: str) -> None:
    ask = Ask(action, resource)
    assert allows(role_statements(Stack(LEAST), "FunctionRole"), ask)
    assert not allows(role_statements(Stack(LEAST), "HeavyRole"), ask)


def test_nobody_hands_over_where_there_is_no_heavy_function() -> None:
    ask = Ask(*ORDINARY_MAY[0])
    assert not allows(role_statements(Stack({**LEAST, "HeavyFunction": "No"}), "FunctionRole"), ask)


DEMO = "arn:aws:s3:::demobucket"
PROVIDER_MAY = [
    # action, resource, allowed
    *(
        ("lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:{name}", True)
        for name in ("Function", "HeavyWorker", "UploadFunction", "DemoFiller")
    ),
    ("lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:another", False),
    ("lambda:UpdateFunctionCode", f"arn:aws:lambda:{HERE}:function:Function", False),
    ("lambda:GetAccountSettings", "*", True),
    ("cloudformation:DescribeStacks", STACK_ID, True),
    ("cloudformation:DescribeStacks", STACK_ID.replace("images", "others"), False),
    ("cloudformation:DeleteStack", STACK_ID, False),
    ("cloudfront:GetDistribution", f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1ABCDEFGHIJKL", True),
    ("cloudfront:GetDistribution", OURS, False),
    ("s3:DeleteObject", f"{DEMO}/_demo/index.html", True),
    ("s3:DeleteObject", f"{DEMO}/elsewhere", False),
    ("s3:DeleteObject", "arn:aws:s3:::photos/cat.jpg", False),
    ("s3:ListBucket", DEMO, True),
    ("s3:GetObject", "arn:aws:s3:::photos/cat.jpg", False),
    ("secretsmanager:GetSecretValue", f"{SECRETS}:OperatorToken-AbCdEf", False),
    ("logs:DescribeDeliveries", "*", False),
]
_DELIVERY = f"arn:aws:logs:us-east-1:{ACCOUNT}"
_OWN_LOGS = "access-logs-51af3dc0-da77-11e4-872e-1234567db123"
DELIVERS_LOGS = [
    *((f"logs:{verb}DeliverySource", f"{_DELIVERY}:delivery-source:{_OWN_LOGS}", True) for verb in ("Put", "Delete")),
    *(
        (f"logs:{verb}DeliveryDestination", f"{_DELIVERY}:delivery-destination:{_OWN_LOGS}", True)
        for verb in ("Put", "Delete")
    ),
    ("logs:CreateDelivery", f"{_DELIVERY}:delivery-source:{_OWN_LOGS}", True),
    ("logs:DeleteDelivery", f"{_DELIVERY}:delivery:AbCd", True),
    ("logs:DescribeDeliveries", "*", True),
    ("logs:PutDeliverySource", f"{_DELIVERY}:delivery-source:another", False),
    ("cloudfront:AllowVendedLogDeliveryForResource", OURS, True),
    ("cloudfront:AllowVendedLogDeliveryForResource", f"arn:aws:cloudfront::{ACCOUNT}:distribution/EOTHER", False),
    ("s3:GetBucketPolicy", "arn:aws:s3:::accesslogbucket", True),
    ("s3:PutBucketPolicy", "arn:aws:s3:::accesslogbucket", True),
    ("s3:PutBucketPolicy", RESULTS, False),
    ("s3:GetObject", "arn:aws:s3:::accesslogbucket/x", False),
]
SHIFTER_MAY = [
    # CodeDeploy moves requests from one version of a function to the next. action, resource, allowed
    *(
        (f"lambda:{verb}", f"arn:aws:lambda:{HERE}:function:{name}{qualifier}", True)
        for verb in ("GetAlias", "UpdateAlias", "GetProvisionedConcurrencyConfig")
        for name in ("Function", "HeavyWorker", "UploadFunction")
        for qualifier in ("", ":live")
    ),
    ("cloudwatch:DescribeAlarms", "*", True),
    ("cloudwatch:PutMetricAlarm", "*", False),
    ("lambda:UpdateAlias", f"arn:aws:lambda:{HERE}:function:another:live", False),
    ("lambda:UpdateFunctionCode", f"arn:aws:lambda:{HERE}:function:Function", False),
    ("lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:Function:live", False),
    ("s3:GetObject", "arn:aws:s3:::photos/cat.jpg", False),
]
CANARY = {"TrafficShifting": "Canary10Percent5Minutes", "DeployedAt": "2026-01-31T12:00:00Z"}


@pytest.mark.parametrize(("action", "resource", "allowed"), SHIFTER_MAY)
def test_codedeploy(action: str, resource: str, allowed: bool) -> None:
    stack = Stack({**LEAST, **UPLOADS, **CANARY})
    assert allows(role_statements(stack, "DeploymentRole"), Ask(action, resource)) is allowed


@pytest.mark.parametrize(("action", "resource", "allowed"), DELIVERS_LOGS)
def test_the_provider_of_a_stack_with_access_logs(action: str, resource: str, allowed: bool) -> None:
    stack = Stack({**LEAST, "AccessLogs": "Yes"})
    assert allows(role_statements(stack, "ProviderRole"), Ask(action, resource)) is allowed


@pytest.mark.parametrize(("action", "resource", "allowed"), PROVIDER_MAY)
def test_the_provider(action: str, resource: str, allowed: bool) -> None:
    stack = Stack({**LEAST, **UPLOADS, "ExistingDistributionId": "E1ABCDEFGHIJKL"})
    assert allows(role_statements(stack, "ProviderRole"), Ask(action, resource)) is allowed


@pytest.mark.parametrize(
    ("role", "action", "resource", "allowed"),
    [
        ("DemoRole", "s3:PutObject", f"{DEMO}/_demo/index.html", True),
        ("DemoRole", "s3:DeleteObject", f"{DEMO}/_demo/index.html", True),
        ("DemoRole", "s3:GetObject", f"{DEMO}/_demo/index.html", True),
        ("DemoRole", "s3:PutObject", f"{DEMO}/elsewhere", False),
        ("DemoRole", "s3:ListBucket", DEMO, True),
        ("DemoRole", "s3:PutObject", "arn:aws:s3:::photos/cat.jpg", False),
        ("DemoRole", "s3:GetObject", "arn:aws:s3:::photos/cat.jpg", False),
        ("DemoRole", "secretsmanager:GetSecretValue", f"{SECRETS}:OperatorToken-AbCdEf", False),
        ("FunctionRole", "s3:GetObject", f"{DEMO}/_demo/samples/cat.jpg", True),
        ("FunctionRole", "s3:GetObject", f"{DEMO}/_demo/index.html", False),
        ("FunctionRole", "s3:PutObject", f"{DEMO}/_demo/samples/cat.jpg", False),
        ("HeavyRole", "s3:GetObject", f"{DEMO}/_demo/samples/cat.jpg", True),
        ("HeavyRole", "s3:GetObject", f"{DEMO}/_demo/index.html", False),
    ],
)
def test_the_demo(role: str, action: str, resource: str, allowed: bool) -> None:
    assert allows(role_statements(Stack(LEAST), role), Ask(action, resource)) is allowed


@pytest.mark.parametrize(("parameters", "action", "resource", "allowed"), WITH)
def test_the_function_with(parameters: dict[str, str], action: str, resource: str, allowed: bool) -> None:
    stack = Stack({**LEAST, **parameters})
    assert allows(role_statements(stack, "FunctionRole"), Ask(action, resource)) is allowed
    # The heavy one takes no uploads and withdraws nothing.
    is_both_s = action.startswith(("secretsmanager:", "kms:"))
    assert allows(role_statements(stack, "HeavyRole"), Ask(action, resource)) is (allowed and is_both_s)


UPLOADS_MAY = [
    # action, resource, allowed
    ("s3:GetObject", "arn:aws:s3:::photos/cat.jpg", True),
    ("s3:GetObject", "arn:aws:s3:::other.photos/cat.jpg", True),
    ("s3:ListBucket", "arn:aws:s3:::photos", True),
    ("s3:PutObject", "arn:aws:s3:::photos/cat.jpg", False),
    ("s3:DeleteObject", "arn:aws:s3:::photos/cat.jpg", False),
    ("s3:GetObject", "arn:aws:s3:::variations/thumb/photos/cat.jpg", True),
    ("s3:PutObject", "arn:aws:s3:::variations/thumb/photos/cat.jpg", True),
    ("s3:DeleteObject", "arn:aws:s3:::variations/thumb/photos/cat.jpg", True),
    ("s3:ListBucket", "arn:aws:s3:::variations", True),
    ("s3:PutBucketPolicy", "arn:aws:s3:::variations", False),
    ("s3:GetObject", f"{RESULTS}/detections/x", True),
    ("s3:PutObject", f"{RESULTS}/detections/x", True),
    ("s3:DeleteObject", f"{RESULTS}/public/_results/x", True),
    ("s3:DeleteObject", f"{RESULTS}/batch/x", False),
    ("s3:ListBucket", RESULTS, True),
    ("cloudfront:CreateInvalidation", OURS, True),
    ("cloudfront:UpdateDistribution", OURS, False),
    *((f"dynamodb:{verb}", TABLE, True) for verb in RECORD_ACTIONS),
    ("dynamodb:Query", f"{TABLE}/index/by-key", True),
    ("dynamodb:Scan", TABLE, False),
    ("dynamodb:DeleteTable", TABLE, False),
    ("dynamodb:GetItem", f"arn:aws:dynamodb:{HERE}:table/another", False),
    ("sns:Publish", f"arn:aws:sns:{HERE}:Notices", True),
    ("sns:Publish", f"arn:aws:sns:{HERE}:another", False),
    ("events:PutEvents", f"arn:aws:events:{HERE}:event-bus/default", True),
    ("events:PutEvents", f"arn:aws:events:{HERE}:event-bus/another", False),
    ("s3:GetObjectTagging", "arn:aws:s3:::photos/cat.jpg", False),
    ("sqs:ReceiveMessage", QUEUE, True),
    ("sqs:DeleteMessage", QUEUE, True),
    ("sqs:SendMessage", QUEUE, False),
    ("sqs:ReceiveMessage", f"arn:aws:sqs:{HERE}:FailedUploads", False),
    ("rekognition:DetectModerationLabels", "*", True),
    ("rekognition:CreateCollection", "*", False),
    ("secretsmanager:GetSecretValue", f"{SECRETS}:OperatorToken-AbCdEf", False),
    ("secretsmanager:GetSecretValue", f"{SECRETS}:SignatureSecret-AbCdEf", False),
    ("lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:HeavyWorker", False),
    ("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/logs/UploadLogs:log-stream:a", True),
    ("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/logs/FunctionLogs:log-stream:a", False),
    ("kms:Decrypt", f"arn:aws:kms:{HERE}:key/1-2", False),
    ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/UploadRole", False),
]


@pytest.mark.parametrize(("action", "resource", "allowed"), UPLOADS_MAY)
def test_the_upload_function(action: str, resource: str, allowed: bool) -> None:
    stack = Stack({**LEAST, **UPLOADS, "EnableSignature": "Yes"})
    assert allows(role_statements(stack, "UploadRole"), Ask(action, resource)) is allowed


KEYS_AT_THE_EDGE = f"arn:aws:cloudfront::{ACCOUNT}:key-value-store/SigningKeys"
COPIES_KEYS = [
    *(
        (f"cloudfront-keyvaluestore:{verb}", KEYS_AT_THE_EDGE, True)
        for verb in ("DescribeKeyValueStore", "GetKey", "PutKey")
    ),
    ("cloudfront-keyvaluestore:PutKey", KEYS_AT_THE_EDGE + "2", False),
    ("cloudfront-keyvaluestore:DeleteKey", KEYS_AT_THE_EDGE, False),
    ("cloudfront:UpdateFunction", "*", False),
    ("secretsmanager:GetSecretValue", f"{SECRETS}:SignatureSecret-AbCdEf", True),
    ("secretsmanager:GetSecretValue", f"{SECRETS}:OriginSecret-AbCdEf", False),
    ("secretsmanager:PutSecretValue", f"{SECRETS}:SignatureSecret-AbCdEf", False),
    ("s3:GetObject", "arn:aws:s3:::photos/cat.jpg", False),
    ("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/logs/SigningKeysLogs:log-stream:a", True),
]


@pytest.mark.parametrize(("action", "resource", "allowed"), COPIES_KEYS)
def test_the_function_that_copies_keys_to_the_edge(action: str, resource: str, allowed: bool) -> None:
    stack = Stack({**LEAST, "EnableSignature": "Yes", "VerifyAtEdge": "Yes"})
    assert allows(role_statements(stack, "SigningKeysRole"), Ask(action, resource)) is allowed
    others = [role for role in stack.of_type("AWS::IAM::Role") if role != "SigningKeysRole"]
    at_the_edge = Ask("cloudfront-keyvaluestore:GetKey", KEYS_AT_THE_EDGE)
    assert not [role for role in others if allows(role_statements(stack, role), at_the_edge)]


def test_the_keys_of_an_own_secret_are_read_by_its_name_and_decrypted() -> None:
    parameters = {"EnableSignature": "Yes", "VerifyAtEdge": "Yes", "SecretId": "signing/key"}
    key = f"arn:aws:kms:{HERE}:key/1-2"
    statements = role_statements(Stack({**LEAST, **parameters, "KmsKeyArns": key}), "SigningKeysRole")
    assert allows(statements, Ask("secretsmanager:GetSecretValue", f"{SECRETS}:signing/key-AbCdEf"))
    assert not allows(statements, Ask("secretsmanager:GetSecretValue", f"{SECRETS}:signing/key2-AbCdEf"))
    assert allows(statements, Ask("kms:Decrypt", key))


def test_no_role_has_more_than_the_table() -> None:
    """Every action that a role names stands in the table above: a new one is to be thought about."""
    known = {action for action, _ in FUNCTION_MAY + ORDINARY_MAY} | {
        action for _, action, _, allowed in WITH if allowed
    }
    known |= {action for action, _, allowed in UPLOADS_MAY + PROVIDER_MAY + SHIFTER_MAY if allowed}
    known |= {action for action, _, allowed in COPIES_KEYS + DELIVERS_LOGS if allowed}
    known |= {action for _, _, action, _, allowed in OF_UPLOADS if allowed}
    known |= {action for _, _, action, _, allowed in OF_ENTERPRISES if allowed}
    known |= {"xray:PutTelemetryRecords", "sqs:GetQueueAttributes"}
    stack = Stack(EVERYTHING)
    for role in stack.of_type("AWS::IAM::Role"):
        statements = role_statements(stack, role)
        actions = [statement["Action"] for statement in statements]
        assert {each for said in actions for each in ([said] if isinstance(said, str) else said)} <= known
        unbounded = [statement for statement in statements if statement["Resource"] == "*" and "s3" in str(statement)]
        assert {statement["Sid"] for statement in unbounded} <= {"ReadByAccessPoints"}  # which has a condition
        assert "ManagedPolicyArns" not in stack.resources[role]


PICTURES = "arn:aws:s3:::gallerybucket"
PASSWORD = f"{SECRETS}:gallery/password-AbCdEf"
OF_THE_GALLERY = [
    # role, action, resource, allowed
    ("FunctionRole", "s3:GetObject", f"{PICTURES}/v/a.jpg", True),
    ("FunctionRole", "s3:PutObject", f"{PICTURES}/v/a.jpg", True),
    ("FunctionRole", "s3:DeleteObject", f"{PICTURES}/v/a.jpg", True),
    ("FunctionRole", "s3:ListBucket", PICTURES, True),
    ("FunctionRole", "s3:PutBucketPolicy", PICTURES, False),
    ("FunctionRole", "s3:PutLifecycleConfiguration", PICTURES, False),
    ("FunctionRole", "s3:PutObjectAcl", f"{PICTURES}/v/a.jpg", False),
    ("FunctionRole", "s3:PutObject", "arn:aws:s3:::photos/a.jpg", False),
    ("FunctionRole", "s3:GetObject", f"{DEMO}/_gallery/gallery.html", False),
    *((f"{role}Role", f"dynamodb:{verb}", TABLE, role != "Heavy") for role in ("Function", "Heavy", "Upload")
      for verb in RECORD_ACTIONS),
    ("FunctionRole", "dynamodb:Scan", TABLE, False),
    ("FunctionRole", "sqs:SendMessage", QUEUE, True),
    ("FunctionRole", "secretsmanager:GetSecretValue", f"{SECRETS}:SignatureSecret-AbCdEf", True),
    ("FunctionRole", "secretsmanager:GetSecretValue", PASSWORD, True),
    ("FunctionRole", "secretsmanager:GetSecretValue", f"{PASSWORD}9", False),
    ("HeavyRole", "s3:GetObject", f"{PICTURES}/v/a.jpg", True),
    ("HeavyRole", "s3:ListBucket", PICTURES, True),
    ("HeavyRole", "s3:PutObject", f"{PICTURES}/v/a.jpg", False),
    ("HeavyRole", "s3:DeleteObject", f"{PICTURES}/v/a.jpg", False),
    ("HeavyRole", "secretsmanager:GetSecretValue", f"{SECRETS}:SignatureSecret-AbCdEf", True),
    ("HeavyRole", "secretsmanager:GetSecretValue", PASSWORD, False),
    ("UploadRole", "s3:GetObject", f"{PICTURES}/v/a.jpg", True),
    ("UploadRole", "s3:ListBucket", PICTURES, True),
    ("UploadRole", "s3:DeleteObject", f"{PICTURES}/v/a.jpg", True),
    ("UploadRole", "s3:PutObject", f"{PICTURES}/v/a.jpg", False),
    ("UploadRole", "secretsmanager:GetSecretValue", f"{SECRETS}:SignatureSecret-AbCdEf", False),
    ("UploadRole", "secretsmanager:GetSecretValue", PASSWORD, False),
    ("UploadRole", "sqs:ReceiveMessage", QUEUE, True),
    ("DemoRole", "s3:PutObject", f"{DEMO}/_gallery/gallery.html", True),
    ("DemoRole", "s3:GetObject", f"{PICTURES}/v/a.jpg", False),
    ("ProviderRole", "s3:DeleteObject", f"{DEMO}/_gallery/gallery.html", True),
    ("ProviderRole", "s3:DeleteObject", f"{PICTURES}/v/a.jpg", False),
    ("ProviderRole", "lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:UploadFunction", True),
    ("AuthorizerRole", "s3:GetObject", f"{PICTURES}/v/a.jpg", False),
    ("BatchRole", "s3:GetObject", f"{PICTURES}/v/a.jpg", False),
]  # fmt: skip


@pytest.mark.parametrize(("role", "action", "resource", "allowed"), OF_THE_GALLERY)
def test_the_roles_of_the_gallery(role: str, action: str, resource: str, allowed: bool) -> None:
    parameters = {**LEAST, **GALLERY, "GalleryPasswordSecret": "gallery/password", "DeployDemoUI": "No"}
    ask = Ask(action, resource)
    assert allows(role_statements(Stack(parameters), role), ask) is allowed
    without = Stack({**LEAST, "DeployDemoUI": "No"})
    if role in without.resources and "gallery" in resource:
        assert not allows(role_statements(without, role), ask)


def test_a_password_may_be_named_by_its_arn() -> None:
    arn = VALUES["GalleryPasswordSecret"][1]
    statements = role_statements(Stack({**LEAST, **GALLERY, "GalleryPasswordSecret": arn}), "FunctionRole")
    assert allows(statements, Ask("secretsmanager:GetSecretValue", arn))


def test_scanned_pictures_need_their_tags() -> None:
    ask = Ask("s3:GetObjectTagging", f"{PICTURES}/v/a.jpg")
    scanned = Stack({**LEAST, **GALLERY, **TAGGED, "DeployDemoUI": "No"})
    for role in ("FunctionRole", "HeavyRole", "UploadRole"):
        assert allows(role_statements(scanned, role), ask)
        assert not allows(role_statements(Stack({**LEAST, **GALLERY}), role), ask)


def test_nobody_outside_reads_the_pictures_of_the_gallery() -> None:
    statements = resource_statements(Stack({**LEAST, **GALLERY}), "GalleryBucketPolicy")
    for principal, context in ((CDN, {**TLS, "aws:SourceArn": OURS}), ("", TLS)):
        for action in ("s3:GetObject", "s3:PutObject", "s3:ListBucket"):
            assert not allows(statements, Ask(action, f"{PICTURES}/v/a.jpg", principal, context))
    assert {statement["Effect"] for statement in statements} == {"Deny"}


def test_forty_source_buckets_fit_into_every_role() -> None:
    """IAM takes 10,240 characters of a role's own policies. Names that CloudFormation makes are some 30 longer."""
    buckets = ",".join(f"company-photos-bucket-{number:04}" for number in range(40))
    for name in ("everything", "everything, created buckets"):
        parameters = {**stacks()[name], "SourceBuckets": buckets, **TAGGED, "DeployDemoUI": "No"}
        stack = Stack(parameters)
        for role in stack.of_type("AWS::IAM::Role"):
            text = json.dumps(stack.resources[role]["Policies"], separators=(",", ":"))
            assert len(text) + 30 * text.count('"Sid"') < 10_240, (name, role)


KEY = VALUES["DataKeyArn"][0]
OWN_KEY = {**UPLOADS, "DataKeyArn": KEY}
VPC = {**UPLOADS, "SubnetIds": "subnet-0123abcd", "SecurityGroupIds": "sg-0123abcd"}
INTERFACES = (
    *("CreateNetworkInterface", "DescribeNetworkInterfaces", "DescribeSubnets", "DeleteNetworkInterface"),
    *("AssignPrivateIpAddresses", "UnassignPrivateIpAddresses"),
)
READERS = ("FunctionRole", "HeavyRole", "UploadRole")
OF_ENTERPRISES = [
    # parameters, role, action, resource, allowed
    *(
        (OWN_KEY, role, f"kms:{verb}", KEY, True)
        for role in READERS
        for verb in ("Decrypt", "GenerateDataKey", "DescribeKey")
    ),
    *((OWN_KEY, role, "kms:Decrypt", KEY.replace("/5", "/6"), False) for role in READERS),
    *((OWN_KEY, role, "kms:ScheduleKeyDeletion", KEY, False) for role in READERS),
    *((UPLOADS, role, "kms:Decrypt", KEY, False) for role in READERS),
    (OWN_KEY, "AuthorizerRole", "kms:Decrypt", KEY, True),
    (OWN_KEY, "AuthorizerRole", "kms:GenerateDataKey", KEY, False),
    (OWN_KEY, "BatchRole", "kms:GenerateDataKey", KEY, True),
    (OWN_KEY, "ProviderRole", "kms:Decrypt", KEY, False),
    (OWN_KEY, "DemoRole", "kms:Decrypt", KEY, False),
    *((VPC, role, f"ec2:{verb}", "*", True) for role in (*READERS, "DemoRole") for verb in INTERFACES),
    *((VPC, role, "ec2:AuthorizeSecurityGroupIngress", "*", False) for role in READERS),
    *((UPLOADS, role, "ec2:CreateNetworkInterface", "*", False) for role in (*READERS, "DemoRole")),
    (VPC, "AuthorizerRole", "ec2:CreateNetworkInterface", "*", False),
    (VPC, "ProviderRole", "ec2:CreateNetworkInterface", "*", False),
]


@pytest.mark.parametrize(("parameters", "role", "action", "resource", "allowed"), OF_ENTERPRISES)
def test_keys_and_networks_of_the_organisation(
    parameters: dict[str, str], role: str, action: str, resource: str, allowed: bool
) -> None:
    assert allows(role_statements(Stack({**LEAST, **parameters}), role), Ask(action, resource)) is allowed


@pytest.mark.parametrize("role", READERS)
@pytest.mark.parametrize(
    ("action", "point", "allowed"),
    [
        ("s3:GetObject", "photos", True),
        ("s3:ListBucket", "photos", True),
        ("s3:GetObject", "another", False),
        ("s3:GetObject", "", False),
        ("s3:PutObject", "photos", False),
        ("s3:GetObjectTagging", "photos", False),
    ],
)
def test_originals_are_read_by_the_access_points_that_are_named(
    role: str, action: str, point: str, allowed: bool
) -> None:
    arn = f"arn:aws:s3:{HERE}:accesspoint"
    stack = Stack({**LEAST, **UPLOADS, "AccessPointArns": f"{arn}/photos"})
    context = {"s3:DataAccessPointArn": f"{arn}/{point}"} if point else {}
    for resource in (f"{arn}/photos/object/cat.jpg", "arn:aws:s3:::behind-it/cat.jpg"):
        assert allows(role_statements(stack, role), Ask(action, resource, context=context)) is allowed


def test_a_tag_is_read_by_an_access_point_where_it_is_required() -> None:
    arn = VALUES["AccessPointArns"][0]
    stack = Stack({**LEAST, **TAGGED, "DeployDemoUI": "No", "AccessPointArns": arn})
    ask = Ask("s3:GetObjectTagging", f"{arn}/object/cat.jpg", context={"s3:DataAccessPointArn": arn})
    assert allows(role_statements(stack, "FunctionRole"), ask)


TAGGED = {"RequireTag": "scanned=clean"}
OF_UPLOADS = [
    # parameters, role, action, resource, allowed
    (UPLOADS, "FunctionRole", "dynamodb:Query", f"{TABLE}/index/by-status", True),
    (UPLOADS, "HeavyRole", "dynamodb:GetItem", TABLE, False),
    ({}, "FunctionRole", "dynamodb:GetItem", TABLE, False),
    ({**UPLOADS, "UploadApi": "Yes"}, "FunctionRole", "s3:PutObject", "arn:aws:s3:::photos/new.jpg", True),
    ({**UPLOADS, "UploadApi": "Yes"}, "FunctionRole", "s3:AbortMultipartUpload", "arn:aws:s3:::photos/new.jpg", True),
    ({**UPLOADS, "UploadApi": "Yes"}, "FunctionRole", "s3:PutObject", "arn:aws:s3:::other.photos/new.jpg", False),
    ({**UPLOADS, "UploadApi": "Yes"}, "FunctionRole", "s3:DeleteObject", "arn:aws:s3:::photos/new.jpg", True),
    ({**UPLOADS, "UploadApi": "Yes"}, "FunctionRole", "s3:DeleteObject", "arn:aws:s3:::other.photos/a.jpg", False),
    ({**UPLOADS, "UploadApi": "Yes"}, "FunctionRole", "s3:DeleteObjectVersion", "arn:aws:s3:::photos/a.jpg", False),
    ({**UPLOADS, "UploadApi": "Yes"}, "HeavyRole", "s3:DeleteObject", "arn:aws:s3:::photos/new.jpg", False),
    (UPLOADS, "FunctionRole", "s3:DeleteObject", "arn:aws:s3:::photos/new.jpg", False),
    (UPLOADS, "FunctionRole", "sqs:SendMessage", QUEUE, True),
    (UPLOADS, "FunctionRole", "sqs:SendMessage", f"arn:aws:sqs:{HERE}:FailedUploads", False),
    (UPLOADS, "FunctionRole", "sqs:PurgeQueue", QUEUE, False),
    (UPLOADS, "HeavyRole", "sqs:SendMessage", QUEUE, False),
    ({**UPLOADS, "OperatorApi": "No"}, "FunctionRole", "sqs:SendMessage", QUEUE, False),
    ({}, "FunctionRole", "sqs:SendMessage", QUEUE, False),
    ({**UPLOADS, "UploadApi": "Yes"}, "HeavyRole", "s3:PutObject", "arn:aws:s3:::photos/new.jpg", False),
    ({**OWN_UPLOADS, "UploadApi": "Yes"}, "FunctionRole", "s3:PutObject", "arn:aws:s3:::uploadedbucket/a.jpg", True),
    (OWN_UPLOADS, "FunctionRole", "s3:PutObject", "arn:aws:s3:::uploadedbucket/a.jpg", False),
    *(
        (OWN_UPLOADS, role, "s3:GetObject", "arn:aws:s3:::uploadedbucket/a.jpg", True)
        for role in ("FunctionRole", "HeavyRole", "UploadRole")
    ),
    (OWN_UPLOADS, "UploadRole", "s3:ListBucket", "arn:aws:s3:::uploadedbucket", True),
    (OWN_UPLOADS, "UploadRole", "s3:PutObject", "arn:aws:s3:::variantbucket/thumb/a.jpg", True),
    (OWN_UPLOADS, "UploadRole", "s3:PutObject", "arn:aws:s3:::variations/thumb/a.jpg", False),
    (OWN_UPLOADS, "FunctionRole", "s3:PutObject", "arn:aws:s3:::variantbucket/thumb/a.jpg", False),
    *(
        ({**UPLOADS, **TAGGED}, role, "s3:GetObjectTagging", "arn:aws:s3:::photos/cat.jpg", True)
        for role in ("FunctionRole", "HeavyRole", "UploadRole")
    ),
    ({**OWN_UPLOADS, **TAGGED}, "UploadRole", "s3:GetObjectTagging", "arn:aws:s3:::uploadedbucket/a.jpg", True),
    ({**UPLOADS, **TAGGED}, "UploadRole", "s3:PutObjectTagging", "arn:aws:s3:::photos/cat.jpg", False),
    ({**UPLOADS, "EventBus": ""}, "UploadRole", "events:PutEvents", f"arn:aws:events:{HERE}:event-bus/default", False),
    (UPLOADS, "BatchRole", "lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:UploadFunction", True),
    (UPLOADS, "BatchRole", "lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:Function", False),
    (UPLOADS, "BatchRole", "s3:GetObject", f"{RESULTS}/batch/manifest.csv", True),
    (UPLOADS, "BatchRole", "s3:GetObjectVersion", f"{RESULTS}/batch/manifest.csv", True),
    (UPLOADS, "BatchRole", "s3:PutObject", f"{RESULTS}/batch/report/x", True),
    (UPLOADS, "BatchRole", "s3:GetObject", f"{RESULTS}/private/x", False),
    (UPLOADS, "BatchRole", "s3:GetObject", "arn:aws:s3:::photos/cat.jpg", False),
    (UPLOADS, "BatchRole", "s3:PutInventoryConfiguration", "arn:aws:s3:::photos", True),
    (UPLOADS, "BatchRole", "s3:PutInventoryConfiguration", "arn:aws:s3:::other", False),
    (OWN_UPLOADS, "BatchRole", "s3:PutInventoryConfiguration", "arn:aws:s3:::uploadedbucket", True),
]


@pytest.mark.parametrize(("parameters", "role", "action", "resource", "allowed"), OF_UPLOADS)
def test_the_roles_of_uploads(parameters: dict[str, str], role: str, action: str, resource: str, allowed: bool) -> None:
    assert allows(role_statements(Stack({**LEAST, **parameters}), role), Ask(action, resource)) is allowed


def test_roles_are_assumed_by_lambda_alone() -> None:
    """But for the one of S3 Batch Operations, which acts for this account alone, and the one of CodeDeploy."""
    others = {"BatchRole": "batchoperations.s3.amazonaws.com", "DeploymentRole": "codedeploy.amazonaws.com"}
    for name, role in Stack(EVERYTHING).of_type("AWS::IAM::Role").items():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        service = others.get(name, "lambda.amazonaws.com")
        assert statement["Principal"] == {"Service": service}
        assert (statement.get("Condition") == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}) is (name == "BatchRole")


BUCKET_MAY = [
    # action, key, principal, context, allowed
    ("s3:GetObject", "/public/_results/x", CDN, {**TLS, "aws:SourceArn": OURS}, True),
    ("s3:GetObject", "/private/x", CDN, {**TLS, "aws:SourceArn": OURS}, False),
    ("s3:GetObject", "/detections/x", CDN, {**TLS, "aws:SourceArn": OURS}, False),
    ("s3:GetObject", "/publicly", CDN, {**TLS, "aws:SourceArn": OURS}, False),
    ("s3:GetObject", "/public/_results/x", CDN, {**TLS, "aws:SourceArn": OURS + "2"}, False),
    ("s3:GetObject", "/public/_results/x", CDN, {"aws:SecureTransport": "false", "aws:SourceArn": OURS}, False),
    ("s3:GetObject", "/public/_results/x", "", TLS, False),
    ("s3:PutObject", "/public/_results/x", CDN, {**TLS, "aws:SourceArn": OURS}, False),
    ("s3:ListBucket", "", CDN, {**TLS, "aws:SourceArn": OURS}, False),
]


@pytest.mark.parametrize(("action", "key", "principal", "context", "allowed"), BUCKET_MAY)
def test_the_cdn_reads_what_is_public(
    action: str, key: str, principal: str, context: dict[str, str], allowed: bool
) -> None:
    statements = resource_statements(Stack(LEAST), "ResultsBucketPolicy")
    assert allows(statements, Ask(action, RESULTS + key, principal, context)) is allowed


DEMO_MAY = [
    # action, key, principal, context, allowed
    ("s3:GetObject", "/_demo/index.html", CDN, {**TLS, "aws:SourceArn": OURS}, True),
    ("s3:GetObject", "/_demo/samples/photos/cat.jpg", CDN, {**TLS, "aws:SourceArn": OURS}, True),
    ("s3:GetObject", "/_gallery/gallery.html", CDN, {**TLS, "aws:SourceArn": OURS}, True),
    ("s3:GetObject", "/elsewhere", CDN, {**TLS, "aws:SourceArn": OURS}, False),
    ("s3:GetObject", "/_demo/index.html", CDN, {**TLS, "aws:SourceArn": OURS + "2"}, False),
    ("s3:GetObject", "/_demo/index.html", CDN, {"aws:SecureTransport": "false", "aws:SourceArn": OURS}, False),
    ("s3:GetObject", "/_demo/index.html", "", TLS, False),
    ("s3:PutObject", "/_demo/index.html", CDN, {**TLS, "aws:SourceArn": OURS}, False),
    ("s3:ListBucket", "", CDN, {**TLS, "aws:SourceArn": OURS}, False),
]


@pytest.mark.parametrize(("action", "key", "principal", "context", "allowed"), DEMO_MAY)
def test_the_cdn_reads_the_demo(action: str, key: str, principal: str, context: dict[str, str], allowed: bool) -> None:
    statements = resource_statements(Stack(LEAST), "DemoBucketPolicy")
    assert allows(statements, Ask(action, DEMO + key, principal, context)) is allowed


@pytest.mark.parametrize(
    ("policy", "key"),
    [("ResultsBucketPolicy", f"{RESULTS}/public/x"), ("DemoBucketPolicy", f"{DEMO}/_demo/index.html")],
)
def test_a_distribution_of_the_site_s_own_reads_what_is_public(policy: str, key: str) -> None:
    statements = resource_statements(Stack({**LEAST, "ExistingDistributionId": "E1ABCDEFGHIJKL"}), policy)
    theirs = {**TLS, "aws:SourceArn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1ABCDEFGHIJKL"}
    assert allows(statements, Ask("s3:GetObject", key, CDN, theirs))
    assert not allows(statements, Ask("s3:GetObject", key, CDN, {**TLS, "aws:SourceArn": OURS}))


@pytest.mark.parametrize("queue", ["UploadQueue", "FailedUploads"])
def test_queues_are_told_by_the_rule_of_uploads_alone(queue: str) -> None:
    stack = Stack({**LEAST, **UPLOADS})
    statements = resource_statements(stack, f"{queue}Policy")
    assert stack.resources[f"{queue}Policy"]["Queues"] == [f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{queue}"]
    address = f"arn:aws:sqs:{HERE}:{queue}"
    rule = {**TLS, "aws:SourceArn": f"arn:aws:events:{HERE}:rule/UploadRule"}
    scan = {**TLS, "aws:SourceArn": f"arn:aws:events:{HERE}:rule/ScanRule"}
    events = "events.amazonaws.com"
    assert not allows(statements, Ask("sqs:SendMessage", address, events, scan))
    tagged = resource_statements(Stack({**LEAST, **UPLOADS, **TAGGED}), f"{queue}Policy")
    assert allows(tagged, Ask("sqs:SendMessage", address, events, scan))
    assert allows(statements, Ask("sqs:SendMessage", address, events, rule))
    assert not allows(statements, Ask("sqs:SendMessage", address, events, {**rule, "aws:SecureTransport": "false"}))
    assert not allows(statements, Ask("sqs:SendMessage", address, events, {**rule, "aws:SourceArn": "another"}))
    assert not allows(statements, Ask("sqs:SendMessage", address, "sns.amazonaws.com", rule))
    assert not allows(statements, Ask("sqs:ReceiveMessage", address, events, rule))


def test_every_bucket_is_closed() -> None:
    stack = Stack(stacks()["everything, created buckets"])
    policies = {policy["Bucket"]: policy for policy in stack.of_type("AWS::S3::BucketPolicy").values()}
    buckets = stack.of_type("AWS::S3::Bucket")
    assert len(buckets) >= 5
    for name, bucket in buckets.items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert bucket["LifecycleConfiguration"]["Rules"]
        about = stack.template["Resources"][name]
        kept = ("Delete", "Delete") if name == "DemoBucket" else ("RetainExceptOnCreate", "Retain")
        assert (about["DeletionPolicy"], about["UpdateReplacePolicy"]) == kept
        statements = policies[name.lower()]["PolicyDocument"]["Statement"]
        deny = [statement for statement in statements if statement["Effect"] == "Deny"]
        assert deny[0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_gateway_and_the_schedule_may_call_their_functions() -> None:
    for parameters in (LEAST, EVERYTHING):
        permissions = Stack(parameters).of_type("AWS::Lambda::Permission")
        sweep = permissions.pop("SweepPermission", None)
        keys = permissions.pop("SigningKeysPermission", None)
        if keys:
            assert keys["SourceArn"] == f"arn:aws:events:{HERE}:rule/SigningKeysRule"
            assert keys["FunctionName"] == "SigningKeysFunction"
        authorizer = permissions.pop("AuthorizerPermission")
        assert authorizer["FunctionName"] == "AuthorizerFunction"
        assert authorizer["SourceArn"] == f"arn:aws:execute-api:{HERE}:a1b2c3/authorizers/Authorizer"
        assert {said["Principal"] for said in permissions.values()} == {"apigateway.amazonaws.com"}
        assert all(said["SourceArn"] == f"arn:aws:execute-api:{HERE}:a1b2c3/*" for said in permissions.values())
        assert (sweep is None) is (parameters is LEAST)
        if sweep:
            assert sweep["SourceArn"] == f"arn:aws:events:{HERE}:rule/SweepRule"
            assert sweep["FunctionName"].endswith(":function:UploadFunction:live")

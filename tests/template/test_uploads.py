"""What the stack has for uploads: events, queue, function, buckets, table and topic."""

from __future__ import annotations

import json
import re

import pytest
from tests.template.policies import Ask, allows, resource_statements
from tests.template.samples import LEAST, OWN_UPLOADS, UPLOADS, values
from tests.template.stack import ACCOUNT, REGION, Stack

from handler.records.dynamodb.table import TABLE, TTL_ATTRIBUTE


def test_uploads_wait_long_enough_and_fail_one_by_one() -> None:
    stack = Stack({**LEAST, **UPLOADS})
    queue, mapping = stack.resources["UploadQueue"], stack.resources["UploadMapping"]
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert queue["RedrivePolicy"]["deadLetterTargetArn"].endswith(":FailedUploads")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == 1, "the time of one call is the time of one upload"
    assert mapping["FunctionName"] == "UploadFunction"
    assert Stack(LEAST).of_type("AWS::SQS::Queue") == {}
    for minutes in values("UploadMinutes"):
        resources = Stack({**LEAST, **UPLOADS, "UploadMinutes": minutes, "UploadConcurrency": "40"}).resources
        function = resources["UploadFunction"]
        assert function["Timeout"] == 60 * int(minutes)
        assert int(function["Environment"]["Variables"]["MAX_SECONDS"]) == function["Timeout"] - 5
        assert resources["UploadQueue"]["VisibilityTimeout"] == 6 * function["Timeout"]
        assert resources["UploadMapping"]["ScalingConfig"] == {"MaximumConcurrency": "40"}


@pytest.mark.parametrize(
    ("parameters", "key", "is_taken"),
    [
        ({}, "cat.jpg", True),
        ({"UploadPrefix": "incoming/"}, "incoming/cat.jpg", True),
        ({"UploadPrefix": "incoming/"}, "outgoing/cat.jpg", False),
    ],
)
def test_the_rule_takes_the_uploads_that_the_parameters_name(
    parameters: dict[str, str], key: str, is_taken: bool
) -> None:
    resources = Stack({**LEAST, **UPLOADS, **parameters, "RequireTag": "scanned=clean"}).resources
    pattern, scan = resources["UploadRule"]["EventPattern"], resources["ScanRule"]["EventPattern"]
    assert (pattern["source"], scan["source"]) == (["aws.s3"], ["aws.guardduty"])
    assert {"Object Created", "Object Deleted"} <= set(pattern["detail-type"])
    assert pattern["detail"]["bucket"] == {"name": ["photos"]}
    assert scan["detail"]["s3ObjectDetails"]["bucketName"] == ["photos"]
    for keys in (pattern["detail"]["object"]["key"], scan["detail"]["s3ObjectDetails"]["objectKey"]):
        (rule,) = keys
        assert (re.fullmatch(re.escape(rule["wildcard"]).replace(r"\*", ".*"), key) is not None) is is_taken
    assert "ScanRule" not in Stack({**LEAST, **UPLOADS, **parameters}).resources


def test_the_stack_can_bring_the_buckets_for_uploads() -> None:
    resources = Stack(
        {**LEAST, **OWN_UPLOADS, "UploadsExpireAfterDays": "30", "CorsOrigin": "https://a.example"}
    ).resources
    bucket = resources["UploadedBucket"]
    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    (cors,) = bucket["CorsConfiguration"]["CorsRules"]
    assert cors["AllowedOrigins"] == ["https://a.example", "https://distribution.domainname"]
    assert set(cors["AllowedMethods"]) == {"POST", "PUT"}
    assert "ETag" in cors["ExposedHeaders"], "a page needs it to complete an upload in parts"
    assert {"Id": "old", "Status": "Enabled", "ExpirationInDays": "30"} in bucket["LifecycleConfiguration"]["Rules"]
    assert resources["UploadRule"]["EventPattern"]["detail"]["bucket"] == {"name": ["uploadedbucket"]}
    for function in ("Function", "HeavyWorker", "UploadFunction"):
        sources = resources[function]["Environment"]["Variables"]["SOURCE_BUCKETS"].split(",")
        assert "uploads=s3://uploadedbucket" in sources
        assert sources[0] == "photos", "the default source stays"
    named = Stack({**LEAST, **UPLOADS}).resources
    assert not {"UploadedBucket", "VariantBucket"} & set(named), "a user's own buckets are not changed"
    alone = Stack({**LEAST, **OWN_UPLOADS, "ExistingDistributionId": "E1ABCDEFGHIJKL"}).resources["UploadedBucket"]
    assert "CorsConfiguration" not in alone


def test_the_table_of_records_is_the_adapter_s() -> None:
    table = Stack({**LEAST, **UPLOADS}).resources["Records"]
    assert {name: table[name] for name in TABLE} == TABLE
    assert table["TimeToLiveSpecification"] == {"AttributeName": TTL_ATTRIBUTE, "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}


def test_notices_reach_the_mailbox_that_is_named() -> None:
    subscribed = Stack({**LEAST, **UPLOADS, "NotifyEmail": "a@example.com"}).resources["NoticesByMail"]
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:Notices"
    assert subscribed == {"TopicArn": topic, "Protocol": "email", "Endpoint": "a@example.com"}
    assert "NoticesByMail" not in Stack({**LEAST, **UPLOADS}).resources
    statements = resource_statements(Stack({**LEAST, **UPLOADS}), "NoticesPolicy")
    assert not allows(statements, Ask("sns:Publish", topic, "", {"aws:SecureTransport": "false"}))


def test_the_sweep_comes_every_five_minutes_and_attempts_are_the_queue_s() -> None:
    resources = Stack({**LEAST, **UPLOADS}).resources
    assert resources["SweepRule"]["ScheduleExpression"] == "rate(5 minutes)"
    assert json.loads(resources["SweepRule"]["Targets"][0]["Input"]) == {"task": "sweep"}
    attempts = resources["UploadFunction"]["Environment"]["Variables"]["UPLOAD_MAX_ATTEMPTS"]
    assert int(attempts) == resources["UploadQueue"]["RedrivePolicy"]["maxReceiveCount"]


@pytest.mark.parametrize("minutes", ["1", "2", "3", "5", "10", "15"])
def test_the_sweep_takes_nothing_that_the_queue_will_still_deliver(minutes: str) -> None:
    resources = Stack({**LEAST, **UPLOADS, "UploadMinutes": minutes}).resources
    stale = int(resources["UploadFunction"]["Environment"]["Variables"]["UPLOAD_STALE_SECONDS"])
    assert stale > resources["UploadQueue"]["VisibilityTimeout"]

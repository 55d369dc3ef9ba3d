"""What a deployment says of a stack that would not work, and that nothing keeps CloudFormation waiting."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from tests import pictures
from tests.stand_ins.moto import Moto
from tests.template.account import account
from tests.template.conftest import create_secrets
from tests.template.provider import deliver, load_provider
from tests.template.samples import GALLERY, LEAST, UPLOADS, stacks
from tests.template.stack import Stack, template
from tests.template.test_references import depends_on, references
from tests.tools import case

from handler.pages.demo_site import SAMPLES

pytestmark = pytest.mark.slow

EXEC_FORMAT = {
    "errorType": "Runtime.InvalidEntrypoint",
    "errorMessage": "RequestId: 1 Error: fork/exec /lambda-entrypoint.sh: exec format error",
}


@pytest.fixture
def moto(fresh_account: Moto) -> Moto:
    """What a healthy stack has, fresh for each test."""
    fresh_account.s3.put_object(Bucket="photos", Key="deep/cat.jpg", Body=pictures.jpeg())
    fresh_account.s3.put_object(Bucket="photos", Key="logo.png", Body=pictures.png())
    values = {"OriginSecret": "o", "OperatorToken": "t", "SignatureSecret": json.dumps({"SECRET_KEY": "s"})}
    create_secrets(fresh_account, {**values, "mine": json.dumps({"key": "k"}), "password": "open"})
    return fresh_account


def reason(moto: Moto, parameters: dict[str, str], request: str = "Update") -> str:
    """Return why the self-check of a stack with these parameters fails; empty if it does not."""
    with account(moto, {**LEAST, **parameters}) as stack:
        answer = deliver(stack, "SelfCheck", request, "self-check-stack" if request == "Update" else "")
        assert stack.denied == []
    assert answer["PhysicalResourceId"] == "self-check-stack"
    assert (answer["Status"] == "FAILED") is ("Reason" in answer)
    return str(answer.get("Reason", ""))


@pytest.mark.parametrize("parameters", [{}, UPLOADS, {"HeavyFunction": "No", "DeployDemoUI": "No"}, GALLERY])
def test_a_healthy_stack_passes(moto: Moto, parameters: dict[str, str]) -> None:
    assert reason(moto, parameters, "Create") == ""


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"Presets": '{"thumb": "widht=100"}'}, ("PRESETS", "widht")),
        ({"Presets": '{"thumb": "width=100"}', "DefaultPreset": "tumb"}, ("tumb",)),
        ({**UPLOADS, "UploadPresets": "thump"}, ("UPLOAD_PRESETS", "thump")),
        ({"Always": '{"blurr": 3}'}, ("ALWAYS", "blurr")),
        ({"Presets": "s3://photos/none.json"}, ("none.json",)),
        ({"ExtraSettings": '{"MAX_FRAME": 10}'}, ("EXTRA_SETTINGS", "MAX_FRAME")),
        ({"SourcePaths": "old/=foto"}, ("SOURCE_PATHS", "foto")),
        ({"RewriteMatchPattern": "/(/", "RewriteSubstitution": "x"}, ("REWRITE_MATCH_PATTERN",)),
        ({"SourceBuckets": "photos,fotos"}, ("SOURCE_BUCKETS", "fotos")),
        ({**UPLOADS, "OutputBucket": "missing"}, ("OUTPUT_BUCKET",)),
        ({"EnableSignature": "Yes", "SecretId": "mine"}, ("SECRETS_MANAGER", "SECRET_KEY")),
        ({"EnableSignature": "Yes", "SecretId": "yours", "SecretKey": "key"}, ("SECRETS_MANAGER", "yours")),
        ({"FallbackImage": "404.png"}, ("DEFAULT_FALLBACK_IMAGE_KEY", "404.png")),
        ({"Presets": '{"mark": {"watermark": {"bucket": "photos", "key": "lgo.png"}}}'}, ("preset mark", "lgo.png")),
        ({**GALLERY, "GalleryPasswordSecret": "missing"}, ("GALLERY_PASSWORD_SECRET", "missing")),
        ({**GALLERY, "Dialects": "query"}, ("GALLERY_SOURCE", "json in DIALECTS")),
        ({**GALLERY, "ExtraSettings": '{"GALLERY_RECIPES": "cutuot"}'}, ("GALLERY_RECIPES", "cutuot")),
        ({"ExistingDistributionId": "E1ABCDEFGHIJKX"}, ("ExistingDistributionId", "does not exist")),
    ],
)
def test_a_stack_that_would_not_work_says_why(moto: Moto, parameters: dict[str, str], words: tuple[str, ...]) -> None:
    said = reason(moto, parameters)
    assert all(word in said for word in words), said


@pytest.mark.parametrize(
    "parameters",
    [
        {"EnableSignature": "Yes", "SecretId": "mine", "SecretKey": "key"},
        {"FallbackImage": "logo.png"},
        {**GALLERY, "GalleryPasswordSecret": "password", "SecretId": "mine", "SecretKey": "key"},
        {
            **GALLERY,
            "ExtraSettings": '{"GALLERY_RECIPES": "smaller", "GALLERY_MODERATION": 60, "GALLERY_UPLOADS_PER_HOUR": 9}',
        },
        {"Presets": '{"mark": {"watermark": {"bucket": "photos", "key": "logo.png"}}}'},
        {"Presets": '{"cut": "feature=removeBackground"}'},
        {"ExistingDistributionId": "E1ABCDEFGHIJKL"},
    ],
)
def test_what_exists_passes(moto: Moto, parameters: dict[str, str]) -> None:
    assert reason(moto, parameters) == ""


def test_the_bucket_and_the_table_of_the_gallery_are_used_once(moto: Moto) -> None:
    moto.s3.delete_bucket(Bucket="gallerybucket")
    assert "SOURCE_BUCKETS, gallery" in reason(moto, GALLERY)
    moto.client("dynamodb").delete_table(TableName="Records")
    assert "RECORDS" in reason(moto, GALLERY)


def test_the_page_of_the_gallery_comes_and_goes_with_the_switch(moto: Moto) -> None:
    def sites() -> set[str]:
        found = moto.s3.list_objects_v2(Bucket="demobucket").get("Contents", ())
        return {entry["Key"].partition("/")[0] for entry in found}

    for parameters, expected in [
        (GALLERY, {"_demo", "_gallery"}),
        ({}, {"_demo"}),
        ({**GALLERY, "DeployDemoUI": "No"}, {"_gallery"}),
    ]:
        with account(moto, {**LEAST, **parameters}) as stack:
            assert deliver(stack, "DemoPage")["Status"] == "SUCCESS"
            assert sites() == expected
            for page, other in (("_demo/index.html", "_gallery"), ("_gallery/gallery.html", "_demo")):
                if page.partition("/")[0] in expected:
                    text = moto.s3.get_object(Bucket="demobucket", Key=page)["Body"].read().decode()
                    assert (f'href="/{other}/"' in text) == (other in expected)
                    assert 'href="/_docs/"' in text
            assert stack.denied == []
            if parameters == {**GALLERY, "DeployDemoUI": "No"}:
                assert deliver(stack, "DemoPage", "Delete", "fill-demo-demobucket")["Status"] == "SUCCESS"
                assert sites() == set()


def test_a_bucket_that_denies_access_is_named(moto: Moto) -> None:
    with account(moto, LEAST) as stack:
        stack.refused.add("other.photos")
        said = deliver(stack, "SelfCheck")["Reason"]
    assert "SOURCE_BUCKETS, other.photos" in said
    assert "SOURCE_BUCKETS, photos" not in said


def test_a_results_bucket_that_cannot_be_written_to_is_named(moto: Moto) -> None:
    """As with a key of KMS whose policy does not know the role: everything can be listed and nothing written."""
    with account(moto, LEAST) as stack:
        stack.unwritable.add("resultsbucket")
        said = deliver(stack, "SelfCheck")["Reason"]
    assert "RESULTS_BUCKET" in said
    assert "SOURCE_BUCKETS" not in said


def test_a_self_check_leaves_nothing_behind(moto: Moto) -> None:
    assert reason(moto, {}) == ""
    assert moto.s3.list_objects_v2(Bucket="resultsbucket")["KeyCount"] == 0


def test_an_image_that_ends_at_its_start_is_told_with_its_error(moto: Moto) -> None:
    """The upload function too, whatever the error is."""
    exits = {"errorType": "Runtime.ExitError", "errorMessage": "Runtime exited with error: exit status 1"}
    with account(moto, {**LEAST, **UPLOADS}) as stack:
        stack.crashing["UploadFunction"] = exits
        said = deliver(stack, "SelfCheck")["Reason"]
    assert "UploadFunction does not run (Runtime.ExitError: Runtime exited with error: exit status 1)" in said


@pytest.mark.parametrize("function", ["Function", "HeavyWorker"])
def test_an_image_that_does_not_start_is_told_with_the_architecture(moto: Moto, function: str) -> None:
    with account(moto, LEAST) as stack:
        stack.crashing[function] = EXEC_FORMAT
        said = deliver(stack, "SelfCheck")["Reason"]
    assert f"{function} does not run" in said
    assert "exec format error" in said
    assert "Was ImageUri built for Architecture=arm64?" in said


def test_a_rollback_does_not_fail_and_a_deletion_asks_nobody(moto: Moto) -> None:
    with account(moto, LEAST) as stack:
        stack.crashing["Function"] = EXEC_FORMAT
        stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"
        answer = deliver(stack, "SelfCheck", "Update", "self-check-stack")
        assert answer["Status"] == "SUCCESS"
        assert "does not run" in answer["Data"]["Notes"]
        used = set(stack.used["ProviderRole"])
        assert deliver(stack, "SelfCheck", "Delete", "self-check-stack")["Status"] == "SUCCESS"
        assert stack.used["ProviderRole"] == used


def test_a_change_that_publishes_no_version_is_refused(moto: Moto) -> None:
    """The alias would stay at the version with the former settings, and nobody would see why."""
    time = {"DeployedAt": "2026-01-31T12:00:00Z", "TrafficShifting": "AllAtOnce"}
    with account(moto, {**LEAST, **time}) as stack:
        former = dict(stack.stack.resources["SelfCheck"])
        known = "self-check-stack"
        said = deliver(stack, "SelfCheck", "Update", known, former=former)
        assert "DeployedAt must have a new value" in said["Reason"]
        assert time["DeployedAt"] in said["Reason"]
        earlier = {**former, "DeployedAt": "2025-12-31T12:00:00Z"}
        assert deliver(stack, "SelfCheck", "Update", known, former=earlier)["Status"] == "SUCCESS"
        without = {**former, "Versions": "No"}
        assert deliver(stack, "SelfCheck", "Update", known, former=without)["Status"] == "SUCCESS"
        stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"
        assert deliver(stack, "SelfCheck", "Update", known, former=former)["Status"] == "SUCCESS"


def test_the_quota_of_a_new_account_is_a_note(moto: Moto) -> None:
    with account(moto, LEAST) as stack:
        assert deliver(stack, "SelfCheck")["Data"]["Notes"] == "none"
        stack.quota = 10
        assert "10 concurrent executions" in deliver(stack, "SelfCheck")["Data"]["Notes"]


def test_a_preset_that_the_sample_does_not_fit_is_a_note(moto: Moto) -> None:
    presets = '{"corner": "feature=extract&extract.left=5000&extract.top=0&extract.width=9&extract.height=9"}'
    with account(moto, {**LEAST, "Presets": presets}) as stack:
        answer = deliver(stack, "SelfCheck")
    assert answer["Status"] == "SUCCESS"
    assert "preset corner" in answer["Data"]["Notes"]


def test_faults_are_asked_for_again_because_permissions_take_a_while(moto: Moto) -> None:
    with account(moto, LEAST) as stack:
        stack.refused.add("photos")
        provider = load_provider(stack)
        assert provider["PAUSE_SECONDS"] + provider["CALL_SECONDS"] + provider["RESERVED_SECONDS"] < 110
        provider["PATIENCE_SECONDS"] = 1e9
        # Each pause is the time in which the permission comes.
        waits: list[float] = []
        asked: list[str] = []

        class Clock:
            @staticmethod
            def monotonic() -> float:
                return 0.0

            @staticmethod
            def sleep(seconds: float) -> None:
                waits.append(seconds)

        def reply(name: str, *_: object) -> dict[str, list[str]]:
            asked.append(name)
            return {"faults": [] if waits else ["denied"], "notes": []}

        provider.update(
            time=Clock, ask=reply, rolls_back=lambda _: False, find_quota=lambda: iter(()), left=lambda _: 99
        )
        assert provider["perform"]({"Functions": ["Function"]}, {}, None, "stack") == "none"
    assert (len(waits), asked) == (1, ["Function", "Function"])


def test_the_demo_page_is_filled_and_emptied(moto: Moto) -> None:
    def keys() -> list[str]:
        return [entry["Key"] for entry in moto.s3.list_objects_v2(Bucket="demobucket").get("Contents", ())]

    with account(moto, LEAST) as stack:
        created = deliver(stack, "DemoPage")
        assert (created["Status"], created["PhysicalResourceId"]) == ("SUCCESS", "fill-demo-demobucket")
        assert "_demo/index.html" in keys()
        assert len([key for key in keys() if key.startswith("_demo/samples/")]) == len(
            [path for path in SAMPLES.rglob("*") if path.is_file()]
        )
        moto.s3.put_object(Bucket="demobucket", Key="_demo/old.js", Body=b"")
        assert deliver(stack, "DemoPage", "Update", "fill-demo-demobucket")["Status"] == "SUCCESS"
        assert "_demo/old.js" not in keys()
        stack.crashing["DemoFiller"] = EXEC_FORMAT
        assert "does not run" in deliver(stack, "DemoPage", "Update", "fill-demo-demobucket")["Reason"]
        assert deliver(stack, "DemoPage", "Delete", "fill-demo-demobucket")["Status"] == "SUCCESS"
        assert keys() == []
        moto.s3.delete_bucket(Bucket="demobucket")
        assert deliver(stack, "DemoPage", "Delete", "fill-demo-demobucket")["Status"] == "SUCCESS"
        assert stack.denied == []


def test_a_deletion_that_fails_is_answered_at_once(moto: Moto) -> None:
    with account(moto, LEAST) as stack:
        deliver(stack, "DemoPage")
        stack.refused.add("demobucket")
        answer = deliver(stack, "DemoPage", "Delete", "fill-demo-demobucket")
    assert answer["Status"] == "FAILED"
    assert "AccessDenied" in answer["Reason"]


def test_only_a_function_with_a_demo_bucket_fills_one(moto: Moto) -> None:
    with account(moto, LEAST) as stack:
        assert "DEMO_BUCKET is not set" in deliver(stack, "DemoPage", Functions=["HeavyWorker"])["Reason"]
        # It links to the demo page, but must not write it.
        assert "is denied" in deliver(stack, "DemoPage", Functions=["Function"])["Reason"]
        assert moto.s3.list_objects_v2(Bucket="demobucket")["KeyCount"] == 0


def test_every_change_of_a_function_is_checked() -> None:
    """CloudFormation updates a custom resource only if one of its properties changes."""
    read = template()
    named = {name for name, _ in references(read["Resources"]["SelfCheck"]) if name in read["Parameters"]}
    deciding = {"HeavyFunction", "UploadBucket", "OutputBucket"}
    for function in ("Function", "HeavyWorker", "UploadFunction", "FunctionRole", "HeavyRole", "UploadRole"):
        for name, _ in references(read["Resources"][function]):
            parameters = (
                depends_on(name[11:], read) if name.startswith("Conditions.") else {name} & set(read["Parameters"])
            )
            deciding |= parameters
    assert deciding - named == set()


def test_every_function_of_the_image_is_asked() -> None:
    for name, parameters in stacks().items():
        with case(name):
            stack = Stack(parameters)
            resources = stack.resources
            images = {
                each
                for each, made in stack.of_type("AWS::Lambda::Function").items()
                if made.get("PackageType") == "Image"
            }
            asked = {
                function
                for each, made in resources.items()
                if template()["Resources"][each]["Type"].startswith("Custom::")
                for function in made.get("Functions", ())
            }
            assert asked == images
            assert resources["SelfCheck"]["ServiceTimeout"] >= resources["Provider"]["Timeout"]


def deliveries(moto: Moto) -> list[dict[str, object]]:
    """What is configured in us-east-1, where the logs of every distribution are."""
    logs = boto3.client(
        "logs", endpoint_url=moto.url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    names = [each["name"] for each in logs.describe_delivery_sources()["deliverySources"]]
    names += [each["name"] for each in logs.describe_delivery_destinations()["deliveryDestinations"]]
    found: list[dict[str, object]] = logs.describe_deliveries()["deliveries"]
    assert all(name.startswith("access-logs-") for name in names)
    return [*found, *({"name": name} for name in names)]


def test_access_logs_are_delivered_from_us_east_1_and_no_longer_after_a_deletion(moto: Moto) -> None:
    with account(moto, {**LEAST, "AccessLogs": "Yes"}) as stack:
        for request in ("Create", "Update"):
            answer = deliver(stack, "AccessLogDelivery", request, "x" if request == "Update" else "")
            assert answer["Status"] == "SUCCESS", answer
            delivery, *others = deliveries(moto)
            assert delivery["deliverySourceName"] == stack.stack.resources["AccessLogDelivery"]["Name"]
            assert len(others) == 2
        for _ in range(2):  # the second time nothing is left to delete
            assert deliver(stack, "AccessLogDelivery", "Delete", "x")["Status"] == "SUCCESS"
            assert deliveries(moto) == []
        assert stack.denied == []
        assert {"DeliverAccessLogs", "FindDeliveries", "LogDistribution"} <= stack.used["ProviderRole"]


def test_a_delivery_that_is_not_allowed_fails_in_words_but_not_a_rollback(moto: Moto) -> None:
    with account(moto, {**LEAST, "AccessLogs": "Yes"}) as stack:
        elsewhere: dict[str, Any] = {"Source": "arn:aws:cloudfront::111122223333:distribution/EOTHER"}
        answer = deliver(stack, "AccessLogDelivery", "Create", **elsewhere)
        assert answer["Status"] == "FAILED"
        assert "PutDeliverySource" in answer["Reason"]
        stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"
        assert deliver(stack, "AccessLogDelivery", "Update", "x", **elsewhere)["Status"] == "SUCCESS"

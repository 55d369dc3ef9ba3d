"""Whatever the parameters are, nothing refers to what is not made, and what cannot be is refused at the start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

import pytest
from tests.template.samples import GALLERY, LEAST, UPLOADS, VALUES, stacks, values
from tests.template.stack import PSEUDO, Stack, Unresolved, template, variables
from tests.tools import case

Guards = frozenset[tuple[str, bool]]


def references(node: Any, guards: Guards = frozenset()) -> Iterator[tuple[str, Guards]]:
    """Everything that a node names, with the conditions under which it does."""
    if isinstance(node, list):
        for each in node:
            yield from references(each, guards)
    if not isinstance(node, dict):
        return
    for name, said in node.items():
        if name == "Fn::If":
            condition, then, otherwise = said
            yield f"Conditions.{condition}", guards
            yield from references(then, guards | {(condition, True)})
            yield from references(otherwise, guards | {(condition, False)})
        else:
            yield from ((each, guards) for each in _named(name, said))
            yield from references(said, guards)


def _named(name: str, said: Any) -> Iterable[str]:
    if name == "Ref":
        return [said]
    if name == "Fn::GetAtt":
        return [said[0]]
    if name == "Fn::Sub":
        return [variable.split(".")[0] for variable in variables(said)]
    if name == "DependsOn":
        return [said] if isinstance(said, str) else said
    return [f"Conditions.{said}"] if name == "Condition" and isinstance(said, str) else []


def depends_on(condition: str, read: dict[str, Any]) -> set[str]:
    """The parameters that decide a condition."""
    found = set()
    for name, _ in references(read["Conditions"][condition]):
        found |= depends_on(name[11:], read) if name.startswith("Conditions.") else {name} - set(PSEUDO)
    return found


def dangling(read: dict[str, Any]) -> set[str]:
    """What is named although it is not made, for every combination of the parameters that decide it."""
    faults = set()
    for place, about in [*read["Resources"].items(), *read["Outputs"].items()]:
        own: Guards = frozenset({(about["Condition"], True)} if "Condition" in about else set())
        for name, guards in references(about, own):
            if name.startswith("Conditions."):
                faults |= set() if name[11:] in read["Conditions"] else {f"{place} names {name}"}
            elif name in read["Resources"]:
                faults |= {f"{place} names {name} where {where}" for where in _unmade(name, guards, read)}
            elif name not in read["Parameters"] and name not in PSEUDO and name != "AWS::NoValue":
                faults.add(f"{place} names {name}")
    return faults


def _unmade(name: str, guards: Guards, read: dict[str, Any]) -> Iterator[str]:
    condition = read["Resources"][name].get("Condition")
    if condition is None or (condition, True) in guards:
        return
    deciding = sorted(depends_on(condition, read).union(*(depends_on(guard, read) for guard, _ in guards)))
    for chosen in product(*map(values, deciding)):
        stack = Stack({**LEAST, **dict(zip(deciding, chosen, strict=True))}, read)
        reached = all(stack.conditions[guard] is wanted for guard, wanted in guards)
        if reached and not stack.conditions[condition]:
            yield f"{dict(zip(deciding, chosen, strict=True))}"


def test_nothing_refers_to_what_is_not_made() -> None:
    assert dangling(template()) == set()


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"Ref": "UploadQueue"}, "UploadQueue where"),
        ({"Fn::Sub": "${UploadQueue.Arn}"}, "UploadQueue where"),
        ({"Fn::If": ["Signs", {"Fn::GetAtt": ["SignatureSecret", "Arn"]}, ""]}, "SignatureSecret where"),
        ({"Fn::If": ["MakesDistribution", "", {"Ref": "Distribution"}]}, "Distribution where"),
        ({"Fn::If": ["Nobody", "", ""]}, "Conditions.Nobody"),
        ({"Ref": "Nothing"}, "Nothing"),
    ],
)
def test_what_dangles_is_found(said: Any, fault: str) -> None:
    planted = template() | {
        "Resources": {**template()["Resources"], "Planted": {"Type": "X", "Properties": {"P": said}}}
    }
    assert any(found.startswith(f"Planted names {fault}") for found in dangling(planted))


def test_a_stack_resolves() -> None:
    for name, parameters in stacks().items():
        with case(name):
            stack = Stack(parameters)
            assert stack.refused() == []
            assert stack.resources
            assert "CdnUrl" in stack.outputs or parameters.get("ExistingDistributionId")


def test_every_parameter_is_used_described_and_grouped() -> None:
    read = template()
    used = {name for part in ("Resources", "Outputs", "Conditions") for name, _ in references(read[part])}
    grouped = [
        name
        for group in read["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        for name in group["Parameters"]
    ]
    assert set(read["Parameters"]) <= used
    assert sorted(grouped) == sorted(read["Parameters"])
    for name, about in read["Parameters"].items():
        assert about["Description"], name
        assert (
            "AllowedValues" in about or "MinValue" in about or {"AllowedPattern", "ConstraintDescription"} <= set(about)
        )
    assert {about["Description"] != "" for about in read["Outputs"].values()} == {True}


def test_every_condition_is_used() -> None:
    read = template()
    named = {name for part in ("Resources", "Outputs", "Conditions") for name, _ in references(read[part])}
    assert {f"Conditions.{condition}" for condition in read["Conditions"]} <= named


def test_defaults_fit_a_new_account() -> None:
    function = Stack(LEAST).resources["Function"]
    assert int(function["MemorySize"]) <= 3008
    assert "ReservedConcurrentExecutions" not in function
    assert Stack(LEAST).of_type("AWS::Lambda::Version") == {}
    assert function["Code"]["ImageUri"] == LEAST["ImageUri"]


def test_what_has_no_default_is_asked_for() -> None:
    assert Stack().refused() == ["SourceBuckets", "ImageUri"]
    with pytest.raises(Unresolved):
        Stack({"Nonsense": "1"})


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("SourceBuckets", "photos,"),
        ("SourceBuckets", "Photos"),
        ("SourceBuckets", "photos=s3://photos"),
        ("OtherSources", "http://shop.example.com"),
        ("OtherSources", "shop=http://shop.example.com"),
        ("KmsKeyArns", "arn:aws:kms:eu-west-1:111122223333:alias/mine"),
        ("ImageUri", "image-handler:latest"),
        ("ImageUri", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/image-handler:1"),
        ("Architecture", "arm"),
        ("MemorySize", "128"),
        ("ReservedConcurrency", "all"),
        ("ProvisionedConcurrency", "0"),
        ("DeployedAt", "yesterday"),
        ("EnableSignature", "yes"),
        ("SecretId", "a secret"),
        ("SecretId", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:without-its-end"),
        ("PublicFeatures", "removeBackground, smartCropping"),
        ("Presets", "thumb"),
        ("Presets", "https://example.com/presets.json"),
        ("IgnoredParameters", "signature"),
        ("IgnoredParameters", "utm_*,expires"),
        ("IgnoredParameters", "sig*"),
        ("IgnoredParameters", "a,e*"),
        ("IgnoredParameters", "*_id"),
        ("IgnoredParameters", "a'b"),
        ("IgnoredParameters", "utm_*, fbclid"),
        ("IgnoredParameters", "a,,b"),
        ("FallbackImage", "/errors/404.png"),
        ("CorsOrigin", "www.example.com"),
        ("CorsOrigin", "https://a.example/,https://b.example"),
        ("UploadPresets", "thumb, big"),
        ("UploadPrefix", "/incoming"),
        ("UploadPrefix", "in*"),
        ("UploadSuffix", ".jpg, .png"),
        ("UploadSrcset", "400w"),
        ("RequireTag", "Scanned"),
        ("NotifyEmail", "pictures"),
        ("UploadsExpireAfterDays", "0"),
        ("EventBus", "arn:aws:events:eu-west-1:111122223333:event-bus/default"),
        ("GalleryExpireDays", "0"),
        ("UserLimit", "many"),
        ("GalleryPasswordSecret", "a password"),
        ("GalleryOrigin", "https://images.example.com/"),
        ("GalleryOrigin", "*"),
        ("ExistingDistributionId", "https://d1.cloudfront.net"),
        ("PriceClass", "PriceClass_300"),
        ("Aliases", "https://images.example.com"),
        ("CertificateArn", "arn:aws:acm:eu-west-1:111122223333:certificate/1"),
        ("WebAclArn", "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/mine/1"),
        ("OriginShieldRegion", "Frankfurt"),
        ("RekognitionRegion", "Ireland"),
        ("LogRetentionDays", "2"),
        ("AlarmTopicArn", "alarms"),
    ],
)
def test_a_wrong_value_is_refused(parameter: str, value: str) -> None:
    assert Stack({**LEAST, parameter: value}).refused()[:1] == [parameter]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"Aliases": "images.example.com"}, "Aliases and CertificateArn"),
        ({"CertificateArn": VALUES["CertificateArn"][0]}, "Aliases and CertificateArn"),
        ({"UploadBucket": "photos"}, "UploadBucket and CreateUploadBuckets need UploadPresets"),
        ({**UPLOADS, "OutputBucket": ""}, "UploadBucket needs OutputBucket"),
        ({**UPLOADS, "Presets": ""}, "Presets is empty"),
        ({**UPLOADS, "OutputBucket": "photos"}, "OutputBucket must not be one of SourceBuckets"),
        ({**UPLOADS, "OutputBucket": "other.photos"}, "OutputBucket must not be one of SourceBuckets"),
        ({**UPLOADS, "UploadBucket": "elsewhere"}, "UploadBucket must be one of SourceBuckets"),
        ({"OutputBucket": "variations"}, "OutputBucket needs UploadBucket"),
        ({"NotifyEmail": "a@example.com"}, "need UploadBucket or CreateUploadBuckets"),
        ({"UploadApi": "Yes"}, "need UploadBucket or CreateUploadBuckets"),
        ({**UPLOADS, "CreateUploadBuckets": "Yes"}, "UploadBucket must be empty"),
        ({"CreateUploadBuckets": "Yes"}, "need UploadPresets"),
        ({**UPLOADS, "UploadsExpireAfterDays": "3"}, "UploadsExpireAfterDays needs CreateUploadBuckets"),
        ({"RequireTag": "scanned=clean"}, "RequireTag needs DeployDemoUI No"),
        ({**UPLOADS, "UploadApi": "Yes", "OperatorApi": "No"}, "UploadApi needs OperatorApi"),
        ({"SubnetIds": "subnet-0123abcd"}, "SubnetIds and SecurityGroupIds must be set together"),
        ({"SecurityGroupIds": "sg-0123abcd"}, "SubnetIds and SecurityGroupIds must be set together"),
        ({"ProvisionedConcurrency": "1"}, "need DeployedAt"),
        ({"SnapStart": "Yes"}, "need DeployedAt"),
        ({"TrafficShifting": "AllAtOnce"}, "need DeployedAt"),
        (
            {"SnapStart": "Yes", "ProvisionedConcurrency": "1", "DeployedAt": "2026-01-31T12:00:00Z"},
            "ProvisionedConcurrency must be empty",
        ),
        ({**GALLERY, "PresetsOnly": "Yes"}, "DeployGallery needs PresetsOnly No"),
        ({**GALLERY, "ExistingDistributionId": "E1ABCDEFGHIJKL"}, "needs GalleryOrigin"),
        ({**GALLERY, "GalleryOrigin": "https://a.example"}, "GalleryOrigin needs ExistingDistributionId"),
        ({"GalleryPasswordSecret": "gallery/password"}, "need DeployGallery"),
        ({**GALLERY, "NotifyEmail": "a@example.com"}, "need UploadBucket or CreateUploadBuckets"),
    ],
)
def test_what_does_not_go_together_is_refused(parameters: dict[str, str], said: str) -> None:
    assert said in "\n".join(Stack({**LEAST, **parameters}).refused())


def test_access_logs_are_delivered_in_every_region() -> None:
    for region in ("eu-south-1", "eu-west-3", "us-east-1"):
        stack = Stack({**LEAST, "AccessLogs": "Yes"}, region=region)
        assert stack.refused() == []
        assert "Logging" not in stack.resources["Distribution"]["DistributionConfig"]
        delivery = stack.resources["AccessLogDelivery"]
        statement = stack.resources["AccessLogBucketPolicy"]["PolicyDocument"]["Statement"][1]
        assert statement["Resource"].startswith(delivery["Destination"])
        assert statement["Principal"] == {"Service": "delivery.logs.amazonaws.com"}
        assert statement["Condition"]["ArnLike"] == {"aws:SourceArn": "arn:aws:logs:us-east-1:111122223333:*"}
        assert delivery["Source"].endswith(":distribution/EDISTRIBUTION")
        assert len(delivery["Name"]) <= 60

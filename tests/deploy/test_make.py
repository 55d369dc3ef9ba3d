"""make image, deploy and destroy, with stand-ins for the programs that would reach AWS."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from tests.deploy.programs import BASE_DIGEST, DIGEST, REGISTRY, ROOT, Ran, make, run
from tests.template.stack import TEMPLATE, template

from handler.requests.presets import read_presets

BASE = "public.ecr.aws/lambda/python:3.13"
STACK = ("STACK=pictures", "SOURCE_BUCKETS=photos,more.photos")


@pytest.mark.parametrize(("architecture", "platform"), [("arm64", "linux/arm64"), ("x86_64", "linux/amd64")])
def test_an_image_is_built_pushed_and_named_by_its_digest(tmp_path: Path, architecture: str, platform: str) -> None:
    ran = make(tmp_path, "image", f"ARCHITECTURE={architecture}", aws_ecr_describe__repositories=(254, ""))
    assert (ran.status, ran.said) == (0, f"{REGISTRY}/image-handler@{DIGEST}\n"), ran.faults
    assert ran.call("aws", "ecr", "create-repository")[3:5] == ["--repository-name", "image-handler"]
    (rule,) = json.loads(ran.call("aws", "ecr", "put-lifecycle-policy")[-1])["rules"]
    assert (rule["selection"]["countType"], rule["action"]) == ("imageCountMoreThan", {"type": "expire"})
    login = ran.call("docker", "login")
    assert login[-1] == REGISTRY
    assert ran.read[ran.calls.index(login)] == "password\n"
    build = ran.call("docker", "build")
    assert build[build.index("--platform") + 1] == platform
    assert ran.bare[ran.calls.index(build)], "Lambda takes no list of images"
    tag = build[build.index("--tag") + 1]
    assert re.fullmatch(re.escape(f"{REGISTRY}/image-handler:") + rf"[\w.-]+-{architecture}", tag)
    assert ran.call("docker", "push")[2] == tag
    assert ran.call("docker", "pull")[-3:] == ["--platform", platform, BASE]
    assert f"BASE_IMAGE=public.ecr.aws/lambda/python@{BASE_DIGEST}" in build
    assert f"org.opencontainers.image.base.name={BASE}" in build
    assert f"org.opencontainers.image.base.digest={BASE_DIGEST}" in build
    assert f"public.ecr.aws/lambda/python@{BASE_DIGEST}" in ran.faults


def test_a_base_image_that_is_named_by_its_digest_is_taken_as_it_is(tmp_path: Path) -> None:
    base = f"registry.example/python@sha256:{'0c' * 32}"
    ran = run(tmp_path, ["deploy/aws.sh", "image"], variables={"BASE_IMAGE": base, "ARCHITECTURE": "arm64"})
    assert ran.status == 0, ran.faults
    assert f"BASE_IMAGE={base}" in ran.call("docker", "build")
    assert not [call for call in ran.calls if call[:2] == ["docker", "pull"]]


def test_a_base_image_without_a_digest_is_not_built_from(tmp_path: Path) -> None:
    ran = make(tmp_path, "image", docker_image_inspect=(0, "<no value>"))
    assert ran.status != 0
    assert "the digest of public.ecr.aws/lambda/python:3.13 is not known" in ran.faults
    assert not [call for call in ran.calls if call[:2] == ["docker", "build"]]


def test_a_public_image_is_copied_instead_of_building_one(tmp_path: Path) -> None:
    public = "public.ecr.aws/publisher/image-handler:1.0.0"
    ran = make(tmp_path, "image", "ARCHITECTURE=arm64", f"PUBLIC_IMAGE={public}")
    assert (ran.status, ran.said) == (0, f"{REGISTRY}/image-handler@{DIGEST}\n"), ran.faults
    assert ran.call("docker", "pull")[2:] == ["--quiet", "--platform", "linux/arm64", public]
    source, target = ran.call("docker", "tag")[2:]
    assert (source, target) == (public, ran.call("docker", "push")[2])
    assert target.startswith(f"{REGISTRY}/image-handler:")
    assert not [call for call in ran.calls if call[:2] == ["docker", "build"]]


def test_a_repository_is_made_once(tmp_path: Path) -> None:
    ran = make(tmp_path, "image", aws_ecr_describe__repositories=(0, "{}"))
    assert ran.status == 0
    assert not [call for call in ran.calls if "create-repository" in call]


def test_a_stack_is_deployed_with_what_was_built(tmp_path: Path) -> None:
    ran = make(
        tmp_path, "deploy", *STACK, "ARCHITECTURE=x86_64", "PARAMETERS=EnableSignature=Yes PriceClass=PriceClass_All"
    )
    assert ran.status == 0, ran.faults
    assert "https://d1.cloudfront.example" in ran.said
    call = ran.call("aws", "cloudformation", "deploy")
    said = dict(pair.split("=", 1) for pair in call[call.index("--parameter-overrides") + 1 :])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said.pop("DeployedAt"))
    assert said == {
        "ImageUri": f"{REGISTRY}/image-handler@{DIGEST}",
        "Architecture": "x86_64",
        "SourceBuckets": "photos,more.photos",
        "EnableSignature": "Yes",
        "PriceClass": "PriceClass_All",
    }
    parameters = template()["Parameters"]
    for name, value in said.items():
        assert re.search(parameters[name].get("AllowedPattern", ""), value)
        assert value in parameters[name].get("AllowedValues", [value])
    assert "CAPABILITY_IAM" in call
    through_s3 = len(TEMPLATE.read_bytes()) > 51_200
    assert ("--s3-bucket" in call) is through_s3
    assert bool([call for call in ran.calls if call[1:3] == ["s3api", "head-bucket"]]) is through_s3


def test_parameters_come_from_a_file_too(tmp_path: Path) -> None:
    presets = 'Presets={"thumb": "width=99&height=99"}'
    file = tmp_path / "my parameters"
    file.write_text(f"# a comment\n\nSourceBuckets=photos\n{presets}\nUploadPresets=thumb", "utf-8")
    ran = make(tmp_path, "deploy", "STACK=pictures", f"PARAMETERS_FILE={file}", "PARAMETERS=EnableSignature=Yes")
    assert ran.status == 0, ran.faults
    call = ran.call("aws", "cloudformation", "deploy")
    assert {"SourceBuckets=photos", presets, "UploadPresets=thumb", "EnableSignature=Yes"} <= set(call)
    assert not [said for said in call if said.startswith("#")]
    ran = make(tmp_path, "deploy", "STACK=pictures", "PARAMETERS_FILE=nowhere")
    assert ran.status != 0
    assert "PARAMETERS_FILE must be a file with lines Name=value, got nowhere" in ran.faults
    assert not [call for call in ran.calls if call[0] == "docker"]


def test_a_new_stack_may_name_its_buckets_among_the_parameters(tmp_path: Path) -> None:
    file = tmp_path / "stack.parameters"
    file.write_text("SourceBuckets=photos\n", "utf-8")
    no_stack = {"aws_cloudformation_describe__stacks": (254, MISSING)}
    for named in (f"PARAMETERS_FILE={file}", "PARAMETERS=SourceBuckets=photos"):
        ran = make(tmp_path, "deploy", "STACK=new", named, **no_stack)
        assert "SourceBuckets=photos" in ran.call("aws", "cloudformation", "deploy"), ran.faults
    file.write_text("SourceBuckets=\n", "utf-8")
    ran = make(tmp_path, "deploy", "STACK=new", f"PARAMETERS_FILE={file}", **no_stack)
    assert "a new stack needs SOURCE_BUCKETS" in ran.faults


def test_an_image_that_was_pushed_is_not_built_again(tmp_path: Path) -> None:
    uri = f"{REGISTRY}/mine@{DIGEST}"
    ran = make(tmp_path, "deploy", *STACK, f"IMAGE_URI={uri}")
    assert ran.status == 0, ran.faults
    assert not [call for call in ran.calls if call[0] == "docker"]
    call = ran.call("aws", "cloudformation", "deploy")
    assert f"ImageUri={uri}" in call
    assert not [said for said in call if said.startswith("Architecture=")], "nobody has said what it was built for"
    ran = make(tmp_path, "deploy", *STACK, f"IMAGE_URI={uri}", "ARCHITECTURE=arm64")
    assert "Architecture=arm64" in ran.call("aws", "cloudformation", "deploy")


def test_a_value_that_make_would_spoil_goes_to_the_script_as_the_guide_says(tmp_path: Path) -> None:
    (told,) = re.findall(r"`STACK=pictures (deploy/aws\.sh deploy '.*')`", (ROOT / "docs/deploy.md").read_text("utf-8"))
    program, command, presets = shlex.split(told)
    ran = run(tmp_path, [program, command, presets], variables={"STACK": "pictures"})
    assert ran.status == 0, ran.faults
    assert presets in ran.call("aws", "cloudformation", "deploy")
    name, _, value = presets.partition("=")
    assert name in template()["Parameters"]
    assert read_presets(json.loads(value))


DESCRIBE = "aws cloudformation describe-stacks --stack-name pictures --query"
STATUS = f"{DESCRIBE} Stacks[0].StackStatus"
FAILED_RESOURCES = (
    "aws cloudformation describe-stack-resources --stack-name pictures --output text --query StackResources"
)
MISSING = "An error occurred (ValidationError) when calling DescribeStacks: Stack with id new does not exist"
DEPLOYING = {"STACK": "pictures", "IMAGE_URI": f"{REGISTRY}/mine@{DIGEST}"}


def operations(ran: Ran) -> list[str]:
    """What the script had CloudFormation do, in order."""
    asked = ("describe-stacks", "describe-stack-resources", "describe-stack-events")
    return [call[2] for call in ran.calls if call[1] == "cloudformation" and call[2] not in asked]


@pytest.mark.parametrize(
    ("status", "before"),
    [
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        ("UPDATE_FAILED", "rollback-stack"),
    ],
)
def test_an_update_that_failed_is_taken_back_first(tmp_path: Path, status: str, before: str) -> None:
    ran = run(tmp_path, ["deploy/aws.sh", "deploy"], {STATUS: (0, status)}, DEPLOYING)
    assert ran.status == 0, ran.faults
    assert operations(ran) == [before, "wait", "deploy"]
    assert ran.call("aws", "cloudformation", "wait")[3] == "stack-rollback-complete"
    assert status in ran.faults
    waits = {
        STATUS: (0, status),
        FAILED_RESOURCES: (0, "Distribution\tApiRoute"),
        "aws cloudformation wait": (255, "no"),
    }
    ran = run(tmp_path, ["deploy/aws.sh", "deploy"], waits, DEPLOYING)
    assert ran.status == 1
    assert "--stack-name pictures --resources-to-skip Distribution ApiRoute" in ran.faults
    assert operations(ran) == [before, "wait"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("UPDATE_IN_PROGRESS", "is busy (UPDATE_IN_PROGRESS): wait"),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "is busy"),
        ("DELETE_IN_PROGRESS", "is busy"),
        ("DELETE_FAILED", "Left are: ResultsBucket"),
    ],
)
def test_a_state_that_allows_no_deployment_is_told_before_an_image_is_built(
    tmp_path: Path, status: str, words: str
) -> None:
    answers = {STATUS: (0, status), FAILED_RESOURCES: (0, "ResultsBucket")}
    variables = {"STACK": "pictures", "SOURCE_BUCKETS": "photos"}
    ran = run(tmp_path, ["deploy/aws.sh", "deploy"], answers, variables)
    assert ran.status == 1
    assert words in ran.faults
    assert operations(ran) == []
    assert not [call for call in ran.calls if call[0] == "docker"]


def test_credentials_that_expired_are_not_taken_for_a_new_stack(tmp_path: Path) -> None:
    answers = {STATUS: (254, "An error occurred (ExpiredToken): the security token is expired")}
    ran = run(tmp_path, ["deploy/aws.sh", "deploy"], answers, {**DEPLOYING, "SOURCE_BUCKETS": "photos"})
    assert ran.status != 0
    assert "ExpiredToken" in ran.faults
    assert operations(ran) == []


EVENTS = "\n".join(
    "\t".join(event)
    for event in [
        ("pictures", "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [SelfCheck]"),
        ("Dashboard", "UPDATE_FAILED", "Resource update cancelled"),
        (
            "SelfCheck",
            "UPDATE_FAILED",
            "Received response status [FAILED]: PRESETS.thumb: `widht` must be a known parameter",
        ),
        ("ApiRoute", "UPDATE_FAILED", "the first cause"),
        ("pictures", "UPDATE_IN_PROGRESS", "User Initiated"),
        ("SelfCheck", "UPDATE_FAILED", "of an earlier deployment"),
    ]
)


def test_a_deployment_that_fails_says_why(tmp_path: Path) -> None:
    answers = {
        STATUS: (0, "UPDATE_COMPLETE"),
        "aws cloudformation deploy": (255, "Failed to create/update the stack"),
        "aws cloudformation describe-stack-events": (0, EVENTS),
    }
    ran = run(tmp_path, ["deploy/aws.sh", "deploy"], answers, DEPLOYING)
    assert ran.status == 1
    first, second = ran.faults.splitlines()[-2:]
    assert first == "  ApiRoute: the first cause"
    assert "`widht` must be a known parameter" in second


def test_a_deployment_says_how_to_go_back(tmp_path: Path) -> None:
    former = f"{REGISTRY}/image-handler@sha256:{'0d' * 32}"
    answers = {
        STATUS: (0, "UPDATE_COMPLETE"),
        f"{DESCRIBE} Stacks[0].Parameters[?ParameterKey=='ImageUri']": (0, former),
        f"{DESCRIBE} Stacks[0].Parameters[?ParameterKey=='Architecture']": (0, "arm64"),
    }
    ran = run(tmp_path, ["deploy/aws.sh", "deploy"], answers, DEPLOYING)
    assert ran.status == 0, ran.faults
    assert f"make deploy STACK=pictures IMAGE_URI={former} ARCHITECTURE=arm64" in ran.faults


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"])
def test_a_stack_whose_creation_failed_is_deleted_first(tmp_path: Path, status: str) -> None:
    variables = {"STACK": "pictures", "SOURCE_BUCKETS": "photos", "IMAGE_URI": f"{REGISTRY}/mine@{DIGEST}"}
    ran = run(tmp_path, ["deploy/aws.sh", "deploy"], {STATUS: (0, status)}, variables)
    assert ran.status == 0, ran.faults
    order = [
        call[2] for call in ran.calls if call[1] == "cloudformation" and call[2] in ("delete-stack", "wait", "deploy")
    ]
    assert order == ["delete-stack", "wait", "deploy"]
    del variables["SOURCE_BUCKETS"]
    ran = run(tmp_path, ["deploy/aws.sh", "deploy"], {STATUS: (0, status)}, variables)
    assert ran.status != 0
    assert "SOURCE_BUCKETS" in ran.faults
    assert not [call for call in ran.calls if "delete-stack" in call]


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_COMPLETE"])
def test_a_stack_that_works_is_never_deleted_by_a_deployment(tmp_path: Path, status: str) -> None:
    variables = {"STACK": "pictures", "SOURCE_BUCKETS": "photos", "IMAGE_URI": f"{REGISTRY}/mine@{DIGEST}"}
    ran = run(tmp_path, ["deploy/aws.sh", "deploy"], {STATUS: (0, status)}, variables)
    assert ran.status == 0, ran.faults
    assert not [call for call in ran.calls if "delete-stack" in call]


def test_a_stack_that_is_there_keeps_its_buckets(tmp_path: Path) -> None:
    ran = make(tmp_path, "deploy", "STACK=pictures")
    assert ran.status == 0, ran.faults
    assert not [said for said in ran.call("aws", "cloudformation", "deploy") if said.startswith("SourceBuckets")]


@pytest.mark.parametrize(
    ("said", "answers", "told"),
    [
        (["deploy"], {}, "STACK=name is needed"),
        (["destroy"], {}, "STACK=name is needed"),
        (["deploy", "STACK=new"], {"aws_cloudformation_describe__stacks": (254, MISSING)}, "SOURCE_BUCKETS"),
        (["image", "ARCHITECTURE=mips"], {}, "ARCHITECTURE must be arm64 or x86_64, got mips"),
    ],
)
def test_what_is_missing_is_told(
    tmp_path: Path, said: list[str], answers: dict[str, tuple[int, str]], told: str
) -> None:
    ran = make(tmp_path, *said, **answers)
    assert ran.status != 0
    assert told in ran.faults
    assert not [call for call in ran.calls if call[:2] in (["docker", "build"], ["aws", "cloudformation", "deploy"])]


def test_a_build_that_fails_deploys_nothing(tmp_path: Path) -> None:
    ran = make(tmp_path, "deploy", *STACK, docker_build=(1, "no space left"))
    assert ran.status != 0
    assert operations(ran) == []


def test_a_stack_is_deleted_and_what_stays_is_told(tmp_path: Path) -> None:
    ran = make(tmp_path, "destroy", "STACK=pictures")
    assert ran.status == 0, ran.faults
    assert ran.call("aws", "cloudformation", "delete-stack")[3:] == ["--stack-name", "pictures"]
    assert ran.call("aws", "cloudformation", "wait")[3] == "stack-delete-complete"
    assert "aws dynamodb delete-table --table-name" in ran.said
    for left in ("s3://pictures-results", "s3://pictures-logs", "-eu-central-1/pictures", "ecr delete-repository"):
        assert left in ran.said

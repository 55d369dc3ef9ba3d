"""The launch template: what it passes on, what its build does, and what CloudFormation hears of that."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from botocore.stub import Stubber
from cfnlint.decode import cfn_yaml
from template.embed import GIVEN, LAUNCH
from tests.deploy.programs import ACCOUNT, DIGEST, REGISTRY, ROOT, run
from tests.stand_ins.scripted_http import ParsedRequest, Reply, scripted_server
from tests.template.policies import Ask, allows
from tests.template.samples import LEAST
from tests.template.stack import TEMPLATE, Stack, template
from tests.tools import require_tool

ARCHIVE = "https://github.com/owner/repository/archive/refs/tags/v1.0.0.tar.gz"
CHOSEN = {"SourceBuckets": LEAST["SourceBuckets"], "ArchiveUrl": ARCHIVE}
URI = f"{REGISTRY}/built@{DIGEST}"
MADE = {"IMAGE_URI": URI, "TEMPLATE_URL": "https://bucket/x.yaml", "BUILT_AT": "2026-01-31T12:00:00Z"}


@cache
def launch() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(json.dumps(cfn_yaml.load(str(LAUNCH))))
    return loaded


def stack(**parameters: str) -> Stack:
    return Stack({**CHOSEN, **parameters}, launch())


def test_every_parameter_of_the_service_is_passed_on_as_it_is() -> None:
    own = {name: about for name, about in template()["Parameters"].items() if name not in GIVEN}
    assert {name: launch()["Parameters"][name] for name in own} == own
    assert set(launch()["Parameters"]) - set(own) == {"ArchiveUrl", "ArchiveSha256", "PublicImage"}
    passed = launch()["Resources"]["Handler"]["Properties"]["Parameters"]
    assert set(passed) == set(template()["Parameters"])
    values = Stack({**CHOSEN, "SourceBuckets": "a.b,c.d", "PriceClass": "PriceClass_All"}, launch()).resources[
        "Handler"
    ]
    assert values["Parameters"]["SourceBuckets"] == "a.b,c.d"
    assert values["Parameters"]["PriceClass"] == "PriceClass_All"
    defaults = Stack(LEAST).parameters
    assert {name: str(values["Parameters"][name]) for name in own if name not in ("SourceBuckets", "PriceClass")} == {
        name: str(defaults[name]) for name in own if name not in ("SourceBuckets", "PriceClass")
    }


def test_every_rule_about_a_choice_is_there_before_anything_is_built() -> None:
    rules = {
        name: rule for name, rule in template()["Rules"].items() if not re.search(r"ImageUri|DeployedAt", str(rule))
    }
    assert launch()["Rules"] == rules
    assert len(rules) > 5


def test_the_console_shows_every_parameter_once() -> None:
    groups = launch()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(launch()["Parameters"])


def test_outputs_are_those_that_the_service_has() -> None:
    for parameters in ({}, {"ExistingDistributionId": "E1ABCDEFGHIJKL"}, {"DeployDemoUI": "No", "OperatorApi": "No"}):
        inner = Stack({**LEAST, **parameters}).outputs
        text = json.dumps(launch()["Outputs"])
        conditions = stack(**parameters).conditions
        for name, output in launch()["Outputs"].items():
            if f"Outputs.{name}" in text and ("Condition" not in output or conditions[output["Condition"]]):
                assert name in inner


@pytest.mark.slow
def test_cfn_lint_has_nothing_to_say_of_the_launch_template() -> None:
    ran = subprocess.run(
        [require_tool("cfn-lint", "make setup"), "-t", str(LAUNCH), "-r", "us-east-1", "eu-west-1", "ap-southeast-2"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stdout


@pytest.mark.parametrize(
    ("role", "action", "resource", "allowed"),
    [
        ("BuildRole", "ecr:PutImage", "repository", True),
        ("BuildRole", "ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repository/other", False),
        ("BuildRole", "ecr:DeleteRepository", "repository", False),
        ("BuildRole", "s3:PutObject", "arn:aws:s3:::templates/x.yaml", True),
        ("BuildRole", "s3:PutObject", "arn:aws:s3:::photos/x.jpg", False),
        ("BuildRole", "s3:GetObject", "arn:aws:s3:::photos/x.jpg", False),
        ("BuildRole", "iam:PassRole", "*", False),
        ("BuilderRole", "codebuild:StartBuild", "build", True),
        ("BuilderRole", "codebuild:UpdateProject", "build", False),
        ("BuilderRole", "s3:DeleteObject", "arn:aws:s3:::templates/x.yaml", True),
        ("BuilderRole", "s3:DeleteObject", "arn:aws:s3:::photos/x.jpg", False),
        ("BuilderRole", "cloudformation:CreateStack", "*", False),
    ],
)
def test_the_roles_of_the_launch_do_nothing_else(role: str, action: str, resource: str, allowed: bool) -> None:
    made = stack()
    named = {
        "repository": made.resolve({"Fn::GetAtt": ["Repository", "Arn"]}),
        "build": made.resolve({"Fn::GetAtt": ["Build", "Arn"]}),
    }
    (policy,) = made.resources[role]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    assert allows(statements, Ask(action, named.get(resource, resource))) is allowed


# --- The build


def archive(folder: Path) -> bytes:
    """A release as its host packs it: all in one folder."""
    target = folder / "release.tar.gz"
    with tarfile.open(target, "w:gz") as packed:
        for path in ("deploy/aws.sh", "Dockerfile", "template/serverless-image-handler-template.yaml"):
            packed.add(ROOT / path, f"repository-1.0.0/{path}")
    return target.read_bytes()


def build(folder: Path, sha256: str = "", **variables: str) -> tuple[int, str, list[list[str]]]:
    """Run the commands of the build with stand-ins for curl, docker and aws. Return what it exports, and all calls."""
    work, programs = folder / "work", folder / "programs"
    work.mkdir()
    programs.mkdir()
    archive(folder)
    (programs / "curl").write_text(f'#!/bin/sh\necho "$*" > {folder}/curl\ncp {folder}/release.tar.gz release.tar.gz\n')
    (programs / "curl").chmod(0o755)
    spec = cfn_yaml.loads(stack().resources["Build"]["Source"]["BuildSpec"])
    assert spec["env"]["exported-variables"] == list(MADE)
    (commands,) = spec["phases"]["build"]["commands"]
    script = f"cd {work}\n{commands}\nenv"
    environment = {
        "ARCHIVE_URL": ARCHIVE,
        "ARCHIVE_SHA256": sha256,
        "PUBLIC_IMAGE": "",
        "REPOSITORY": "built",
        "ARCHITECTURE": "arm64",
        "BUCKET": "templates",
        "BUCKET_HOST": "templates.s3.eu-central-1.amazonaws.com",
        **variables,
    }
    ran = run(programs, ["bash", "-c", script], variables=environment)
    return ran.status, ran.said + ran.faults, ran.calls


def test_the_build_makes_image_and_template_of_one_release(tmp_path: Path) -> None:
    digest = hashlib.sha256(archive(tmp_path)).hexdigest()
    status, said, calls = build(tmp_path, "")
    assert status == 0, said
    exported = dict(re.findall(r"^(IMAGE_URI|TEMPLATE_URL|BUILT_AT)=(.+)$", said, re.MULTILINE))
    assert exported["IMAGE_URI"] == URI
    assert re.search(template()["Parameters"]["ImageUri"]["AllowedPattern"], exported["IMAGE_URI"])
    assert re.search(template()["Parameters"]["DeployedAt"]["AllowedPattern"], exported["BUILT_AT"])
    (copied,) = [call for call in calls if call[:3] == ["aws", "s3", "cp"]]
    assert copied[-1] == f"s3://templates/{DIGEST.removeprefix('sha256:')}.yaml"
    assert exported["TEMPLATE_URL"].endswith(copied[-1].removeprefix("s3://templates"))
    assert len(digest) == 64
    asked = (tmp_path / "curl").read_text()
    assert asked.rstrip().endswith(ARCHIVE)
    assert "--fail" in asked
    assert "--proto =https" in asked
    assert [call for call in calls if call[:2] == ["docker", "build"]]


def test_another_archive_than_the_digest_says_is_not_built(tmp_path: Path) -> None:
    status, said, calls = build(tmp_path, "0" * 64)
    assert status != 0
    assert "FAILED" in said
    assert calls == []


def test_a_public_image_is_copied_by_the_build(tmp_path: Path) -> None:
    status, said, calls = build(tmp_path, PUBLIC_IMAGE="public.ecr.aws/publisher/image-handler:1.0.0")
    assert status == 0, said
    assert not [call for call in calls if call[:2] == ["docker", "build"]]
    assert [call for call in calls if call[:2] == ["docker", "tag"]]


# --- What CloudFormation hears


class Builder:
    """The function of the template, with CloudFormation and CodeBuild on the other side."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, prepare: Callable[[Stubber], None]) -> None:
        made = stack().resources["Builder"]
        for name, value in made["Environment"]["Variables"].items():
            monkeypatch.setenv(name, value)
        self.client = boto3.client(
            "codebuild", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        self.stubber = Stubber(self.client)
        prepare(self.stubber)
        self.names: dict[str, Any] = {}
        exec(compile(made["Code"]["ZipFile"], "index.py", "exec"), self.names)
        monkeypatch.setattr(boto3, "client", lambda _: self.client)

    def hear(self, make_event: Callable[[str], Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Deliver an event that knows where to answer, and return the answers."""
        answers: list[ParsedRequest] = []

        def receive(asked: ParsedRequest) -> Reply:
            answers.append(asked)
            return Reply()

        with scripted_server(receive) as cloudformation, self.stubber:
            self.names["handler"](make_event(f"{cloudformation.url}/answer"), None)
            self.stubber.assert_no_pending_responses()
        assert all((each.method, each.headers.get("content-type", "")) == ("PUT", "") for each in answers)
        return [cast("dict[str, Any]", json.loads(each.body)) for each in answers]


def request(url: str, kind: str = "Create") -> dict[str, Any]:
    about = {"StackId": "stack", "RequestId": "r1", "LogicalResourceId": "Image", "ResponseURL": url}
    return {**about, "RequestType": kind, "ResourceProperties": stack().resources["Image"]}


def ended(url: str, status: str, **more: Any) -> dict[str, Any]:
    """What CodeBuild tells of a build that was started for a request."""
    variables = {"StackId": "stack", "RequestId": "r1", "LogicalResourceId": "Image", "ResponseURL": url}
    environment = {
        "type": "ARM_CONTAINER",
        "image": "i",
        "computeType": "BUILD_GENERAL1_LARGE",
        "environmentVariables": [{"name": name, "value": value} for name, value in variables.items()],
    }
    return {
        "builds": [
            {
                "buildStatus": status,
                "environment": environment if url else {**environment, "environmentVariables": []},
                **more,
            }
        ]
    }


def test_a_request_starts_a_build_and_is_answered_by_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def prepare(stubber: Stubber) -> None:
        stubber.add_response("start_build", {})
        stubber.client.meta.events.register(
            "before-parameter-build.codebuild.StartBuild", lambda params, **_: asked.update(params)
        )

    builder = Builder(monkeypatch, prepare)
    assert builder.hear(request) == []
    variables = {each["name"]: each["value"] for each in asked["environmentVariablesOverride"]}
    assert (asked["projectName"], asked["idempotencyToken"]) == (
        stack().resources["Builder"]["Environment"]["Variables"]["PROJECT"],
        "r1",
    )
    assert (variables["ARCHIVE_URL"], variables["ARCHIVE_SHA256"], variables["PUBLIC_IMAGE"]) == (ARCHIVE, "", "")
    assert variables["RequestId"] == "r1"


@pytest.mark.parametrize(
    ("status", "more", "words"),
    [
        (
            "SUCCEEDED",
            {"exportedEnvironmentVariables": [{"name": name, "value": value} for name, value in MADE.items()]},
            "",
        ),
        ("SUCCEEDED", {}, "ended as SUCCEEDED"),
        (
            "FAILED",
            {
                "phases": [{"contexts": [{"message": "Error while executing command: curl. Reason: exit status 22"}]}],
                "logs": {"deepLink": "https://console/log"},
            },
            "the build ended as FAILED: Error while executing command: curl. Reason: exit status 22 See https://console/log",
        ),
        ("TIMED_OUT", {}, "ended as TIMED_OUT"),
    ],
)
def test_the_end_of_a_build_is_the_answer(
    monkeypatch: pytest.MonkeyPatch, status: str, more: dict[str, Any], words: str
) -> None:
    found: list[str] = []

    def event(url: str) -> dict[str, Any]:
        builder.stubber.add_response("batch_get_builds", ended(url, status, **more), {"ids": ["b1"]})
        found.append(url)
        return {"source": "aws.codebuild", "detail": {"build-id": "b1", "build-status": status}}

    builder = Builder(monkeypatch, lambda _: None)
    (answer,) = builder.hear(event)
    assert (answer["StackId"], answer["RequestId"], answer["LogicalResourceId"]) == ("stack", "r1", "Image")
    # With another id CloudFormation would ask to delete the former image, which empties the bucket of templates.
    assert answer["PhysicalResourceId"] == "container-image"
    if words:
        assert answer["Status"] == "FAILED"
        assert words in answer["Reason"]
    else:
        assert (answer["Status"], answer["Data"]) == ("SUCCESS", MADE)


def test_a_build_that_somebody_started_by_hand_is_nobody_s_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    builder = Builder(
        monkeypatch, lambda stubber: stubber.add_response("batch_get_builds", ended("", "SUCCEEDED"), {"ids": ["b1"]})
    )
    assert builder.hear(lambda _: {"detail": {"build-id": "b1"}}) == []


def test_a_build_that_cannot_start_fails_the_request_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    builder = Builder(
        monkeypatch,
        lambda stubber: stubber.add_client_error("start_build", "AccountLimitExceededException", "no builds"),
    )
    (answer,) = builder.hear(request)
    assert answer["Status"] == "FAILED"
    assert "the build cannot start" in answer["Reason"]
    assert "no builds" in answer["Reason"]


@pytest.mark.parametrize("fails", [False, True])
def test_a_deletion_empties_the_bucket_of_templates(monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    builder = Builder(monkeypatch, lambda _: None)
    s3 = boto3.session.Session().client("s3", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    builder.client, builder.stubber = s3, Stubber(s3)
    bucket = stack().resources["Builder"]["Environment"]["Variables"]["BUCKET"]
    builder.stubber.add_response("list_objects_v2", {"Contents": [{"Key": "x.yaml"}]}, {"Bucket": bucket})
    deleted = {"Bucket": bucket, "Delete": {"Objects": [{"Key": "x.yaml"}]}}
    builder.stubber.add_response("delete_objects", {"Errors": [{"Key": "x.yaml"}]} if fails else {}, deleted)
    (answer,) = builder.hear(lambda url: {**request(url, "Delete"), "PhysicalResourceId": URI})
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED" if fails else "SUCCESS", URI)


def test_the_template_that_the_build_stores_is_small_enough_for_cloudformation() -> None:
    assert max(LAUNCH.stat().st_size, TEMPLATE.stat().st_size) < 1_000_000
    assert ACCOUNT in URI

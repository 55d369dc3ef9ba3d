"""Published versions, the alias live, the shift of traffic with its alarms, and SnapStart."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from tests.template.policies import Ask, allows, role_statements
from tests.template.samples import LEAST, UPLOADS
from tests.template.stack import ACCOUNT, REGION, Stack, template

from handler.config import Settings
from handler.observability.logs import log_exception

HERE = f"{REGION}:{ACCOUNT}"
ARN = f"arn:aws:lambda:{HERE}:function"
TIME = {"DeployedAt": "2026-01-31T12:00:00Z"}
CANARY = {**LEAST, **UPLOADS, **TIME, "TrafficShifting": "Canary10Percent5Minutes"}
ALIASES = {"FunctionAlias": "Function", "HeavyAlias": "HeavyWorker", "UploadAlias": "UploadFunction"}
PUBLISHING = [
    {"ProvisionedConcurrency": "2"},
    {"SnapStart": "Yes"},
    {"TrafficShifting": "AllAtOnce"},
    {"TrafficShifting": "Canary10Percent5Minutes"},
]


@pytest.mark.parametrize("parameters", PUBLISHING, ids=str)
def test_every_caller_calls_the_alias_of_a_published_version(parameters: dict[str, str]) -> None:
    resources = Stack({**LEAST, **UPLOADS, **TIME, **parameters}).resources
    for alias, function in ALIASES.items():
        assert resources[alias]["FunctionName"] == function
        version = alias.replace("Alias", "Version")
        assert resources[alias]["FunctionVersion"] == f"{version}.Version".lower()
        assert TIME["DeployedAt"] in resources[version]["Description"]
    assert resources["ApiIntegration"]["IntegrationUri"] == f"{ARN}:Function:live"
    assert resources["ApiPermission"]["FunctionName"] == f"{ARN}:Function:live"
    assert resources["Function"]["Environment"]["Variables"]["HEAVY_FUNCTION"] == "HeavyWorker:live"
    assert resources["UploadMapping"]["FunctionName"] == f"{ARN}:UploadFunction:live"
    assert resources["SweepRule"]["Targets"][0]["Arn"] == f"{ARN}:UploadFunction:live"
    assert resources["SweepPermission"]["FunctionName"] == f"{ARN}:UploadFunction:live"


def test_a_stack_without_versions_calls_the_functions_themselves() -> None:
    stack = Stack({**LEAST, **UPLOADS})
    assert not {kind for kind in ("AWS::Lambda::Version", "AWS::Lambda::Alias") if stack.of_type(kind)}
    assert stack.resources["ApiIntegration"]["IntegrationUri"] == f"{ARN}:Function"
    assert stack.resources["UploadMapping"]["FunctionName"] == "UploadFunction"
    assert stack.outputs["UploadFunctionName"] == "UploadFunction"


def test_the_function_may_invoke_the_model_function_and_its_alias_and_no_version() -> None:
    statements = role_statements(Stack(CANARY), "FunctionRole")
    assert allows(statements, Ask("lambda:InvokeFunction", f"{ARN}:HeavyWorker:live"))
    # A version from before the alias, which still answers while a stack gets versions, calls the function itself.
    assert allows(statements, Ask("lambda:InvokeFunction", f"{ARN}:HeavyWorker"))
    assert not allows(statements, Ask("lambda:InvokeFunction", f"{ARN}:HeavyWorker:7"))
    assert not allows(
        role_statements(Stack(LEAST), "FunctionRole"), Ask("lambda:InvokeFunction", f"{ARN}:HeavyWorker:live")
    )


def test_a_version_is_published_after_the_self_check_of_all_functions() -> None:
    resources = template()["Resources"]
    for alias in ALIASES:
        version = alias.replace("Alias", "Version")
        assert resources[version]["DependsOn"] == "SelfCheck"
        assert resources[alias]["Properties"]["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]}
    # The check is of the unpublished functions, which no request reaches.
    assert Stack(CANARY).resources["SelfCheck"]["Functions"] == ["Function", "HeavyWorker", "UploadFunction"]


def test_a_canary_goes_back_by_alarms_of_its_own_minute() -> None:
    stack = Stack(CANARY)
    groups = stack.of_type("AWS::CodeDeploy::DeploymentGroup")
    assert set(groups) == {alias.replace("Alias", "Deployment") for alias in ALIASES}
    for name, group in groups.items():
        assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        alarms = [each["Name"] for each in group["AlarmConfiguration"]["Alarms"]]
        own = stack.resources[name.replace("Deployment", "ShiftAlarm")]
        assert name.replace("Deployment", "ShiftAlarm") in alarms
        assert (own["Period"], own["Threshold"]) == (60, 0)
        function = own["Dimensions"][0]["Value"]
        assert own["Dimensions"][1] == {"Name": "Resource", "Value": f"{function}:live"}
        policy = template()["Resources"][name.replace("Deployment", "Alias")]["UpdatePolicy"]
        assert stack.resolve(policy)["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"] == name


def test_the_filter_of_faults_finds_the_line_of_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    pattern = Stack(CANARY).resources["FaultFilter"]["FilterPattern"]
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        log_exception({})
    message = json.loads(capsys.readouterr().out)["message"]
    assert pattern == f'{{ $.message = "{message}" }}'


@pytest.mark.parametrize("shifting", ["None", "AllAtOnce"])
def test_without_a_shift_there_is_no_codedeploy(shifting: str) -> None:
    stack = Stack({**CANARY, "TrafficShifting": shifting})
    kinds = {template()["Resources"][name]["Type"] for name in stack.resources}
    assert not {kind for kind in kinds if kind.startswith("AWS::CodeDeploy")}
    assert stack.resolve(template()["Resources"]["FunctionAlias"]["UpdatePolicy"]) == {}


def test_snapshots_are_of_versions_of_the_functions_that_visitors_wait_for() -> None:
    resources = Stack({**LEAST, **UPLOADS, **TIME, "SnapStart": "Yes"}).resources
    assert [resources[name]["SnapStart"] for name in ("Function", "HeavyWorker")] == [
        {"ApplyOn": "PublishedVersions"}
    ] * 2
    assert "SnapStart" not in resources["UploadFunction"]
    assert not any("SnapStart" in made for made in Stack(LEAST).resources.values())


RENEWED = """
import sys
import handler.app
from handler.composition import snapshot
snapshot.prepare()
before = set(sys.modules)
snapshot.renew()
print(*sorted(name for name in set(sys.modules) - before))
"""


def test_a_function_of_the_stack_imports_nothing_after_a_restore() -> None:
    switches = dict.fromkeys(("EnableSignature", "StoreResults", "UploadApi", "SnapStart", "DeployGallery"), "Yes")
    stack = Stack({**CANARY, **switches})
    of_lambda = {
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
        "AWS_LAMBDA_FUNCTION_NAME": "Function",
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",  # where nobody answers
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    names = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    said = stack.resources["Function"]["Environment"]["Variables"]
    command = [sys.executable, "-c", RENEWED]
    ran = subprocess.run(command, env={**names, **said, **of_lambda}, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout.strip()) == (0, ""), ran.stderr


def test_the_settings_accept_an_alias_as_the_model_function() -> None:
    said = Stack(CANARY).resources["Function"]["Environment"]["Variables"]
    settings = Settings.from_environment({**said, "AWS_LAMBDA_FUNCTION_NAME": "Function"})
    assert settings.aws.heavy_function == "HeavyWorker:live"

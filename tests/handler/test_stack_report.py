"""`image-handler doctor --stack`: how long the functions of a stack took to start."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import pytest
from click.testing import CliRunner, Result
from tests.local_server import SAMPLES, serving
from tests.stand_ins.moto import REGION, Moto

from handler.cli.doctor import doctor
from handler.cli.open import open_page

REPORT = (
    "REPORT RequestId: 0a1b\tDuration: 87.11 ms\tBilled Duration: 88 ms\tMemory Size: 1769 MB\t"
    "Max Memory Used: 200 MB\t{} Duration: {} ms\t\n"
)
OTHER_LINES = [
    "START RequestId: 0a1b Version: 3\n",
    "REPORT RequestId: 0a1b\tDuration: 7.10 ms\tBilled Duration: 8 ms\tMemory Size: 1769 MB\t\n",
    "RESTORE_REPORT Restore Duration: 999.00 ms\n",
    '{"message": "request", "path": "/REPORT RequestId Init Duration: 5 ms"}\n',
]


def write_logs(moto: Moto, group: str, lines: Sequence[str]) -> None:
    logs = moto.client("logs")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="a")
    now = int(time.time() * 1000)
    logs.put_log_events(
        logGroupName=group, logStreamName="a", logEvents=[{"timestamp": now, "message": line} for line in lines]
    )


def run_doctor(moto: Moto, monkeypatch: pytest.MonkeyPatch, stack: str) -> Result:
    variables = {
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": moto.url,
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(doctor, ["--stack", stack], standalone_mode=False)


def test_initialisations_and_restores_are_reported(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = {"CdnUrl": {"Value": "https://d1.cloudfront.example"}, "DeploymentNotes": {"Value": "none"}}
    body = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": outputs}
    moto.client("cloudformation").create_stack(StackName="pictures", TemplateBody=json.dumps(body))
    starts = [REPORT.format("Init", milliseconds) for milliseconds in ("700.50", "800.50", "1200.00")]
    write_logs(moto, "/aws/lambda/pictures", [*OTHER_LINES, *starts])
    write_logs(moto, "/aws/lambda/pictures-heavy", [*OTHER_LINES, REPORT.format("Restore", "412.40")])
    ran = run_doctor(moto, monkeypatch, "pictures")
    assert ran.return_value == 0, ran.output
    lines = ran.output.splitlines()
    assert lines[:2] == ["CdnUrl: https://d1.cloudfront.example", "DeploymentNotes: none"]
    assert lines[2:] == [
        "function: initialisations in 7 days: 3, median 800 ms, 95 in 100 within 1160 ms, slowest 1200 ms",
        "function: restores of a snapshot in 7 days: none",
        "model function: initialisations in 7 days: none",
        "model function: restores of a snapshot in 7 days: 1, median 412 ms, 95 in 100 within 412 ms, slowest 412 ms",
    ]


def test_a_stack_that_does_not_exist_is_told(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = run_doctor(moto, monkeypatch, "none")
    assert ran.return_value == 1
    assert "stack none cannot be read" in ran.output
    assert "does not exist" in ran.output


def test_the_demo_page_of_a_stack_is_found_in_its_outputs(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    run_doctor(moto, monkeypatch, "none")  # sets the environment
    with serving(SAMPLES) as server:
        base = f"http://127.0.0.1:{server.port}"
        outputs = {"DemoUrl": {"Value": f"{base}/_demo/"}, "CdnUrl": {"Value": base}}
        for name, shown in (("with-demo", outputs), ("without", {"CdnUrl": {"Value": base}})):
            body = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": shown}
            moto.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(body))
        for page, path in (("demo", "/_demo/"), ("api", "/_api/docs")):
            ran = CliRunner().invoke(open_page, [page, "--stack", "with-demo", "--print"], standalone_mode=False)
            assert (ran.exception, ran.output) == (None, f"{base}{path}\n")
    for stack, message in (("without", "DeployDemoUI=Yes"), ("nowhere", "stack nowhere cannot be read")):
        ran = CliRunner().invoke(open_page, ["--stack", stack, "--print"], standalone_mode=False)
        assert message in str(ran.exception)

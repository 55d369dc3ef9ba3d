"""What cfn-lint and checkov say of the template."""

from __future__ import annotations

import json
import subprocess

import pytest
from tests.template.stack import TEMPLATE
from tests.tools import require_tool

pytestmark = pytest.mark.slow

SKIPPED = {
    "CKV_AWS_119": "records are encrypted with a key of the account; one of the customer's is a parameter",
    "CKV_AWS_115": "concurrency is a parameter; what fills the demo bucket runs at a deployment alone",
    "CKV_AWS_116": "nothing calls the function asynchronously; uploads wait in a queue with a dead-letter queue",
    "CKV_AWS_117": "it needs nothing in a network of the customer's; one is a parameter",
    "CKV_AWS_173": "the environment holds no secrets, only their names",
    "CKV_AWS_18": "CloudFront's access logs are a switch; a log bucket of its own log would never end",
    "CKV_AWS_21": "results and logs can be made again or are thrown away; older versions would be paid for nothing",
    "CKV_AWS_86": "access logs are a switch (AccessLogs)",
    "CKV_AWS_174": "TLS 1.2 with a certificate of one's own; with CloudFront's, CloudFront decides",
}
HOLDS_BY = {
    "CKV_AWS_86": "KeepsAccessLogs",
    "CKV_AWS_174": "TLSv1.2_2021",
}
"""What must stand in the template for a reason to hold."""


def test_cfn_lint_has_nothing_to_say() -> None:
    linter = require_tool("cfn-lint", "make setup")
    regions = ["us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2"]
    ran = subprocess.run([linter, "-t", str(TEMPLATE), "-r", *regions], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stdout


@pytest.fixture(scope="module")
def failed() -> set[str]:
    """The checks of checkov that the template does not pass."""
    checkov = require_tool("checkov", "make setup")
    command = [checkov, "-f", str(TEMPLATE), "--framework", "cloudformation", "--skip-download", "--output", "json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    told = json.loads(ran.stdout)
    assert told["summary"]["parsing_errors"] == 0
    assert told["summary"]["passed"] > 20
    return {check["check_id"] for check in told["results"]["failed_checks"]}


def test_what_checkov_finds_has_a_reason(failed: set[str]) -> None:
    assert failed == set(SKIPPED)


def test_the_reasons_hold() -> None:
    text = TEMPLATE.read_text("utf-8")
    assert {check for check, said in HOLDS_BY.items() if said not in text} == set()


def test_the_template_goes_in_one_piece() -> None:
    """Above 51,200 bytes it goes by way of a bucket, above a megabyte not at all."""
    assert TEMPLATE.stat().st_size < 1_000_000

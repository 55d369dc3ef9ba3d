"""The CDK construct and the Terraform module, which wrap the template: synthesised, parsed, and compared with it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from template.embed import LAUNCH
from tests.template.stack import TEMPLATE, template
from tests.template.test_launch import launch
from tests.tools import lacking, require_tool

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "deploy" / "terraform"


def run(*arguments: str) -> dict[str, Any]:
    """Run what needs packages that are installed apart from the tests."""
    python = Path(sys.prefix) / "cdk" / "bin" / "python"
    if not python.exists():
        lacking("the CDK is needed: make setup")
    program = Path(__file__).with_name("other_environment.py")
    ran = subprocess.run([python, program, *arguments], capture_output=True, text=True, check=False, timeout=110)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    require_tool("node", "apt-get install nodejs")
    folder = tmp_path_factory.mktemp("cdk")
    return {**run("synthesise", str(folder)), "folder": folder}


@pytest.mark.parametrize(
    ("name", "source", "given"), [("archive", LAUNCH, "ArchiveUrl"), ("image", TEMPLATE, "ImageUri")]
)
def test_the_construct_deploys_the_template_as_a_nested_stack(
    stacks: dict[str, Any], name: str, source: Path, given: str
) -> None:
    made = stacks[name]
    (nested,) = [each for each in made["Resources"].values() if each["Type"] == "AWS::CloudFormation::Stack"]
    parameters = nested["Properties"]["Parameters"]
    known = (launch() if source == LAUNCH else template())["Parameters"]
    assert set(parameters) == {given, "SourceBuckets", "EnableSignature", "VerifyAtEdge"}
    assert set(parameters) <= set(known)
    assert parameters["SourceBuckets"] == "photos,more.photos"
    assert {name for name, about in known.items() if "Default" not in about} <= set(parameters)
    for parameter, value in parameters.items():
        assert re.search(known[parameter].get("AllowedPattern", ""), value)
    asset = re.findall(r"[0-9a-f]{64}", json.dumps(nested["Properties"]["TemplateURL"]))[0]
    assert (stacks["folder"] / f"asset.{asset}.yaml").read_bytes() == source.read_bytes()
    assert made["Outputs"]["Url"]["Value"]["Fn::GetAtt"][1] == "Outputs.CdnUrl"


@pytest.mark.parametrize("name", ["neither", "both"])
def test_the_construct_wants_an_image_or_a_release(stacks: dict[str, Any], name: str) -> None:
    assert stacks[name] == "exactly one of image_uri and archive_url must be given"


@pytest.fixture(scope="module")
def module() -> dict[str, Any]:
    """All files of the Terraform module together."""
    files = sorted(MODULE.glob("*.tf"))
    assert [file.name for file in files] == ["main.tf", "outputs.tf", "variables.tf", "versions.tf"]
    together: dict[str, Any] = {}
    for said in run("read", *map(str, files)).values():
        for kind, blocks in said.items():
            together.setdefault(kind, []).extend(blocks)
    return together


def named(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    return {name.strip('"'): about for block in blocks for name, about in block.items()}


def test_every_variable_of_the_module_is_described_and_used(module: dict[str, Any]) -> None:
    variables = named(module["variable"])
    assert all({"description", "type"} <= set(about) for about in variables.values())
    text = "".join(file.read_text() for file in MODULE.glob("*.tf"))
    assert set(re.findall(r"\bvar\.(\w+)", text)) == set(variables)
    assert {name for name, about in variables.items() if "default" not in about} == {
        "source_buckets",
        "template_bucket",
    }


def test_the_module_names_what_there_is(module: dict[str, Any]) -> None:
    text = (MODULE / "main.tf").read_text()
    assert {LAUNCH.name, TEMPLATE.name} == set(re.findall(r"[\w-]+\.yaml(?=\")", text)) - {"}.yaml"}
    assert (MODULE / "../../template" / LAUNCH.name).resolve() == LAUNCH
    for parameter in re.findall(r"\{ (\w+) = ", text):
        assert parameter in {*template()["Parameters"], *launch()["Parameters"]}
    assert set(named(module["output"])) == {"outputs", "cdn_url", "stack_id"}
    resources = {kind.strip('"') for block in module["resource"] for kind in block}
    assert resources == {"aws_s3_object", "aws_cloudformation_stack"}
    declared = {
        f"{kind}.{name}".replace('"', "")
        for block in module["resource"]
        for kind, made in block.items()
        for name in made
    }
    everything = "".join(file.read_text() for file in MODULE.glob("*.tf"))
    assert set(re.findall(r"(?<!\.)\b(aws_\w+\.\w+)(?=\.)", everything)) - {"aws_s3_bucket.templates"} <= declared


def test_the_module_s_files_are_laid_out_as_terraform_fmt_does() -> None:
    """Two spaces a level, no tabs, and the equals signs of neighbouring lines below each other."""
    for file in MODULE.glob("*.tf"):
        lines = file.read_text().splitlines()
        assert not [
            line for line in lines if line != line.rstrip() or "\t" in line or (len(line) - len(line.lstrip())) % 2
        ]
        for above, below in pairwise(lines):
            first, second = (re.match(r"( *)[\w]+( +)= (?!\{$|\[$)", line) for line in (above, below))
            if first and second and first[1] == second[1]:
                assert first.end() == second.end(), (file.name, above, below)

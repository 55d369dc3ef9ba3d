"""What CloudFormation refuses or does in an order of its own, which cfn-lint does not see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml
from tests.template.samples import LEAST
from tests.template.stack import TEMPLATE, Stack, template

LAUNCH = TEMPLATE.with_name("image-handler-launch-template.yaml")
IN_RULES = {"Ref", "Fn::And", "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::Equals", "Fn::Not"} | {
    "Fn::Or",
    "Fn::RefAll",
    "Fn::ValueOf",
    "Fn::ValueOfAll",
}
"""The functions of CloudFormation's reference for rules. A template with another one is refused as a whole."""


def functions_of(node: Any) -> Iterator[str]:
    """Yield the name of each function in a part of a template."""
    if isinstance(node, list):
        for each in node:
            yield from functions_of(each)
    if isinstance(node, dict):
        for name, said in node.items():
            if name == "Ref" or name.startswith("Fn::"):
                yield name
            yield from functions_of(said)


@pytest.mark.parametrize("path", [TEMPLATE, LAUNCH], ids=["handler", "launch"])
def test_rules_use_only_functions_that_rules_may_use(path: Path) -> None:
    read = json.loads(json.dumps(cfn_yaml.load(str(path))))
    assert read["Rules"]
    assert set(functions_of(read["Rules"])) <= IN_RULES
    assert max(len(read["Parameters"]), len(read["Outputs"])) <= 200


def splits_of(node: Any) -> Iterator[Any]:
    """Yield what each Fn::Split of a part of a template splits."""
    for each in node if isinstance(node, list) else node.values() if isinstance(node, dict) else ():
        yield from splits_of(each)
    if isinstance(node, dict) and "Fn::Split" in node:
        yield node["Fn::Split"][1]


def test_conditions_split_no_empty_text() -> None:
    """They are evaluated in every stack, and nobody knows what CloudFormation splits an empty text into."""
    texts = list(splits_of(template()["Conditions"]))
    assert texts
    for text in texts:
        _, (first, *_) = text["Fn::Join"]
        assert isinstance(first, str)
        assert first


@pytest.mark.parametrize(
    ("page", "policy", "on", "off"),
    [
        ("DemoPage", "ProviderDemoPolicy", {"DeployDemoUI": "Yes"}, {"DeployDemoUI": "No"}),
        ("AccessLogDelivery", "ProviderLogPolicy", {"AccessLogs": "Yes"}, {"AccessLogs": "No"}),
    ],
)
def test_a_part_is_deleted_before_the_permission_that_deletes_it(
    page: str, policy: str, on: dict[str, str], off: dict[str, str]
) -> None:
    """An update changes the role before it deletes what is not in the template any more."""
    resources = template()["Resources"]
    assert policy in resources[page]["DependsOn"]
    before, after = Stack({**LEAST, **on}), Stack({**LEAST, **off})
    assert {page, policy} <= set(before.resources)
    assert not {page, policy} & set(after.resources)
    assert before.resources["ProviderRole"]["Policies"] != []
    said = json.dumps(before.resources["ProviderRole"])
    for statement in before.resources[policy]["PolicyDocument"]["Statement"]:
        assert statement["Sid"] not in said

"""The template, read as CloudFormation reads it: parameters, rules, conditions, and what then stands in resources."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

TEMPLATE = Path(__file__).parents[2] / "template" / "serverless-image-handler-template.yaml"
REGION, ACCOUNT = "eu-west-1", "111122223333"
STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/images/51af3dc0-da77-11e4-872e-1234567db123"
PSEUDO = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::StackName": "images",
    "AWS::StackId": STACK_ID,
    "AWS::URLSuffix": "amazonaws.com",
}
VARIABLE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")
_NOTHING = object()
"""AWS::NoValue."""


class Unresolved(Exception):
    """Something is named that is not there."""


@cache
def template() -> dict[str, Any]:
    """The template in long form."""
    loaded: dict[str, Any] = json.loads(json.dumps(cfn_yaml.load(str(TEMPLATE))))
    return loaded


def variables(said: object) -> set[str]:
    """What an Fn::Sub takes from elsewhere than its own map."""
    text, own = said if isinstance(said, list) else (said, {})
    return set(VARIABLE.findall(text)) - set(own)


class Stack:
    """A stack with these parameters; the others have their defaults.

    `read` is a template in long form. Where a reference to one of `linked` stands alone, it stays a reference.
    """

    def __init__(
        self,
        parameters: Mapping[str, str] | None = None,
        read: Mapping[str, Any] | None = None,
        linked: Collection[str] = (),
        region: str = REGION,
    ) -> None:
        self.pseudo = {**PSEUDO, "AWS::Region": region}
        self.template = read or template()
        self.linked = linked
        declared = self.template["Parameters"]
        given = dict(parameters or {})
        if unknown := set(given) - set(declared):
            raise Unresolved(f"parameters: {unknown}")
        defaults = {name: str(about["Default"]) for name, about in declared.items() if "Default" in about}
        self.parameters = {**defaults, **given}

    @cached_property
    def conditions(self) -> dict[str, bool]:
        """Every condition."""
        return {name: self._truth(said) for name, said in self.template.get("Conditions", {}).items()}

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """The properties of every resource that is made."""
        return {name: self.resolve(about.get("Properties", {})) for name, about in self._made("Resources").items()}

    @cached_property
    def outputs(self) -> dict[str, Any]:
        """The value of every output that there is."""
        return {name: self.resolve(about["Value"]) for name, about in self._made("Outputs").items()}

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of the resources of one type."""
        return {name: said for name, said in self.resources.items() if self._type(name) == kind}

    def refused(self) -> list[str]:
        """What CloudFormation says before it makes anything: parameters first, then rules."""
        faults = [name for name, about in self.template["Parameters"].items() if not self._fits(name, about)]
        for rule in self.template.get("Rules", {}).values():
            if "RuleCondition" not in rule or self._truth(rule["RuleCondition"]):
                asserted = rule["Assertions"]
                faults += [each["AssertDescription"] for each in asserted if not self._truth(each["Assert"])]
        return faults

    def resolve(self, node: Any) -> Any:
        """What a node of the template comes to. Raises Unresolved."""
        value = self._resolved(node)
        if value is _NOTHING:
            raise Unresolved("AWS::NoValue where a value is needed")
        return value

    def _made(self, section: str) -> dict[str, dict[str, Any]]:
        every = self.template[section].items()
        return {name: about for name, about in every if "Condition" not in about or self.conditions[about["Condition"]]}

    def _type(self, name: str) -> str:
        return str(self.template["Resources"][name]["Type"])

    def _fits(self, name: str, about: Mapping[str, Any]) -> bool:
        if name not in self.parameters:
            return False
        value = self.parameters[name]
        if "AllowedValues" in about and value not in map(str, about["AllowedValues"]):
            return False
        if about["Type"] == "Number":
            least, most = int(about.get("MinValue", 0)), int(about.get("MaxValue", 10**9))
            return value.isdigit() and least <= int(value) <= most
        # Of a list every member has to match, without the spaces around it.
        is_list = about["Type"] == "CommaDelimitedList"
        said = [each.strip() for each in value.split(",")] if is_list else [value]
        return len(value) <= about.get("MaxLength", 4096) and all(
            re.search(about.get("AllowedPattern", ""), each) for each in said
        )

    def _truth(self, said: Any) -> bool:
        (name, value), *_ = said.items()
        if name == "Condition":
            return self.conditions[value] if "conditions" in self.__dict__ else self._named(value)
        if name == "Fn::Equals":
            left, right = map(self.resolve, value)
            return str(left) == str(right)
        if name == "Fn::Contains":
            several, one = map(self.resolve, value)
            return str(one) in several
        outcomes = [self._truth(each) for each in value]
        if name == "Fn::Not" and len(outcomes) == 1:
            return not outcomes[0]
        if name in ("Fn::And", "Fn::Or") and 2 <= len(outcomes) <= 10:
            return all(outcomes) if name == "Fn::And" else any(outcomes)
        raise Unresolved(f"{name} is no condition")

    def _named(self, name: str) -> bool:
        return self._truth(self.template["Conditions"][name])

    def _resolved(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for value in map(self._resolved, node) if value is not _NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (name, said), *_ = node.items()
            if (name == "Ref" and said in self.linked) or (name == "Fn::GetAtt" and said[0] in self.linked):
                return node
            if name in _FUNCTIONS:
                return _FUNCTIONS[name](self, said)
            if name.startswith("Fn::"):
                raise Unresolved(name)
        pairs = ((name, self._resolved(said)) for name, said in node.items())
        return {name: value for name, value in pairs if value is not _NOTHING}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NOTHING
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            value = self.parameters[name]
            is_list = self.template["Parameters"][name]["Type"] == "CommaDelimitedList"
            return [each.strip() for each in value.split(",")] if is_list else value
        self._must_be_made(name)
        return _REFS.get(self._type(name), str)(name)

    def _attribute(self, said: list[str]) -> str:
        name, attribute = said
        self._must_be_made(name)
        if attribute == "Arn" or attribute.endswith("ARN"):
            return _ARNS[self._type(name)](name)
        return f"{name}.{attribute}".lower()

    def _must_be_made(self, name: str) -> None:
        if name not in self._made("Resources"):
            raise Unresolved(f"{name} is not made")

    def _sub(self, said: str | list[Any]) -> str:
        text, own = (said[0], self.resolve(said[1])) if isinstance(said, list) else (said, {})

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name in own:
                return str(own[name])
            return str(self._attribute(name.split(".", 1)) if "." in name else self._ref(name))

        return VARIABLE.sub(value, text)

    def _if(self, said: list[Any]) -> Any:
        condition, then, otherwise = said
        return self._resolved(then if self.conditions[condition] else otherwise)

    def _join(self, said: list[Any]) -> str:
        delimiter, values = said
        assert isinstance(delimiter, str), "CloudFormation takes no function as a delimiter"
        return delimiter.join(map(str, self.resolve(values)))

    def _split(self, said: list[Any]) -> list[str]:
        delimiter, text = said
        assert isinstance(delimiter, str), "CloudFormation takes no function as a delimiter"
        return str(self.resolve(text)).split(delimiter)

    def _find_in_map(self, said: list[Any]) -> Any:
        name, first, second = said
        table = self.template["Mappings"][name]
        try:
            return table[str(self.resolve(first))][str(self.resolve(second))]
        except KeyError as error:
            raise Unresolved(f"{name} has no {error}") from error

    def _select(self, said: list[Any]) -> Any:
        index, values = said
        return self.resolve(values)[int(index)]


_FUNCTIONS: dict[str, Callable[[Stack, Any], Any]] = {
    "Ref": Stack._ref,
    "Fn::GetAtt": Stack._attribute,
    "Fn::Sub": Stack._sub,
    "Fn::If": Stack._if,
    "Fn::Join": Stack._join,
    "Fn::Split": Stack._split,
    "Fn::Select": Stack._select,
    "Fn::FindInMap": Stack._find_in_map,
}


def _secret(name: str) -> str:
    return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf"


def _alias(name: str) -> str:
    function = template()["Resources"][name]["Properties"]["FunctionName"]["Ref"]
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}:live"


_REFS: dict[str, Callable[[str], str]] = {
    "AWS::S3::Bucket": str.lower,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::Lambda::Alias": _alias,
    "AWS::ApiGatewayV2::Api": lambda name: "a1b2c3",
    "AWS::SQS::Queue": lambda name: f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}",
    "AWS::SNS::Topic": lambda name: f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}",
    "AWS::CloudFront::Distribution": lambda name: "EDISTRIBUTION",
    "AWS::Logs::LogGroup": lambda name: f"/logs/{name}",
}
_ARNS: dict[str, Callable[[str], str]] = {
    "AWS::S3::Bucket": lambda name: f"arn:aws:s3:::{name.lower()}",
    "AWS::IAM::Role": lambda name: f"arn:aws:iam::{ACCOUNT}:role/{name}",
    "AWS::Lambda::Function": lambda name: f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}",
    "AWS::Logs::LogGroup": lambda name: f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/logs/{name}:*",
    "AWS::DynamoDB::Table": lambda name: f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}",
    "AWS::SQS::Queue": lambda name: f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}",
    "AWS::Events::Rule": lambda name: f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}",
    "AWS::ECR::Repository": lambda name: f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name.lower()}",
    "AWS::CodeBuild::Project": lambda name: f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/{name}",
    "AWS::CloudFront::KeyValueStore": lambda name: f"arn:aws:cloudfront::{ACCOUNT}:key-value-store/{name}",
    "AWS::CloudFront::Function": lambda name: f"arn:aws:cloudfront::{ACCOUNT}:function/{name}",
}

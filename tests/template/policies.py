"""Who may do what, as IAM decides it: an explicit deny, else an allow, else no. Of conditions it knows those in use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.template.stack import Stack

Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Ask:
    """A call: what is done to which resource, by whom (a service, or nobody in particular), and its circumstances."""

    action: str
    resource: str
    principal: str = ""
    context: Mapping[str, str] = field(default_factory=dict)


def role_statements(stack: Stack, role: str) -> list[Statement]:
    """What a role's own policies say, those within it and those that are resources of their own."""
    policies = list(stack.resources[role]["Policies"])
    policies += [said for said in stack.of_type("AWS::IAM::Policy").values() if role in said["Roles"]]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def resource_statements(stack: Stack, policy: str) -> list[Statement]:
    """What the policy of a bucket or queue says."""
    statements: list[Statement] = stack.resources[policy]["PolicyDocument"]["Statement"]
    return statements


def allows(statements: Iterable[Statement], ask: Ask) -> bool:
    """Whether the call is let through."""
    effects = {statement["Effect"] for statement in statements if applies(statement, ask)}
    return effects == {"Allow"}


def applies(statement: Statement, ask: Ask) -> bool:
    """Whether a statement speaks of the call."""
    unknown = set(statement) - {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}
    assert not unknown, f"{unknown} is not evaluated here"
    return (
        _is_meant(statement.get("Principal"), ask.principal)
        and any(_matches(pattern, ask.action) for pattern in _each(statement["Action"]))
        and any(_matches(pattern, ask.resource) for pattern in _each(statement["Resource"]))
        and all(_holds(name, wanted, ask) for name, wanted in statement.get("Condition", {}).items())
    )


def _is_meant(principal: Any, asking: str) -> bool:
    """The principal of a bucket's policy is a service, or a role by its ARN."""
    return principal in (None, "*") or asking in _each(principal.get("Service") or principal["AWS"])


def _holds(operator: str, wanted: Mapping[str, str | list[str]], ask: Ask) -> bool:
    assert operator in ("Bool", "StringEquals", "ArnEquals", "ArnLike"), f"{operator} is not evaluated here"
    matches = _matches if operator == "ArnLike" else str.__eq__
    return all(any(matches(each, ask.context.get(key, "")) for each in _each(value)) for key, value in wanted.items())


def _each(said: str | list[str]) -> list[str]:
    return [said] if isinstance(said, str) else said


def _matches(pattern: str, text: str) -> bool:
    """`*` for any text, `?` for one character."""
    parts = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None

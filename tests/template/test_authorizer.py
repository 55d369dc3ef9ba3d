"""The API's authorizer: who sends the origin secret is admitted, and nobody else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from tests.stand_ins.moto import REGION, Moto
from tests.template.policies import Ask, allows, role_statements
from tests.template.samples import LEAST
from tests.template.stack import ACCOUNT, Stack

from handler.entrypoints.http import ORIGIN_HEADER

ORIGIN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:OriginSecret-AbCdEf"


@pytest.fixture
def authorizer(moto: Moto) -> Iterator[dict[str, Any]]:
    """The names of the authorizer's module, as the template has it, with a secret that was never rotated."""
    secrets = moto.client("secretsmanager")
    secrets.create_secret(Name="AuthorizedBy", SecretString="first")
    keys = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": REGION}
    with patch.dict(os.environ, {**keys, "AWS_ENDPOINT_URL": moto.url, "ORIGIN_SECRET": "AuthorizedBy"}):
        names: dict[str, Any] = {"__name__": "index"}
        code = Stack(LEAST).resources["AuthorizerFunction"]["Code"]["ZipFile"]
        exec(compile(code, "index.py", "exec"), names)
        yield names
    secrets.delete_secret(SecretId="AuthorizedBy", ForceDeleteWithoutRecovery=True)


def admits(authorizer: dict[str, Any], secret: str) -> bool:
    answer = authorizer["handler"]({"type": "REQUEST", "identitySource": [secret]}, None)
    assert set(answer) == {"isAuthorized"}, "API Gateway takes a simple response"
    return bool(answer["isAuthorized"])


def test_the_current_and_the_previous_secret_are_admitted(authorizer: dict[str, Any], moto: Moto) -> None:
    assert admits(authorizer, "first")
    assert not admits(authorizer, "a guess")
    assert not admits(authorizer, "")
    assert not admits(authorizer, "f\u00fcrst")
    moto.client("secretsmanager").put_secret_value(SecretId="AuthorizedBy", SecretString="second")
    authorizer["_kept"]["at"] = float("-inf")
    assert admits(authorizer, "first"), "CloudFront sends it until it is told"
    assert admits(authorizer, "second")
    moto.client("secretsmanager").put_secret_value(SecretId="AuthorizedBy", SecretString="third")
    authorizer["_kept"]["at"] = float("-inf")
    assert not admits(authorizer, "first")


def test_a_failure_of_the_secrets_service_keeps_the_values(authorizer: dict[str, Any]) -> None:
    assert admits(authorizer, "first")
    authorizer["_kept"]["at"] = float("-inf")
    with patch.dict(os.environ, {"ORIGIN_SECRET": "missing"}):
        assert admits(authorizer, "first")
        authorizer["_kept"].update(values=(), at=float("-inf"))
        with pytest.raises(Exception, match="ResourceNotFound"):
            admits(authorizer, "first")


def test_guesses_do_not_call_the_secrets_service(authorizer: dict[str, Any]) -> None:
    calls: list[str] = []
    read = authorizer["read_stage"]

    def counted(stage: str) -> str:
        calls.append(stage)
        return str(read(stage))

    authorizer["read_stage"] = counted
    assert not any(admits(authorizer, f"guess {number}") for number in range(20))
    assert calls == ["AWSCURRENT", "AWSPREVIOUS"]


def test_every_route_asks_it() -> None:
    stack = Stack(LEAST)
    made = stack.resources["Authorizer"]
    assert made["IdentitySource"] == [f"$request.header.{ORIGIN_HEADER.lower()}"]
    assert (made["EnableSimpleResponses"], made["AuthorizerPayloadFormatVersion"]) == (True, "2.0")
    assert "function:AuthorizerFunction/invocations" in made["AuthorizerUri"]
    for route in stack.of_type("AWS::ApiGatewayV2::Route").values():
        assert (route["AuthorizationType"], route["AuthorizerId"]) == ("CUSTOM", "Authorizer")


@pytest.mark.parametrize(
    ("resource", "allowed"),
    [
        (ORIGIN, True),
        (ORIGIN.replace("Origin", "Signature"), False),
        (ORIGIN.replace("OriginSecret", "OperatorToken"), False),
    ],
)
def test_it_may_read_that_secret_alone(resource: str, allowed: bool) -> None:
    statements = role_statements(Stack(LEAST), "AuthorizerRole")
    assert allows(statements, Ask("secretsmanager:GetSecretValue", resource)) is allowed

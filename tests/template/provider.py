"""The provider of the stack's custom resources, run from the template's text, with CloudFormation on the other side."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

from tests.client import FakeLambdaContext
from tests.stand_ins.scripted_http import ParsedRequest, Reply, scripted_server
from tests.template.account import Account
from tests.template.stack import STACK_ID


def load_provider(account: Account) -> dict[str, Any]:
    """Return the names of the provider's module. It repeats nothing, since nothing here takes time to apply."""
    names: dict[str, Any] = {}
    code = account.stack.resources["Provider"]["Code"]["ZipFile"]
    exec(compile(code, "index.py", "exec"), names)
    names["PATIENCE_SECONDS"] = names["PAUSE_SECONDS"] = 0
    return names


def deliver(
    account: Account,
    resource: str,
    request: str = "Create",
    known: str = "",
    former: Mapping[str, Any] | None = None,
    **changed: Any,
) -> dict[str, Any]:
    """Send an event of a custom resource to the provider, and return the answer that CloudFormation receives."""
    answers: list[ParsedRequest] = []

    def receive(asked: ParsedRequest) -> Reply:
        answers.append(asked)
        return Reply(200)

    provider = load_provider(account)
    with scripted_server(receive) as cloudformation, patch.dict(os.environ, account.environment("Provider")):
        event = {
            "RequestType": request,
            "ResponseURL": f"{cloudformation.url}/answer?X-Amz-Signature=0",
            "StackId": STACK_ID,
            "RequestId": "r",
            "ResourceType": "Custom::Any",
            "LogicalResourceId": resource,
            "ResourceProperties": {**account.stack.resources[resource], **changed},
            **({"PhysicalResourceId": known} if known else {}),
            **({"OldResourceProperties": former} if former else {}),
        }
        provider["handler"](event, FakeLambdaContext(110))
    (answer,) = answers
    assert (answer.method, answer.headers.get("content-type", "")) == ("PUT", "")
    assert len(answer.body) < 4096, "CloudFormation accepts no longer answer"
    received: dict[str, Any] = json.loads(answer.body)
    assert (received["StackId"], received["RequestId"], received["LogicalResourceId"]) == (STACK_ID, "r", resource)
    return received

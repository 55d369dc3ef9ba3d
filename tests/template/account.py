"""An account in which a stack was made: moto, behind a guard that lets each role do what the template allows it.

As AWS does it: what no statement allows is a 403, and without s3:ListBucket a key that is not there is one too.
"""

from __future__ import annotations

import http.client
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, unquote, urlsplit

from tests.client import Client, FakeLambdaContext
from tests.stand_ins.moto import REGION, Moto
from tests.stand_ins.scripted_http import ParsedRequest, Reply, ScriptedServer, scripted_server
from tests.template.policies import Ask, allows, applies, role_statements
from tests.template.stack import ACCOUNT, Stack

from handler import app

_QUOTA = "/2016-08-19/account-settings"
_DISTRIBUTIONS = f"arn:aws:cloudfront::{ACCOUNT}:distribution"
SECRETS = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret"
_SEEN: Mapping[str, Mapping[str, Any]] = {
    "DetectFaces": {"FaceDetails": []},
    "DetectLabels": {"Labels": [], "LabelModelVersion": "3.0"},
    "DetectText": {"TextDetections": [], "TextModelVersion": "3.0"},
    "DetectModerationLabels": {"ModerationLabels": [], "ModerationModelVersion": "7.0"},
}
_NO_DISTRIBUTION = (
    b"<ErrorResponse><Error><Code>NoSuchDistribution</Code>"
    b"<Message>The specified distribution does not exist.</Message></Error></ErrorResponse>"
)
_DESCRIBED = (
    b"<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>images</StackName>"
    b"<CreationTime>2026-01-31T12:00:00Z</CreationTime><StackStatus>%s</StackStatus>"
    b"</member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
)
_PUBLISHED = (
    b"<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult>"
    b"<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></PublishResponse>"
)
_INVALIDATED = b"<Invalidation><Id>I1</Id></Invalidation>"


@dataclass
class Account:
    """A stack in it. `used`: of each role the statements that let something pass; `denied`: what none let pass."""

    moto: Moto
    stack: Stack
    used: dict[str, set[str]] = field(default_factory=dict)
    denied: list[Ask] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    """Paths at which S3 answers 500."""
    refused: set[str] = field(default_factory=set)
    """Buckets whose own policies deny everything."""
    unwritable: set[str] = field(default_factory=set)
    """Buckets to which nothing can be written, whatever the roles may do."""
    crashing: dict[str, dict[str, str]] = field(default_factory=dict)
    """Functions that do not run, each with the error that Lambda returns."""
    status: str = "UPDATE_IN_PROGRESS"
    """What CloudFormation is doing with the stack."""
    announced: list[dict[str, Any]] = field(default_factory=list)
    """The messages of the SNS topic."""
    events: list[dict[str, Any]] = field(default_factory=list)
    """The entries that EventBridge received."""
    queued: list[str] = field(default_factory=list)
    """The bodies of the messages that the function sent to the queue of uploads."""
    quota: int = 1000
    """Concurrent executions that the account allows."""
    endpoints: dict[str, ScriptedServer] = field(default_factory=dict)
    """Of AWS, for each function."""

    def client(self, function: str = "Function") -> Client:
        """A function of the stack, started cold."""
        return Client(self.environment(function))

    def environment(self, function: str) -> dict[str, str]:
        """What the template says to a function, and what Lambda adds."""
        made = self.stack.resources[function]
        return {
            **made.get("Environment", {}).get("Variables", {}),
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_LAMBDA_FUNCTION_NAME": function,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(made["MemorySize"]),
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoints[function].url,
        }

    def answer(self, role: str, asked: ParsedRequest) -> Reply:
        """What AWS answers to a call in this role."""
        wanted = asks(asked)
        if not all(self._may(role, ask) for ask in wanted):
            return _denied()
        if asked.path in self.broken:
            return Reply(500)
        bucket = urlsplit(asked.path).path[1:].partition("/")[0]
        if bucket in self.refused or (bucket in self.unwritable and asked.method == "PUT"):
            return _denied()
        replies: Mapping[str, Callable[[ParsedRequest], Reply]] = {
            "cloudfront": _of_cloudfront,
            "rekognition": _of_rekognition,
            "cloudformation": lambda _: Reply(200, _DESCRIBED % self.status.encode()),
            "lambda": self._of_lambda,
            "sns": self._of_sns,
            "events": self._of_events,
            "sqs": self._of_sqs,
        }
        service = _service(asked)
        if service in replies:
            return replies[service](asked)
        if service == "s3":
            reply = self._forwarded(asked)
            return _denied() if reply.status == 404 and not self._may(role, _listing(wanted[0])) else reply
        # The stand-in's account is another, and the ends of its ARNs are chance: it is asked by name.
        by_name = re.sub(rb"arn:aws:secretsmanager:[^\"]*:secret:(\w+)-\w{6}", rb"\1", asked.body)
        return self._forwarded(replace(asked, body=by_name))

    def _of_sns(self, asked: ParsedRequest) -> Reply:
        self.announced.append(json.loads(parse_qs(asked.body.decode())["Message"][0]))
        return Reply(200, _PUBLISHED)

    def _of_sqs(self, asked: ParsedRequest) -> Reply:
        self.queued.append(json.loads(asked.body)["MessageBody"])
        return Reply(200, json.dumps({"MessageId": f"m{len(self.queued)}"}).encode())

    def _of_events(self, asked: ParsedRequest) -> Reply:
        entries = json.loads(asked.body)["Entries"]
        self.events += entries
        accepted = [{"EventId": str(number)} for number, _ in enumerate(entries)]
        return Reply(200, json.dumps({"FailedEntryCount": 0, "Entries": accepted}).encode())

    def _of_lambda(self, asked: ParsedRequest) -> Reply:
        if asked.path == _QUOTA:
            return Reply(200, json.dumps({"AccountLimit": {"ConcurrentExecutions": self.quota}}).encode())
        event = json.loads(asked.body)
        function = asked.path.split("/")[3]
        if function in self.crashing:
            return Reply(200, json.dumps(self.crashing[function]).encode(), {"X-Amz-Function-Error": "Unhandled"})
        if "task" in event:
            return self._performed(function, event)
        return Reply(200, json.dumps(self.client(function).invoke(event)).encode())

    def _performed(self, function: str, event: dict[str, Any]) -> Reply:
        """A task of a deployment: the function reads its environment itself."""
        with patch.dict(os.environ, self.environment(function)):
            return Reply(200, json.dumps(app.lambda_handler(event, FakeLambdaContext(29))).encode())

    def _may(self, role: str, ask: Ask) -> bool:
        statements = role_statements(self.stack, role)
        if not allows(statements, ask):
            self.denied.append(ask)
            return False
        self.used.setdefault(role, set()).update(said["Sid"] for said in statements if applies(said, ask))
        return True

    def _forwarded(self, asked: ParsedRequest) -> Reply:
        connection = http.client.HTTPConnection(self.moto.url.partition("//")[2], timeout=20)
        try:
            headers = {name: value for name, value in asked.headers.items() if name != "content-length"}
            connection.request(asked.method, asked.path, asked.body or None, headers)
            response = connection.getresponse()
            body = response.read()
            drop = ("transfer-encoding", "connection", "content-length", "date", "server")
            said = {name: value for name, value in response.getheaders() if name.lower() not in drop}
        finally:
            connection.close()
        if asked.method == "HEAD":
            return Reply(response.status, b"", {**said, "Content-Length": response.getheader("content-length", "0")})
        return Reply(response.status, body, said)


def asks(asked: ParsedRequest) -> list[Ask]:
    """What has to be allowed for a signed call; an unsigned one asks for nothing that a role gives."""
    service = _service(asked)
    return _ASKS[service](asked) if service else []


def _operation(asked: ParsedRequest) -> str:
    return asked.headers["x-amz-target"].partition(".")[2]


def _ask_secret(asked: ParsedRequest) -> list[Ask]:
    named = json.loads(asked.body)["SecretId"]
    resource = named if named.startswith("arn:") else f"{SECRETS}:{named}-AbCdEf"
    return [Ask(f"secretsmanager:{_operation(asked)}", resource)]


def _ask_cloudfront(asked: ParsedRequest) -> list[Ask]:
    if asked.method == "GET":
        return [Ask("cloudfront:GetDistribution", f"{_DISTRIBUTIONS}/{asked.path.rpartition('/')[2]}")]
    (name,) = re.findall(r"^/2020-05-31/distribution/(\w+)/invalidation$", asked.path)
    return [Ask("cloudfront:CreateInvalidation", f"{_DISTRIBUTIONS}/{name}")]


def _ask_lambda(asked: ParsedRequest) -> list[Ask]:
    if asked.path == _QUOTA:
        return [Ask("lambda:GetAccountSettings", "*")]
    (name,) = re.findall(r"^/2015-03-31/functions/(\w+)/invocations$", asked.path)
    return [Ask("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")]


def _ask_logs(asked: ParsedRequest) -> list[Ask]:
    """What has to be allowed for a delivery of logs: also that the distribution's logs may be delivered at all."""
    operation, said = _operation(asked), json.loads(asked.body)
    if operation == "DescribeDeliveries":
        return [Ask(f"logs:{operation}", "*")]
    region = re.findall(r"/\d{8}/([\w-]+)/logs/", asked.headers["authorization"])[0]
    kinds = {
        "PutDeliverySource": "delivery-source",
        "DeleteDeliverySource": "delivery-source",
        "DeleteDelivery": "delivery",
    }
    named = said.get("name") or said.get("id") or said["deliverySourceName"]
    kind = "delivery-source" if operation == "CreateDelivery" else kinds.get(operation, "delivery-destination")
    needed = [Ask(f"logs:{operation}", f"arn:aws:logs:{region}:{ACCOUNT}:{kind}:{named}")]
    if operation == "PutDeliverySource":
        needed.append(Ask("cloudfront:AllowVendedLogDeliveryForResource", said["resourceArn"]))
    return needed


def _ask_events(asked: ParsedRequest) -> list[Ask]:
    buses = {entry["EventBusName"] for entry in json.loads(asked.body)["Entries"]}
    return [Ask("events:PutEvents", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{bus}") for bus in buses]


def _ask_sqs(asked: ParsedRequest) -> list[Ask]:
    queue = json.loads(asked.body)["QueueUrl"].rpartition("/")[2]
    return [Ask(f"sqs:{_operation(asked)}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}")]


def _ask_dynamodb(asked: ParsedRequest) -> list[Ask]:
    """A transaction needs what each of its parts needs, and a query of an index the right to that index."""
    tables = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table"
    said = json.loads(asked.body)
    if _operation(asked) == "TransactWriteItems":
        parts = [part for item in said["TransactItems"] for part in item.items()]
        return [Ask(f"dynamodb:{kind}Item", f"{tables}/{part['TableName']}") for kind, part in parts]
    if _operation(asked) == "BatchGetItem":
        return [Ask("dynamodb:BatchGetItem", f"{tables}/{name}") for name in said["RequestItems"]]
    index = f"/index/{said['IndexName']}" if "IndexName" in said else ""
    return [Ask(f"dynamodb:{_operation(asked)}", f"{tables}/{said['TableName']}{index}")]


def _of_cloudfront(asked: ParsedRequest) -> Reply:
    if asked.method == "GET":
        exists = asked.path.endswith(("/EDISTRIBUTION", "/E1ABCDEFGHIJKL"))
        return Reply(200, b"<Distribution/>") if exists else Reply(404, _NO_DISTRIBUTION)
    return Reply(201, _INVALIDATED)


def _of_rekognition(asked: ParsedRequest) -> Reply:
    return Reply(200, json.dumps(_SEEN[asked.headers["x-amz-target"].partition(".")[2]]).encode())


def _of_s3(asked: ParsedRequest) -> list[Ask]:
    url = urlsplit(asked.path)
    bucket, _, key = unquote(url.path[1:]).partition("/")
    resource = f"arn:aws:s3:::{bucket}"
    if {"uploadId", "uploads"} & {pair.partition("=")[0] for pair in url.query.split("&")}:
        verb = "AbortMultipartUpload" if asked.method == "DELETE" else "PutObject"
        return [Ask(f"s3:{verb}", f"{resource}/{key}")]
    if asked.method == "POST":
        assert url.query.startswith("delete"), asked.path
        keys = re.findall(rb"<Key>([^<]+)</Key>", asked.body)
        return [Ask("s3:DeleteObject", f"{resource}/{each.decode()}") for each in keys]
    if not key:
        return [Ask("s3:ListBucket", resource)]
    if url.query == "tagging" and asked.method == "GET":
        return [Ask("s3:GetObjectTagging", f"{resource}/{key}")]
    verb = {"GET": "Get", "HEAD": "Get", "PUT": "Put", "DELETE": "Delete"}[asked.method]
    # To write over what has a certain ETag, one must be allowed to read it.
    verbs = [verb, "Get"] if "if-match" in asked.headers and verb == "Put" else [verb]
    return [Ask(f"s3:{each}Object", f"{resource}/{key}") for each in verbs]


def _listing(ask: Ask) -> Ask:
    return Ask("s3:ListBucket", ask.resource.partition("/")[0])


def _service(asked: ParsedRequest) -> str:
    proof = asked.headers.get("authorization", "") or unquote(urlsplit(asked.path).query)  # a presigned URL has its own
    found = re.search(r"Credential=[^/]+/\d+/[^/]+/(\w+)/aws4_request", proof)
    return found[1] if found else ""


_ASKS: Mapping[str, Callable[[ParsedRequest], list[Ask]]] = {
    "secretsmanager": _ask_secret,
    "rekognition": lambda asked: [Ask(f"rekognition:{_operation(asked)}", "*")],
    "cloudformation": lambda asked: [
        Ask("cloudformation:DescribeStacks", parse_qs(asked.body.decode())["StackName"][0])
    ],
    "cloudfront": _ask_cloudfront,
    "lambda": _ask_lambda,
    "dynamodb": _ask_dynamodb,
    "events": _ask_events,
    "logs": _ask_logs,
    "sqs": _ask_sqs,
    "sns": lambda asked: [Ask("sns:Publish", parse_qs(asked.body.decode())["TopicArn"][0])],
    "s3": _of_s3,
}


def _denied() -> Reply:
    return Reply(403, b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")


@contextmanager
def account(moto: Moto, parameters: Mapping[str, str]) -> Iterator[Account]:
    """The functions of a stack with these parameters, each with an endpoint of its own that knows its role."""
    stack = Stack(parameters)
    assert stack.refused() == []
    made = Account(moto, stack)
    roles = {name: said["Role"].rpartition("/")[2] for name, said in stack.of_type("AWS::Lambda::Function").items()}
    with _guards(made, list(roles.items())):
        yield made


@contextmanager
def _guards(made: Account, roles: list[tuple[str, str]]) -> Iterator[None]:
    if not roles:
        yield
        return
    (function, role), *others = roles
    with scripted_server(lambda asked: made.answer(role, asked)) as server:
        made.endpoints[function] = server
        with _guards(made, others):
            yield

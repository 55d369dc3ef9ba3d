"""The keys of signed URLs on their way from Secrets Manager into the key value store of the edge function."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from tests.handler.test_signing_v4a import signature_of, signed_text, verify
from tests.stand_ins.moto import REGION, Moto
from tests.stand_ins.scripted_http import ParsedRequest, Reply, ScriptedServer, scripted_server
from tests.template.edge import Viewer, code_with_keys, run

from handler.app import lambda_handler
from handler.auth.signature import signed_url
from handler.aws import Credentials

ARN = "arn:aws:cloudfront::111122223333:key-value-store/4f1c2a3b-0000-1111-2222-333344445555"


@dataclass
class Store:
    """A key value store that accepts signed requests only, and a write only with its current ETag."""

    values: dict[str, str] = field(default_factory=dict)
    version: int = 1
    fails: bool = False

    def answer(self, request: ParsedRequest) -> Reply:
        headers = {name.lower(): value for name, value in request.headers.items()}
        text = signed_text(request.method, request.path, request.body, headers)
        verify(Credentials("AKID", "secret"), signature_of(headers), text)
        if self.fails:
            return Reply(403, b'{"Message": "not allowed"}')
        found = re.fullmatch(r"/key-value-stores/([^/]+)(?:/keys/([^/]+))?", request.path)
        assert found is not None
        assert unquote(found[1]) == ARN
        if found[2] is None:
            return Reply(200, b"{}", {"ETag": f"v{self.version}"})
        if request.method == "GET":
            value = self.values.get(found[2])
            return Reply(404) if value is None else Reply(200, json.dumps({"Value": value}).encode())
        if headers["if-match"] != f"v{self.version}":
            return Reply(409)
        self.values[found[2]] = json.loads(request.body)["Value"]
        self.version += 1
        return Reply(200, b"{}")


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def server(store: Store, moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """The environment of the stack's function."""
    secrets = moto.client("secretsmanager")
    secrets.create_secret(Name="signing", SecretString=json.dumps({"key": "first"}))
    with scripted_server(store.answer) as running:
        for name, value in {
            "SECRETS_MANAGER": "signing",
            "SECRET_KEY": "key",
            "SIGNING_KEYS_STORE": ARN,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": moto.url,
            "AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE": running.url,
            "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }.items():
            monkeypatch.setenv(name, value)
        yield running
    secrets.delete_secret(SecretId="signing", ForceDeleteWithoutRecovery=True)


def sync(**fields: bool) -> dict[str, Any]:
    """What the function answers to the provider, or to the schedule."""
    return dict(lambda_handler({"task": "sync-signing-keys", **fields}, None))


def rotate(moto: Moto, value: str) -> None:
    moto.client("secretsmanager").put_secret_value(SecretId="signing", SecretString=json.dumps({"key": value}))


def test_a_rotation_reaches_the_edge_with_the_previous_key(
    store: Store, server: ScriptedServer, moto: Moto, tmp_path: Path
) -> None:
    assert sync() == {"faults": [], "notes": [], "changed": True}
    assert store.values == {"signing-keys": '["first"]'}
    rotate(moto, "second")
    assert sync()["changed"]
    assert json.loads(store.values["signing-keys"]) == ["second", "first"]
    rotate(moto, "third")
    sync()
    assert json.loads(store.values["signing-keys"]) == ["third", "second"]


def test_the_edge_function_reads_what_is_written(
    store: Store, server: ScriptedServer, moto: Moto, tmp_path: Path
) -> None:
    secret = 'ключ "é" \\ key'
    rotate(moto, secret)
    sync()
    urls = [signed_url("/cat.jpg?width=3", key) for key in (secret, "first", "another")]
    viewers = [Viewer("/cat.jpg", url.partition("?")[2]) for url in urls]
    passed = run(code_with_keys(), viewers, tmp_path, store.values)
    assert [each.signature is not None for each in passed] == [True, True, False]


def test_nothing_is_written_while_nothing_changes(store: Store, server: ScriptedServer) -> None:
    sync()
    assert sync()["changed"] is False
    assert [request.method for request in server.asked].count("PUT") == 1


def test_faults_are_words_at_a_deployment_and_errors_of_the_schedule(store: Store, server: ScriptedServer) -> None:
    store.fails = True
    (fault,) = sync()["faults"]
    assert "cannot be read: 403" in fault
    with pytest.raises(RuntimeError, match="cannot be read: 403"):
        sync(raises=True)


def test_a_key_that_is_too_long_for_the_edge_is_a_fault(store: Store, server: ScriptedServer, moto: Moto) -> None:
    rotate(moto, "x" * 1100)
    (fault,) = sync()["faults"]
    assert "must fit into 1024 bytes" in fault
    assert "xxx" not in fault
    assert store.values == {}


def test_a_secret_without_the_field_is_a_fault_that_names_it(server: ScriptedServer, moto: Moto) -> None:
    moto.client("secretsmanager").put_secret_value(SecretId="signing", SecretString='{"other": "x"}')
    (fault,) = sync()["faults"]
    assert "key" in fault


def test_without_a_store_the_task_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRETS_MANAGER", "SIGNING_KEYS_STORE"):
        monkeypatch.delenv(name, raising=False)
    (fault,) = sync()["faults"]
    assert "SECRETS_MANAGER and SIGNING_KEYS_STORE" in fault
